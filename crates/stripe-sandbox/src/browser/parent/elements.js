// A group of Elements that share a client secret (or a deferred intent) and a look.

const MODES = ['payment', 'setup', 'subscription'];

class Elements {
  constructor(stripe, options = {}) {
    this.stripe = stripe;
    this.publishableKey = stripe.key;
    this.members = new Map();
    if (options.clientSecret !== undefined) {
      parseClientSecret(options.clientSecret, 'elements(): clientSecret');
      if (options.mode !== undefined) {
        throw new IntegrationError('Invalid value for elements(): pass either `clientSecret` or `mode`, not both.');
      }
    }
    if (options.mode !== undefined) this.checkDeferred(options);
    this.clientSecret = options.clientSecret;
    this.take(options);
  }

  checkDeferred({ mode, amount, currency }) {
    if (!MODES.includes(mode)) {
      throw new IntegrationError(
        `Invalid value for elements(): mode should be one of the following strings: ${MODES.join(', ')}. ` +
          `You specified: ${shown(mode)}.`,
      );
    }
    if (mode !== 'setup' && !(Number.isInteger(amount) && amount >= 0)) {
      throw new IntegrationError(
        amount === undefined
          ? `Missing value for elements(): amount is required when mode is '${mode}'.`
          : `Invalid value for elements(): amount should be a positive integer. You specified: ${shown(amount)}.`,
      );
    }
    if (mode !== 'setup' && !/^[a-z]{3}$/i.test(currency ?? '')) {
      throw new IntegrationError(
        currency === undefined
          ? 'Missing value for elements(): currency should be a string.'
          : `Invalid value for elements(): currency should be a three-letter code. You specified: ${shown(currency)}.`,
      );
    }
  }

  take({ appearance, mode, amount, currency, setupFutureUsage, locale }) {
    if (appearance !== undefined) this.appearance = appearance;
    if (mode !== undefined) this.mode = mode;
    if (amount !== undefined) this.amount = amount;
    if (currency !== undefined) this.currency = currency;
    if (setupFutureUsage !== undefined) this.setupFutureUsage = setupFutureUsage;
    if (locale !== undefined) this.locale = locale;
  }

  create(type, options = {}) {
    if (!Object.hasOwn(ELEMENTS, type)) {
      throw new IntegrationError(
        `A valid Element name must be provided. Valid Elements are:\n  ${Object.keys(ELEMENTS).join(', ')}; ` +
          `you passed: ${shown(type)}.`,
      );
    }
    if (this.members.has(type)) {
      throw new IntegrationError(`Can only create one Element of type ${type}.`);
    }
    if (type === 'payment' && !this.clientSecret && !this.mode) {
      throw new IntegrationError(
        'In order to create a payment element, you must pass a clientSecret or mode when creating the Elements group.' +
          "\n\ne.g. stripe.elements({clientSecret: '{{CLIENT_SECRET}}'})",
      );
    }
    const element = new StripeElement(type, this, options);
    this.members.set(type, element);
    return element;
  }

  getElement(type) {
    return this.members.get(typeof type === 'string' ? type : type?.type) ?? null;
  }

  remove(element) {
    this.members.delete(element.type);
  }

  update(options = {}) {
    if (options.clientSecret !== undefined) {
      throw new IntegrationError('elements.update(): the clientSecret cannot be changed. Create a new Elements group.');
    }
    if (this.clientSecret && options.mode !== undefined) {
      throw new IntegrationError('elements.update(): mode cannot be set on an Elements group with a clientSecret.');
    }
    if (!this.clientSecret && this.mode) {
      this.checkDeferred({ mode: this.mode, amount: this.amount, currency: this.currency, ...options });
    }
    this.take(options);
    for (const element of this.members.values()) element.refresh();
  }

  /** Fetches the intent again, for pages that changed it on their server. */
  async fetchUpdates() {
    if (!this.clientSecret) return {};
    const { kind } = parseClientSecret(this.clientSecret, 'elements.fetchUpdates()');
    const { error } = await this.stripe.retrieve(kind, this.clientSecret);
    if (error) return { error };
    for (const element of this.members.values()) element.refresh();
    return {};
  }

  /** Validates what was typed and shows what is missing. Resolves with `{error}` or what was chosen. */
  async submit() {
    const element = this.mounted('payment');
    if (!element) {
      throw new IntegrationError('elements.submit(): there is no mounted Payment Element to submit.');
    }
    const { error } = await element.frame.call('validate');
    this.submitted = !error;
    return error ? { error } : { selectedPaymentMethod: 'card' };
  }

  mounted(type) {
    const element = this.members.get(type);
    if (element?.frame?.detached) element.unmount();
    return element?.frame ? element : undefined;
  }
}
