// A group of Elements that share a client secret (or a deferred intent) and a look.

/** Both spellings of an option have one place. */
const OTHER_SPELLING = {
  setup_future_usage: 'setupFutureUsage',
  capture_method: 'captureMethod',
  payment_method_options: 'paymentMethodOptions',
};

/** @implements {StripeElementsJs} */
class Elements {
  /** @param {Stripe} stripe @param {unknown} [options] */
  constructor(stripe, options = {}) {
    requireObject(options, 'elements()');
    const given = /** @type {Fields} */ (options);
    this.stripe = stripe;
    /** @type {Map<ElementName, PaymentElement | CardElement>} */
    this.members = new Map();
    /** What it was made and updated with. @type {Fields} */
    this.given = {};
    /** @type {Set<() => void>} */
    this.updateListeners = new Set();
    this.submitted = false;
    // Without a secret and a mode it is for the Card Element alone.
    const isDeferred = given.clientSecret === undefined && given.mode !== undefined;
    checkFields(given, isDeferred ? DEFERRED : OF_A_SECRET, 'elements()');
    this.take(given);
  }

  /** @returns {string | undefined} */
  get clientSecret() {
    return this.given.clientSecret;
  }

  /** @param {Fields} options */
  take(options) {
    const given = { ...this.given };
    for (const [name, value] of Object.entries(options)) if (value !== undefined) given[name] = value;
    for (const [other, name] of Object.entries(OTHER_SPELLING)) {
      if (options[other] !== undefined) given[name] = options[other];
    }
    this.checkDeferred(given);
    this.given = given;
  }

  /** @param {Fields} given */
  checkDeferred({ mode, amount, currency }) {
    if (mode === undefined || mode === 'setup') return;
    if (amount === undefined) {
      throw new IntegrationError(`Missing value for elements(): amount is required when mode is '${mode}'.`);
    }
    if (currency === undefined) {
      throw new IntegrationError('Missing value for elements(): currency should be a string.');
    }
  }

  /** What the frames of its Elements need to know of it. */
  settings() {
    const { given, stripe } = this;
    return {
      account: stripe.account,
      apiVersion: stripe.apiVersion,
      publishableKey: stripe.key,
      clientSecret: given.clientSecret,
      deferred: given.mode === undefined ? undefined : this.deferredIntent(),
      appearance: given.appearance,
      fonts: given.fonts,
      loader: given.loader,
    };
  }

  /** The intent that the page says it is going to make. */
  deferredIntent() {
    const { given } = this;
    const { mode, amount, currency, setupFutureUsage, captureMethod, paymentMethodOptions: options } = given;
    const allowed = given.allowedPaymentMethodTypes ?? given.paymentMethodTypes ?? ['card'];
    const excluded = given.excludedPaymentMethodTypes ?? [];
    return {
      mode,
      amount,
      currency: currency?.toLowerCase(),
      setupFutureUsage: options?.card?.setup_future_usage ?? setupFutureUsage,
      captureMethod,
      takesCards: allowed.includes('card') && !excluded.includes('card'),
    };
  }

  /**
   * @param {string} type
   * @param {unknown} [options]
   * @returns {any} an Element of that type
   */
  create(type, options = {}) {
    if (/** @type {readonly string[]} */ (UNSUPPORTED_ELEMENTS).includes(type)) {
      throw new IntegrationError(`elements.create(): the ${type} Element is not supported by the Stripe sandbox.`);
    }
    if (type !== 'payment' && type !== 'card') {
      throw new IntegrationError(
        `A valid Element name must be provided. Valid Elements are:\n  ${Object.keys(ELEMENTS).join(', ')}; ` +
          `you passed: ${shown(type)}.`,
      );
    }
    if (this.members.has(type)) {
      throw new IntegrationError(`Can only create one Element of type ${type}.`);
    }
    if (type === 'payment' && !this.clientSecret && !this.given.mode) {
      throw new IntegrationError(
        'In order to create a payment element, you must pass a clientSecret or mode when creating the Elements group.' +
          "\n\ne.g. stripe.elements({clientSecret: '{{CLIENT_SECRET}}'})",
      );
    }
    requireObject(options, 'elements.create()');
    const given = /** @type {Fields} */ (options);
    checkFields(given, ELEMENTS[type].options, 'create()');
    const element = type === 'payment' ? new PaymentElement(type, this, given) : new CardElement(type, this, given);
    this.members.set(type, element);
    return element;
  }

