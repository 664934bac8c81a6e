// What Stripe.js throws when it is called wrongly, and the checks of keys and secrets that lead there.
// Every part of this folder is joined into one script, in the order given in `assets.rs`.

class IntegrationError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'IntegrationError';
  }
}

/** @param {unknown} value @returns {value is Fields} */
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** @param {unknown} value */
const shown = (value) => (typeof value === 'string' ? value : JSON.stringify(value) ?? String(value));

/** @param {unknown} value @param {string} what its name in the sentence */
function requireObject(value, what) {
  if (isObject(value)) return;
  throw new IntegrationError(`Invalid value for ${what}: it should be an object. You specified: ${shown(value)}.`);
}

/** @param {unknown} key */
function checkPublishableKey(key) {
  if (key === '') {
    throw new IntegrationError('Please call Stripe() with your publishable key. You used an empty string.');
  }
  if (typeof key !== 'string') {
    throw new IntegrationError(
      key === undefined
        ? 'Missing value for Stripe(): apiKey should be a string.'
        : `Invalid value for Stripe(): apiKey should be a string. You specified: ${shown(key)}.`,
    );
  }
  if (/^(sk|rk)_/.test(key)) {
    throw new IntegrationError(
      'You should not use your secret key with Stripe.js.\n        Please pass a publishable key instead.',
    );
  }
  if (key.startsWith('pk_live_')) {
    throw new IntegrationError('This is the Stripe sandbox: it takes test keys (pk_test_…) only, never a live key.');
  }
}

/**
 * Splits a client secret into the intent it belongs to, or throws as `where` would.
 * @param {unknown} secret
 * @param {string} where
 * @returns {Secret}
 */
function parseClientSecret(secret, where) {
  const match = typeof secret === 'string' && /^((pi|seti)_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/.exec(secret);
  if (!match) {
    throw new IntegrationError(
      `Invalid value for ${where}: value should be a client secret of the form \${id}_secret_\${secret}. ` +
        `You specified: ${shown(secret)}.`,
    );
  }
  return { id: match[1], kind: match[2] === 'pi' ? 'payment_intent' : 'setup_intent', secret: match[0] };
}

/**
 * The same, where only one kind of intent makes sense.
 * @param {IntentKind} kind
 * @param {unknown} secret
 * @param {string} where
 */
function parseSecretOf(kind, secret, where) {
  const intent = parseClientSecret(secret, `${where} intent secret`);
  if (intent.kind !== kind) {
    const wanted = kind === 'payment_intent' ? 'a PaymentIntent' : 'a SetupIntent';
    throw new IntegrationError(
      `Invalid value for ${where} intent secret: value should be ${wanted} client secret. ` +
        `You specified: a ${kind === 'payment_intent' ? 'SetupIntent' : 'PaymentIntent'} client secret.`,
    );
  }
  return intent;
}

/**
 * @param {unknown} url
 * @param {unknown} redirect
 * @param {string} where
 */
function checkReturnUrl(url, redirect, where) {
  if (url === undefined || url === null || url === '') {
    if (redirect === 'if_required') return;
    throw new IntegrationError(
      `${where}: the \`confirmParams.return_url\` argument is required when using automatic payment methods.`,
    );
  }
  let parsed;
  try {
    parsed = new URL(String(url));
  } catch {
    parsed = null;
  }
  // Only these: a script URL here would run in the application's page.
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new IntegrationError(
      `Invalid value for ${where}: return_url should be a valid absolute URL. You specified: ${shown(url)}.`,
    );
  }
}
