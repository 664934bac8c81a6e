// Confirming intents and carrying them through what comes next. Results have Stripe.js's shapes:
// `{paymentIntent}`, `{setupIntent}` or `{error}`.

const RESULT_NAME = { payment_intent: 'paymentIntent', setup_intent: 'setupIntent' };

const AUTHENTICATION_FAILED =
  'We are unable to authenticate your payment method. Please choose a different payment method and try again.';

/** The result an intent stands for once there is nothing left for the customer to do. */
function outcomeOf(kind, intent) {
  const failure = kind === 'payment_intent' ? intent.last_payment_error : intent.last_setup_error;
  if (intent.status === 'requires_payment_method' && failure) {
    // The API's message is for the developer; Stripe.js has one for the customer.
    const message = failure.code === `${kind}_authentication_failure` ? AUTHENTICATION_FAILED : failure.message;
    return { error: { ...failure, message, [kind]: intent } };
  }
  return { [RESULT_NAME[kind]]: intent };
}

/** Takes the answer of a confirm call through 3D Secure, if that is what it asks for. */
async function followActions(stripe, kind, answer, { handleActions = true } = {}) {
  if (answer.error) return { error: answer.error };
  const { intent } = answer;
  if (!handleActions || intent.status !== 'requires_action') return outcomeOf(kind, intent);

  const action = intent.next_action;
  if (action?.type === 'redirect_to_url') {
    window.location.assign(action.redirect_to_url.url);
    return new Promise(() => {}); // The page is being left.
  }
  if (action?.type !== 'use_stripe_sdk') return { [RESULT_NAME[kind]]: intent };

  await showChallenge(stripe, kind, intent);
  const after = await stripe.controller().call('retrieve', { kind, clientSecret: intent.client_secret });
  if (after.error) return { error: after.error };
  if (after.intent.status === 'requires_action') {
    // The challenge was closed while its page could not be reached, so nothing was decided.
    const code = `${kind}_authentication_failure`;
    return { error: { type: 'invalid_request_error', code, message: AUTHENTICATION_FAILED, [kind]: after.intent } };
  }
  return outcomeOf(kind, after.intent);
}

/** confirmPayment and confirmSetup. */
async function confirm(stripe, kind, method, options) {
  const where = `stripe.${method}()`;
  if (!isObject(options)) {
    throw new IntegrationError(`Missing value for ${where}: it should be called with an options object.`);
  }
  const { elements, confirmParams = {}, redirect = 'always' } = options;
  if (!['always', 'if_required'].includes(redirect)) {
    throw new IntegrationError(
      `Invalid value for ${where}: redirect should be one of the following strings: always, if_required. ` +
        `You specified: ${shown(redirect)}.`,
    );
  }
  const secret = options.clientSecret ?? elements?.clientSecret;
  if (secret === undefined) {
    throw new IntegrationError(
      elements
        ? `Missing value for ${where}: clientSecret is required when Elements were created with a mode.`
        : `Missing value for ${where}: you must pass either elements or a clientSecret.`,
    );
  }
  const intent = parseSecretOf(kind, secret, `stripe.${method}`);
  checkReturnUrl(confirmParams.return_url, redirect, where);

  const element = elements?.mounted?.('payment');
  const typed = !confirmParams.payment_method && !confirmParams.confirmation_token;
  if (elements && typed && !element) {
    throw new IntegrationError(
      `Invalid value for ${where}: elements should have a mounted Payment Element or Express Checkout Element.`,
    );
  }
  if (!elements && typed && !confirmParams.payment_method_data) {
    throw new IntegrationError(
      `Missing value for ${where}: you must pass elements, confirmParams.payment_method or ` +
        'confirmParams.payment_method_data.',
    );
  }
  if (elements && typed && !elements.clientSecret && !elements.submitted) {
    throw new IntegrationError(
      'Your code should call elements.submit() immediately after customers press pay, prior to any asynchronous ' +
        `work or ${where} is called.`,
    );
  }

  const frame = typed && element ? element.frame : stripe.controller();
  const result = await stripe.once(intent.id, method, async () => {
    const answer = await frame.call('confirm', { ...intent, params: confirmParams });
    return followActions(stripe, kind, answer);
  });
  const done = result[RESULT_NAME[kind]];
  if (done && redirect === 'always') {
    window.location.assign(returnAddress(confirmParams.return_url, kind, done));
    return new Promise(() => {}); // The page is being left.
  }
  return result;
}

/** Where the customer goes after a payment with `redirect: 'always'`: the address, and the outcome as its query. */
function returnAddress(returnUrl, kind, intent) {
  const url = new URL(returnUrl);
  url.searchParams.set(kind, intent.id);
  url.searchParams.set(`${kind}_client_secret`, intent.client_secret);
  const pending = ['processing', 'requires_action', 'requires_confirmation'].includes(intent.status);
  url.searchParams.set('redirect_status', pending ? 'pending' : 'succeeded');
  return url.href;
}

/** confirmCardPayment and confirmCardSetup. */
async function confirmCard(stripe, kind, method, secret, data = {}, options = {}) {
  const intent = parseSecretOf(kind, secret, `stripe.${method}`);
  const { payment_method: paymentMethod, ...params } = data;
  const { frame, fields } = cardSource(stripe, paymentMethod, `stripe.${method}()`);
  return stripe.once(intent.id, method, async () => {
    if (paymentMethod === undefined) {
      // Without a payment method, an intent that waits for 3D Secure goes straight to it.
      const now = await stripe.controller().call('retrieve', { kind, clientSecret: secret });
      if (now.error || now.intent.status === 'requires_action') return followActions(stripe, kind, now, options);
    }
    const answer = await frame.call('confirm', { ...intent, params: { ...params, ...fields } });
    return followActions(stripe, kind, answer, options);
  });
}

/** The frame that holds the card, and the parameters that name it. */
function cardSource(stripe, paymentMethod, where) {
  if (paymentMethod === undefined) return { frame: stripe.controller(), fields: {} };
  if (typeof paymentMethod === 'string') {
    return { frame: stripe.controller(), fields: { payment_method: paymentMethod } };
  }
  const { card, ...rest } = isObject(paymentMethod) ? paymentMethod : {};
  if (card instanceof StripeElement) {
    const frame = card.frame;
    if (!frame) {
      throw new IntegrationError('We could not retrieve data from the specified Element.\n' +
        'Please make sure the Element you are attempting to use is still mounted.');
    }
    return { frame, fields: { payment_method_data: rest } };
  }
  if (isObject(card) && typeof card.token === 'string') {
    const fields = { payment_method_data: { type: 'card', card: { token: card.token }, ...rest } };
    return { frame: stripe.controller(), fields };
  }
  throw new IntegrationError(
    `Invalid value for ${where}: payment_method should be a PaymentMethod id, or an object with a card Element.`,
  );
}
