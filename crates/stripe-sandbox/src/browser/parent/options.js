// The options of Stripe(), of a group of Elements and of each Element: what Stripe's own types have, and what becomes of
// it here. `end2end/stripe-js` holds the names to those types.

const LOCALES = /** @type {const} @satisfies {readonly import('@stripe/stripe-js').StripeElementLocale[]} */ ([
  'auto', 'ar', 'bg', 'cs', 'da', 'de', 'el', 'en', 'en-AU', 'en-CA', 'en-NZ', 'en-GB', 'es', 'es-ES', 'es-419', 'et',
  'fi', 'fil', 'fr', 'fr-CA', 'fr-FR', 'he', 'hu', 'hr', 'id', 'it', 'it-IT', 'ja', 'ko', 'lt', 'lv', 'ms', 'mt', 'nb',
  'nl', 'no', 'pl', 'pt', 'pt-BR', 'ro', 'ru', 'sk', 'sl', 'sv', 'th', 'tr', 'vi', 'zh', 'zh-HK', 'zh-TW',
]);

/** @type {Check} */
const locale = (value, label, path) => {
  oneOf(LOCALES)(value, label, path);
  if (value === 'auto' || String(value).startsWith('en')) return;
  warnOnce(`${label}: the Stripe sandbox's Elements are in English; ${path} ${value} has no effect.`);
};

/** @satisfies {Record<keyof import('@stripe/stripe-js').StripeConstructorOptions, Check>} */
const STRIPE_OPTIONS = {
  apiVersion: text,
  betas: unsupported,
  developerTools: withoutEffect(object, 'it has no assistant'),
  locale,
  stripeAccount: text,
};

/** @satisfies {Record<keyof import('@stripe/stripe-js').Appearance, Check>} */
const APPEARANCE = {
  disableAnimations: flag,
  inputs: oneOf(['spaced', 'condensed']),
  labels: oneOf(['auto', 'above', 'floating']),
  rules: object,
  theme: oneOf(['stripe', 'night', 'flat', 'none']),
  variables: object,
};

/** @type {Check} */
const font = (value, label, path) => {
  if (isObject(value) && 'cssSrc' in value) {
    // Its frame loads no style sheet but its own.
    warnOnce(`${label}: ${path}.cssSrc is not supported by the Stripe sandbox; give the font's family and src.`);
    return;
  }
  shape({ display: text, family: text, src: text, style: text, unicodeRange: text, weight: text })(value, label, path);
  for (const name of ['family', 'src']) text(/** @type {Fields} */ (value)[name], label, `${path}.${name}`);
};

const FUTURE_USAGE = orNull(oneOf(['off_session', 'on_session']));
const CAPTURE_METHOD = oneOf(['manual', 'automatic', 'automatic_async']);

/** Of methods other than cards, which are never shown, any option will do. @type {Check} */
const paymentMethodOptions = (value, label, path) => {
  object(value, label, path);
  const { card } = /** @type {Fields} */ (value);
  if (card === undefined) return;
  const fields = {
    require_cvc_recollection: withoutEffect(flag, 'it shows no saved cards'),
    setup_future_usage: oneOf(['none', 'off_session', 'on_session']),
  };
  shape(fields)(card, label, `${path}.card`);
};

/** With a client secret or without. */
const COMMON = {
  appearance: shape(APPEARANCE),
  customPaymentMethods: unsupported,
  customerOptions: unsupported,
  customerSessionClientSecret: unsupported,
  fonts: listOf(font),
  loader: oneOf(['auto', 'always', 'never']),
  locale,
  paymentMethodCreation: oneOf(['manual']),
  syncAddressCheckbox: withoutEffect(oneOf(['billing', 'shipping', 'none']), 'it has no Address Element'),
};

/** @satisfies {Record<keyof import('@stripe/stripe-js').StripeElementsOptionsClientSecret, Check>} */
const OF_A_SECRET = {
  ...COMMON,
  clientSecret: (value) => void parseClientSecret(value, 'elements(): clientSecret'),
  currency: withoutEffect(text, 'its intents have their own'),
  mode: () => {
    throw new IntegrationError('Invalid value for elements(): pass either `clientSecret` or `mode`, not both.');
  },
};

/** @satisfies {Record<KeysOfUnion<import('@stripe/stripe-js').StripeElementsOptionsMode>, Check>} */
const OF_A_MODE = {
  ...COMMON,
  adaptivePricing: unsupported,
  allowedPaymentMethodTypes: listOf(text),
  amount: expecting('a positive integer', (value) => Number.isInteger(value) && value >= 0),
  captureMethod: CAPTURE_METHOD,
  capture_method: CAPTURE_METHOD,
  clientSecret: OF_A_SECRET.mode,
  currency: expecting('a three-letter code', (value) => typeof value === 'string' && /^[a-z]{3}$/i.test(value)),
  excludedPaymentMethodTypes: listOf(text),
  externalPaymentMethodTypes: unsupported,
  mode: oneOf(['payment', 'setup', 'subscription']),
  onBehalfOf: unsupported,
  on_behalf_of: unsupported,
  paymentMethodConfiguration: unsupported,
  paymentMethodOptions,
  payment_method_configuration: unsupported,
  payment_method_options: paymentMethodOptions,
  setupFutureUsage: FUTURE_USAGE,
  setup_future_usage: FUTURE_USAGE,
};

