// What is made of a card that was typed: a payment method, a token, or an intent confirmed by it.

const NOT_MOUNTED =
  'We could not retrieve data from the specified Element.\n' +
  'Please make sure the Element you are attempting to use is still mounted.';

/** @param {StripeElement} element */
function frameOfMounted(element) {
  if (!element.frame) throw new IntegrationError(NOT_MOUNTED);
  return element.frame;
}

/**
 * confirmCardPayment and confirmCardSetup.
 * @param {Stripe} stripe
 * @param {IntentKind} kind
 * @param {string} method
 * @param {unknown} secret
 * @param {Fields} [data]
 * @param {{handleActions?: boolean}} [options]
 * @returns {Promise<any>}
 */
async function confirmCard(stripe, kind, method, secret, data = {}, options = {}) {
  const intent = parseSecretOf(kind, secret, `stripe.${method}`);
  const { payment_method: paymentMethod, ...params } = data;
  const where = `stripe.${method}()`;
  if (params.payment_method_options?.card?.cvc !== undefined) {
    unsupported(undefined, where, 'payment_method_options.card.cvc');
  }
  const { frame, fields } = cardSource(stripe, paymentMethod, where);
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

/**
 * The frame that holds the card, and the parameters that name it.
 * @param {Stripe} stripe
 * @param {unknown} paymentMethod
 * @param {string} where
 */
function cardSource(stripe, paymentMethod, where) {
  if (paymentMethod === undefined) return { frame: stripe.controller(), fields: {} };
  if (typeof paymentMethod === 'string') {
    return { frame: stripe.controller(), fields: { payment_method: paymentMethod } };
  }
  const { card, ...rest } = isObject(paymentMethod) ? paymentMethod : /** @type {Fields} */ ({});
  if (card instanceof StripeElement) return { frame: frameOfMounted(card), fields: { payment_method_data: rest } };
  if (isObject(card) && typeof card.token === 'string') {
    const fields = { payment_method_data: { type: 'card', card: { token: card.token }, ...rest } };
    return { frame: stripe.controller(), fields };
  }
  throw new IntegrationError(
    `Invalid value for ${where}: payment_method should be a PaymentMethod id, or an object with a card Element.`,
  );
}

/**
 * `{elements, params}` for a Payment Element, `{element, params}` for either, or `{type: 'card', card, billing_details}`.
 * @param {Stripe} stripe
 * @param {unknown} data
 */
async function createPaymentMethod(stripe, data) {
  const where = 'stripe.createPaymentMethod()';
  const { elements, element, params = {}, ...rest } = isObject(data) ? data : /** @type {Fields} */ ({});
  if (elements instanceof Elements) {
    const payment = elements.mounted('payment');
    if (!payment) throw new IntegrationError(NOT_MOUNTED);
    if (elements.given.paymentMethodCreation !== 'manual') {
      // Documented to be required; the words are the sandbox's own.
      throw new IntegrationError(
        `Invalid value for ${where}: the Elements group has to be created with \`paymentMethodCreation: 'manual'\`.`,
      );
    }
    elements.requireSubmit(where);
    checkBillingDetails(payment, params.billing_details, 'params.', where);
    return frameOfMounted(payment).call('createPaymentMethod', params);
  }
  if (element instanceof StripeElement) return frameOfMounted(element).call('createPaymentMethod', params);
  if (rest.type === 'card' && rest.card instanceof StripeElement) {
    const { card, ...more } = rest;
    return frameOfMounted(card).call('createPaymentMethod', more);
  }
  if (rest.type === 'card' && typeof rest.card?.token === 'string') {
    return stripe.controller().call('createPaymentMethod', rest);
  }
  if (typeof rest.type === 'string' && rest.type !== 'card') {
    throw new IntegrationError(`${where}: the type ${rest.type} is not supported by the Stripe sandbox.`);
  }
  throw new IntegrationError(
    `Invalid value for ${where}: pass {elements}, or {type: 'card', card} with a card Element.`,
  );
}

/** @param {unknown} source @param {Fields} data */
async function createToken(source, data) {
  if (typeof source === 'string') {
    throw new IntegrationError(`stripe.createToken(): the type ${source} is not supported by the Stripe sandbox.`);
  }
  if (!(source instanceof StripeElement)) throw new IntegrationError(NOT_MOUNTED);
  return frameOfMounted(source).call('createToken', data);
}