  /**
   * @param {unknown} type a name, or a component of a wrapper
   * @returns {any} the Element of that type, or null
   */
  getElement(type) {
    const name = isObject(type) || typeof type === 'function' ? /** @type {any} */ (type).__elementType : type;
    return this.members.get(name) ?? null;
  }

  /** @param {StripeElement} element */
  remove(element) {
    this.members.delete(element.type);
  }

  /**
   * Resolves once every Element shows it.
   * @param {Fields} options
   */
  async update(options = {}) {
    requireObject(options, 'elements.update()');
    if (options.clientSecret !== undefined) {
      throw new IntegrationError('elements.update(): the clientSecret cannot be changed. Create a new Elements group.');
    }
    if (this.clientSecret && options.mode !== undefined) {
      throw new IntegrationError('elements.update(): mode cannot be set on an Elements group with a clientSecret.');
    }
    /** @type {Fields} */
    const changes = {};
    for (const [name, value] of Object.entries(options)) {
      if (Object.hasOwn(DEFERRED, name) && !Object.hasOwn(GROUP_UPDATES, name) && value !== undefined) {
        if (value !== this.given[name]) warnOnce(`elements.update(): ${name} can't be changed.`);
      } else {
        changes[name] = value;
      }
    }
    checkFields(changes, GROUP_UPDATES, 'update()');
    this.take(changes);
    await Promise.all([...this.members.values()].map((element) => element.refresh()));
    for (const handler of this.updateListeners) handler();
  }

  /** @param {string} event @param {() => void} handler */
  on(event, handler) {
    if (event !== 'update-end') {
      throw new IntegrationError(`elements.on(): there is no event "${event}". Elements have update-end.`);
    }
    if (typeof handler !== 'function') {
      throw new IntegrationError(`Missing handler for event "${event}": it should be a function.`);
    }
    this.updateListeners.add(handler);
  }

  /**
   * Fetches the intent again, for pages that changed it on their server.
   * @returns {Promise<{error?: {message: string, status?: string}}>}
   */
  async fetchUpdates() {
    const { clientSecret } = this;
    if (!clientSecret) return {};
    const { kind } = parseClientSecret(clientSecret, 'elements.fetchUpdates()');
    const { error } = await this.stripe.controller().call('retrieve', { kind, clientSecret });
    if (error) return { error: { message: error.message, status: error.code ?? error.type } };
    await Promise.all([...this.members.values()].map((element) => element.frame?.call('fetchUpdates')));
    return {};
  }

  /**
   * Validates what was typed and shows what is missing.
   * @returns {Promise<{error: StripeError, selectedPaymentMethod?: undefined}
   *   | {selectedPaymentMethod: string, error?: undefined}>}
   */
  async submit() {
    const element = this.mounted('payment');
    if (!element?.frame) {
      throw new IntegrationError('elements.submit(): there is no mounted Payment Element to submit.');
    }
    const { error } = await element.frame.call('validate');
    this.submitted = !error;
    return error ? { error } : { selectedPaymentMethod: 'card' };
  }

  /**
   * That what was typed has been looked at, where no intent is there to look at it.
   * @param {string} where the call that needs it
   */
  requireSubmit(where) {
    if (this.submitted) return;
    throw new IntegrationError(
      `elements.submit() must be called before ${where}. Call elements.submit() as soon as your customer presses pay, ` +
        'prior to any asynchronous work. Integration guide: https://stripe.com/docs/payments/accept-a-payment-deferred',
    );
  }

  /** @param {ElementName} type */
  mounted(type) {
    const element = this.members.get(type);
    if (element?.frame?.detached) element.unmount();
    return element?.frame ? element : undefined;
  }
}
