// The `Stripe` global.

/** @typedef {Omit<StripeJs, typeof UNSUPPORTED_METHODS[number]>} SupportedStripe */

/** @implements {SupportedStripe} */
class Stripe {
  /** @param {string} key @param {Fields} options */
  constructor(key, options) {
    this.key = key;
    /** @type {string | undefined} */
    this.account = options.stripeAccount;
    /** @type {string | undefined} */
    this.apiVersion = options.apiVersion;
    /** @type {Map<string, string>} */
    this.pending = new Map();
    /** @type {Frame | undefined} */
    this.controllerFrame = undefined;
  }

  /** The hidden frame through which every request without card entry goes. Made when first needed. */
  controller() {
    if (this.controllerFrame && !this.controllerFrame.failed) return this.controllerFrame;
    this.controllerFrame?.remove();
    const frame = new Frame('/elements/controller', { title: 'Stripe controller', hidden: true });
    this.controllerFrame = frame;
    const attach = () => document.body.append(frame.node);
    if (document.body) attach();
    else document.addEventListener('DOMContentLoaded', attach, { once: true });
    frame.call('init', { publishableKey: this.key, account: this.account, apiVersion: this.apiVersion });
    return frame;
  }

  /**
   * One confirmation of an intent at a time: a second click must not charge again.
   * @param {string} id
   * @param {string} method
   * @param {() => Promise<any>} work
   */
  async once(id, method, work) {
    if (this.pending.has(id)) {
      throw new IntegrationError(
        `You have an in-flight ${this.pending.get(id)}()! Please be sure to disable your form submit button when ` +
          `${method}() is called.`,
      );
    }
    this.pending.set(id, method);
    try {
      return await work();
    } finally {
      this.pending.delete(id);
    }
  }

  /** @param {IntentKind} kind @param {unknown} clientSecret @returns {Promise<any>} */
  async retrieve(kind, clientSecret) {
    const { error, intent } = await this.controller().call('retrieve', { kind, clientSecret });
    return error ? { error } : resultOf(kind, intent);
  }

  /** @param {unknown} [options] */
  elements(options) {
    return new Elements(this, options);
  }

  /**
   * @overload
   * @param {{elements?: StripeElementsJs, clientSecret?: string, confirmParams?: Partial<ConfirmPaymentData>,
   *   redirect: 'if_required'}} options
   * @returns {Promise<PaymentIntentResult>}
   */
  /**
   * @overload
   * @param {{elements?: StripeElementsJs, clientSecret?: string, confirmParams: ConfirmPaymentData,
   *   redirect?: 'always'}} options
   * @returns {Promise<{error: StripeError}>} if at all: what succeeds leaves the page
   */
  /** @param {unknown} options */
  async confirmPayment(options) {
    return confirmIntent(this, 'payment_intent', 'confirmPayment', options);
  }

  /**
   * @overload
   * @param {{elements?: StripeElementsJs, clientSecret?: string, confirmParams?: Partial<ConfirmSetupData>,
   *   redirect: 'if_required'}} options
   * @returns {Promise<SetupIntentResult>}
   */
  /**
   * @overload
   * @param {{elements?: StripeElementsJs, clientSecret?: string, confirmParams: ConfirmSetupData,
   *   redirect?: 'always'}} options
   * @returns {Promise<{error: StripeError}>} if at all: what succeeds leaves the page
   */
  /** @param {unknown} options */
  async confirmSetup(options) {
    return confirmIntent(this, 'setup_intent', 'confirmSetup', options);
  }

  /** @type {StripeJs['confirmCardPayment']} */
  async confirmCardPayment(clientSecret, data, options) {
    return confirmCard(this, 'payment_intent', 'confirmCardPayment', clientSecret, data, options);
  }

  /** @type {StripeJs['confirmCardSetup']} */
  async confirmCardSetup(clientSecret, data, options) {
    return confirmCard(this, 'setup_intent', 'confirmCardSetup', clientSecret, data, options);
  }

  /** @param {string} clientSecret @returns {Promise<PaymentIntentResult>} */
  async handleCardAction(clientSecret) {
    parseSecretOf('payment_intent', clientSecret, 'stripe.handleCardAction');
    return /** @type {any} */ (this.handleNextAction({ clientSecret }));
  }

  /** @param {{clientSecret?: string, hashedValue?: string}} options @returns {Promise<IntentResult>} */
  async handleNextAction(options) {
    if (options?.hashedValue !== undefined) unsupported(undefined, 'stripe.handleNextAction()', 'hashedValue');
    const { id, kind, secret } = parseClientSecret(options?.clientSecret, 'stripe.handleNextAction intent secret');
    return this.once(id, 'handleNextAction', async () => {
      const answer = await this.controller().call('retrieve', { kind, clientSecret: secret });
      return followActions(this, kind, answer);
    });
  }

  /** @type {StripeJs['retrievePaymentIntent']} */
  async retrievePaymentIntent(clientSecret) {
    parseSecretOf('payment_intent', clientSecret, 'stripe.retrievePaymentIntent');
    return this.retrieve('payment_intent', clientSecret);
  }

  /** @type {StripeJs['retrieveSetupIntent']} */
  async retrieveSetupIntent(clientSecret) {
    parseSecretOf('setup_intent', clientSecret, 'stripe.retrieveSetupIntent');
    return this.retrieve('setup_intent', clientSecret);
  }

  /** @param {unknown} data @returns {Promise<import('@stripe/stripe-js').PaymentMethodResult>} */
  async createPaymentMethod(data) {
    return createPaymentMethod(this, data);
  }

  /** @param {unknown} source @param {any} [data] @returns {Promise<import('@stripe/stripe-js').TokenResult>} */
  async createToken(source, data = {}) {
    return createToken(source, data);
  }

  // The loaders and framework wrappers that Stripe publishes announce themselves with these.

  /** @param {import('@stripe/stripe-js').WrapperLibrary} _library */
  registerAppInfo(_library) {}

  /** @param {object} _wrapper */
  _registerWrapper(_wrapper) {}
}

refuseMethods(Stripe.prototype, [...UNSUPPORTED_METHODS, ...FORMER_METHODS], 'stripe');

/** @param {unknown} key @param {unknown} [options] */
function makeStripe(key, options = {}) {
  checkPublishableKey(key);
  requireObject(options, 'Stripe()');
  const given = /** @type {Fields} */ (options);
  checkFields(given, STRIPE_OPTIONS, 'Stripe()');
  return new Stripe(/** @type {string} */ (key), given);
}

// Stripe's loader compares this with the release it was published for: 3, or the name of a release train.
makeStripe.version = RELEASE;

// A second copy of the script must not replace the one whose objects are in use.
if (!window.Stripe) window.Stripe = /** @type {any} */ (makeStripe);
