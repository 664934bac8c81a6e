// The intent that an Element is for: one that is there already, or one that the page says it is going to make.

/** @typedef {import('./api.js').ApiError} ApiError */

/**
 * @typedef {object} Deferred the intent to be made, as the page described it
 * @property {'payment' | 'setup' | 'subscription'} mode
 * @property {number} [amount] in the currency's smallest unit
 * @property {string} [currency]
 * @property {'off_session' | 'on_session' | 'none' | null} [setupFutureUsage]
 * @property {string} [captureMethod]
 * @property {boolean} takesCards
 */

/** @param {string} code @param {string} message @param {object} [more] @returns {ApiError} */
const refusal = (code, message, more) => ({ type: 'invalid_request_error', code, message, ...more });

/**
 * The intent with this client secret, or why there can be no Element for it.
 * @param {import('./api.js').Api} api
 * @param {string} clientSecret
 */
export async function fetchIntent(api, clientSecret) {
  const kind = clientSecret.startsWith('seti_') ? 'setup_intent' : 'payment_intent';
  const { error, intent } = await api.retrieve({ kind, clientSecret });
  if (error) return { error };
  if (['succeeded', 'canceled'].includes(intent.status)) {
    const name = kind === 'payment_intent' ? 'PaymentIntent' : 'SetupIntent';
    const message = `This ${name} is in a terminal state and cannot be used to initialize Elements.`;
    return { error: refusal(`${kind}_unexpected_state`, message, { [kind]: intent }) };
  }
  return { intent };
}

/**
 * Whether the card is kept for later charges, which its holder has to be told.
 * @param {any} intent
 * @param {Deferred | undefined} deferred
 */
export function keepsCard(intent, deferred) {
  if (intent) return intent.object === 'setup_intent' || intent.setup_future_usage === 'off_session';
  return deferred?.setupFutureUsage === 'off_session' || ['setup', 'subscription'].includes(deferred?.mode ?? '');
}

/**
 * Why an intent isn't the one that the Elements were made for. The first sentence is what Stripe says of
 * `setup_future_usage`; that the other fields have it too is assumed, and so are the second and the `param`.
 * @param {Deferred} deferred
 * @param {any} intent
 * @returns {ApiError | undefined}
 */
export function disagreement(deferred, intent) {
  for (const [field, provided, expected] of compared(deferred, intent)) {
    if (provided === expected) continue;
    const kind = intent.object === 'payment_intent' ? 'Payment' : 'Setup';
    return {
      type: 'invalid_request_error',
      param: field,
      message:
        `The provided ${field} (${provided}) does not match the expected ${field} (${expected}). Try confirming with a ` +
        `${kind} Intent that is configured to use the same parameters as Stripe Elements.`,
    };
  }
  return undefined;
}

/**
 * The fields that have to agree: what the Elements were given, and what the intent has.
 * @param {Deferred} deferred
 * @param {any} intent
 * @returns {[string, unknown, unknown][]}
 */
function compared({ mode, amount, currency, setupFutureUsage, captureMethod }, intent) {
  const usage = setupFutureUsage === 'none' ? null : setupFutureUsage;
  if (intent.object === 'setup_intent') {
    // A subscription that costs nothing yet has a setup intent.
    const fits = mode === 'setup' || mode === 'subscription';
    return [
      ['mode', mode, fits ? mode : 'setup'],
      ['setup_future_usage', usage ?? intent.usage, intent.usage],
    ];
  }
  // A card of a subscription is kept, unless said otherwise.
  const future = usage === undefined && mode === 'subscription' ? 'off_session' : usage ?? null;
  /** Whether automatic capture waits for its answer is no matter. @param {string | undefined} method */
  const capture = (method) => (method === 'manual' ? 'manual' : 'automatic');
  return [
    ['mode', mode, mode === 'setup' ? 'payment' : mode],
    ['currency', currency, intent.currency],
    ['amount', amount, intent.amount],
    ['setup_future_usage', future, intent.setup_future_usage ?? null],
    ['capture_method', capture(captureMethod), capture(intent.capture_method)],
  ];
}
