// confirmPayment and confirmSetup: by what a Payment Element holds, or by a payment method that there is already.
//
// Source: https://docs.stripe.com/js/payment_intents/confirm_payment

/**
 * @param {Stripe} stripe
 * @param {IntentKind} kind
 * @param {'confirmPayment' | 'confirmSetup'} method
 * @param {unknown} options
 * @returns {Promise<any>}
 */
async function confirmIntent(stripe, kind, method, options) {
  const where = `stripe.${method}()`;
  if (!isObject(options)) {
    throw new IntegrationError(`Missing value for ${where}: it should be called with an options object.`);
  }
  checkFields(options, CONFIRM_OPTIONS, where);
  const { confirmParams = {}, redirect = 'always' } = options;
  /** @type {Elements | undefined} */
  const elements = options.elements;
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
  const frame = frameOf(stripe, elements, confirmParams, where);
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

/** @type {Record<string, Check>} */
const CONFIRM_OPTIONS = {
  clientSecret: () => {},
  confirmParams: object,
  elements: (value, label) => {
    if (value instanceof Elements) return;
    throw new IntegrationError(
      `Invalid value for ${label}: elements should be the object that stripe.elements() returned.`,
    );
  },
  redirect: oneOf(['always', 'if_required']),
};

/**
 * The frame that holds what the intent is confirmed by.
 * @param {Stripe} stripe
 * @param {Elements | undefined} elements
 * @param {Fields} params
 * @param {string} where
 */
function frameOf(stripe, elements, params, where) {
  const { confirmation_token: token } = params;
  if (token !== undefined) unsupported(token, where, 'confirmParams.confirmation_token');
  if (params.payment_method) return stripe.controller();
  if (!elements) {
    if (params.payment_method_data) return stripe.controller();
    throw new IntegrationError(
      `Missing value for ${where}: you must pass elements, confirmParams.payment_method or ` +
        'confirmParams.payment_method_data.',
    );
  }
  const element = elements.mounted('payment');
  if (!element?.frame) {
    throw new IntegrationError(
      `Invalid value for ${where}: elements should have a mounted Payment Element or Express Checkout Element.`,
    );
  }
  if (!elements.clientSecret) elements.requireSubmit(where);
  checkBillingDetails(element, params.payment_method_data?.billing_details, 'confirmParams.payment_method_data.', where);
  return element.frame;
}

/**
 * That the page passes what it told the Payment Element not to ask for.
 * @param {StripeElement} element
 * @param {unknown} given the page's `billing_details`
 * @param {string} prefix where they stand among the arguments
 * @param {string} where
 */
function checkBillingDetails(element, given, prefix, where) {
  const { fields } = element.options;
  const never = neverAsked(fields?.card?.billingDetails ?? fields?.billingDetails);
  const details = isObject(given) ? given : {};
  for (const path of never) {
    const value = path.startsWith('address.') ? details.address?.[path.slice('address.'.length)] : details[path];
    if (value !== undefined) continue;
    throw new IntegrationError(
      `You specified "never" for fields.billing_details.${path} when creating the payment Element, but did not pass ` +
        `${prefix}billing_details.${path} when calling ${where}. If you opt out of collecting data via the payment ` +
        `Element using the fields option, the data must be passed in when calling ${where}.`,
    );
  }
}

/** The details that `fields.billingDetails` says never to ask for, by their names in the API. @param {any} asked */
function neverAsked(asked) {
  const address = (/** @type {any} */ of) =>
    ADDRESS.filter((name) => of === 'never' || of?.[name] === 'never').map(
      (name) => `address.${name === 'postalCode' ? 'postal_code' : name}`,
    );
  if (asked === 'never') return ['name', 'email', 'phone', ...address('never')];
  return [...['name', 'email', 'phone'].filter((name) => asked?.[name] === 'never'), ...address(asked?.address)];
}

/**
 * Where the customer goes after a payment with `redirect: 'always'`: the address, and the outcome as its query.
 * @param {string} returnUrl
 * @param {IntentKind} kind
 * @param {Intent} intent
 */
function returnAddress(returnUrl, kind, intent) {
  const url = new URL(returnUrl);
  url.searchParams.set(kind, intent.id);
  url.searchParams.set(`${kind}_client_secret`, intent.client_secret);
  const pending = ['processing', 'requires_action', 'requires_confirmation'].includes(intent.status);
  url.searchParams.set('redirect_status', pending ? 'pending' : 'succeeded');
  return url.href;
}
