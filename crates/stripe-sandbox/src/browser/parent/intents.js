// Carrying intents through what comes after their confirmation. Results have Stripe.js's shapes: `{paymentIntent}`,
// `{setupIntent}` or `{error}`.

/** @type {Record<IntentKind, 'paymentIntent' | 'setupIntent'>} */
const RESULT_NAME = { payment_intent: 'paymentIntent', setup_intent: 'setupIntent' };

const AUTHENTICATION_FAILED =
  'We are unable to authenticate your payment method. Please choose a different payment method and try again.';

/** @param {IntentKind} kind @param {Intent} intent @returns {IntentResult} */
const resultOf = (kind, intent) => /** @type {any} */ ({ [RESULT_NAME[kind]]: intent });

/**
 * The result an intent stands for once there is nothing left for the customer to do.
 * @param {IntentKind} kind
 * @param {Intent} intent
 * @returns {IntentResult}
 */
function outcomeOf(kind, intent) {
  const failure = kind === 'payment_intent' ? intent.last_payment_error : intent.last_setup_error;
  if (intent.status === 'requires_payment_method' && failure) {
    // The API's message is for the developer; Stripe.js has one for the customer.
    const message = failure.code === `${kind}_authentication_failure` ? AUTHENTICATION_FAILED : failure.message;
    return { error: { ...failure, message, [kind]: intent } };
  }
  return resultOf(kind, intent);
}

/**
 * Takes the answer of a confirm call through 3D Secure, if that is what it asks for.
 * @param {Stripe} stripe
 * @param {IntentKind} kind
 * @param {IntentAnswer} answer
 * @param {{handleActions?: boolean}} [options]
 * @returns {Promise<IntentResult>}
 */
async function followActions(stripe, kind, answer, { handleActions = true } = {}) {
  if (answer.error) return { error: answer.error };
  const { intent } = answer;
  if (!handleActions || intent.status !== 'requires_action') return outcomeOf(kind, intent);

  const action = intent.next_action;
  if (action?.type === 'redirect_to_url' && action.redirect_to_url) {
    window.location.assign(action.redirect_to_url.url);
    return new Promise(() => {}); // The page is being left.
  }
  if (action?.type !== 'use_stripe_sdk') return resultOf(kind, intent);

  await showChallenge(stripe, intent);
  /** @type {IntentAnswer} */
  const after = await stripe.controller().call('retrieve', { kind, clientSecret: intent.client_secret });
  if (after.error) return { error: after.error };
  if (after.intent.status === 'requires_action') {
    // The challenge was closed while its page could not be reached, so nothing was decided.
    const code = `${kind}_authentication_failure`;
    return { error: { type: 'invalid_request_error', code, message: AUTHENTICATION_FAILED, [kind]: after.intent } };
  }
  return outcomeOf(kind, after.intent);
}
