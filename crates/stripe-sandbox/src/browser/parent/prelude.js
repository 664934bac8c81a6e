// The Stripe sandbox's stand-in for Stripe.js. For development and tests: nothing here is real money.

const SCRIPT = /** @type {HTMLScriptElement} */ (
  document.currentScript ?? document.querySelector('script[src*="/stripe.js"], script[src$="/v3"], script[src*="/v3/"]')
);
const SCRIPT_URL = new URL(SCRIPT.src);
const SANDBOX_ORIGIN = SCRIPT_URL.origin;
const RELEASE = SCRIPT_URL.pathname.startsWith('/v3') ? 3 : SCRIPT_URL.pathname.split('/')[1];

const DARK_MODE = window.matchMedia('(prefers-color-scheme: dark)');
