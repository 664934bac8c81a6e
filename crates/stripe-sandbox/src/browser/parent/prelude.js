// The Stripe sandbox's stand-in for Stripe.js. For development and tests: nothing here is real money.

const SCRIPT_URL = new URL(
  document.currentScript?.src ??
    document.querySelector('script[src*="/stripe.js"], script[src$="/v3"], script[src*="/v3/"]').src,
);
const SANDBOX_ORIGIN = SCRIPT_URL.origin;
const RELEASE = SCRIPT_URL.pathname.startsWith('/v3') ? 3 : SCRIPT_URL.pathname.split('/')[1];

const DARK_MODE = window.matchMedia('(prefers-color-scheme: dark)');