/** `paymentMethodTypes` is documented, and missing from Stripe's types. */
const DEFERRED = { ...OF_A_MODE, paymentMethodTypes: listOf(text) };

/** @satisfies {Record<keyof import('@stripe/stripe-js').StripeElementsUpdateOptions, Check>} */
const GROUP_UPDATES = {
  allowedPaymentMethodTypes: OF_A_MODE.allowedPaymentMethodTypes,
  amount: OF_A_MODE.amount,
  appearance: COMMON.appearance,
  captureMethod: CAPTURE_METHOD,
  capture_method: CAPTURE_METHOD,
  currency: OF_A_MODE.currency,
  customPaymentMethods: unsupported,
  customerSessionClientSecret: unsupported,
  excludedPaymentMethodTypes: OF_A_MODE.excludedPaymentMethodTypes,
  fonts: COMMON.fonts,
  locale,
  mode: OF_A_MODE.mode,
  onBehalfOf: unsupported,
  on_behalf_of: unsupported,
  paymentMethodConfiguration: unsupported,
  payment_method_configuration: unsupported,
  setupFutureUsage: FUTURE_USAGE,
  setup_future_usage: FUTURE_USAGE,
};

const FIELD = oneOf(['auto', 'never']);
const ADDRESS = ['country', 'postalCode', 'state', 'city', 'line1', 'line2'];

const billingDetailsFields = nameOrShape(FIELD, {
  name: FIELD,
  email: FIELD,
  phone: FIELD,
  address: nameOrShape(
    oneOf(['auto', 'never', 'if_required']),
    Object.fromEntries(ADDRESS.map((name) => [name, FIELD])),
  ),
});

/** Of methods other than cards, which are never shown, any will do. @type {Check} */
const fieldsOption = (value, label, path) => {
  object(value, label, path);
  const { billingDetails, card } = /** @type {Fields} */ (value);
  if (billingDetails !== undefined) billingDetailsFields(billingDetails, label, `${path}.billingDetails`);
  if (card !== undefined) shape({ billingDetails: billingDetailsFields })(card, label, `${path}.card`);
};

const LAYOUT = oneOf(['tabs', 'accordion', 'auto']);
const BILLING_DETAILS = shape({
  name: text,
  email: text,
  phone: text,
  address: shape({ country: text, postal_code: text, state: text, city: text, line1: text, line2: text }),
});

/** @satisfies {Record<keyof import('@stripe/stripe-js').LayoutObject, Check>} */
const LAYOUT_FIELDS = {
  type: LAYOUT,
  defaultCollapsed: flag,
  paymentMethodLogoPosition: oneOf(['start', 'end']),
  radios: (value, label, path) => {
    if (typeof value !== 'boolean') oneOf(['auto', 'never', 'always', 'if_multiple'])(value, label, path);
  },
  spacedAccordionItems: flag,
  visibleAccordionItemsCount: expecting('a number', Number.isInteger),
};

const WALLET = oneOf(['auto', 'never']);
const TERM = oneOf(['auto', 'always', 'never']);
const TERMS = [
  'applePay', 'auBecsDebit', 'bancontact', 'card', 'cashapp', 'googlePay', 'ideal', 'klarna', 'paypal', 'sepaDebit',
  'sofort', 'usBankAccount',
];

/** @satisfies {Record<keyof import('@stripe/stripe-js').StripePaymentElementOptions, Check>} */
const PAYMENT_OPTIONS = {
  applePay: withoutEffect(object, 'it offers cards only'),
  business: shape({ name: text }),
  defaultValues: shape({
    billingDetails: BILLING_DETAILS,
    card: withoutEffect(object, 'its cards have one network each'),
  }),
  fields: fieldsOption,
  layout: nameOrShape(LAYOUT, LAYOUT_FIELDS),
  paymentMethodOrder: listOf(text),
  readOnly: flag,
  terms: shape(Object.fromEntries(TERMS.map((name) => [name, TERM]))),
  walletOptions: withoutEffect(object, 'it offers cards only'),
  wallets: shape({ applePay: WALLET, googlePay: WALLET, link: WALLET }),
};

const CLASSES = { base: text, complete: text, empty: text, focus: text, invalid: text, webkitAutofill: text };

/** @satisfies {Record<keyof import('@stripe/stripe-js').StripeCardElementOptions, Check>} */
const CARD_OPTIONS = {
  classes: shape(CLASSES),
  disableLink: flag,
  disabled: flag,
  hideIcon: flag,
  hidePostalCode: flag,
  iconStyle: withoutEffect(oneOf(['default', 'solid']), 'it has one set of icons'),
  preferredNetwork: withoutEffect(listOf(text), 'its cards have one network each'),
  style: object,
  value: withoutEffect(shape({ postalCode: text }), 'it asks for no postal code'),
};

/** What can't be changed later. Source: https://docs.stripe.com/js/elements_object/update_payment_element */
const FIXED_PAYMENT_OPTIONS = ['wallets'];
const FIXED_LAYOUT_FIELDS = ['defaultCollapsed', 'paymentMethodLogoPosition'];
