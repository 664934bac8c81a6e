// The `Stripe` global.

class Stripe {
  constructor(key, options = {}) {
    this.key = key;
    this.account = options.stripeAccount;
    this.pending = new Map();
  }

  /** The hidden frame through which every request without card entry goes. Made when first needed. */
  controller() {
    if (!this.controllerFrame || this.controllerFrame.failed) {
      this.controllerFrame?.remove();
      this.controllerFrame = new Frame('/elements/controller', { title: 'Stripe controller', hidden: true });
      const attach = () => document.body.append(this.controllerFrame.node);
      if (document.body) attach();
      else document.addEventListener('DOMContentLoaded', attach, { once: true });
      this.controllerFrame.call('init', { publishableKey: this.key });
    }
    return this.controllerFrame;
  }

  /** One confirmation of an intent at a time: a second click must not charge again. */
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

  async retrieve(kind, clientSecret) {
    const { error, intent } = await this.controller().call('retrieve', { kind, clientSecret });
    return error ? { error } : { [RESULT_NAME[kind]]: intent };
  }

  elements(options = {}) {
    return new Elements(this, options);
  }

  async confirmPayment(options) {
    return confirm(this, 'payment_intent', 'confirmPayment', options);
  }

  async confirmSetup(options) {
    return confirm(this, 'setup_intent', 'confirmSetup', options);
  }

  async confirmCardPayment(clientSecret, data, options) {
    return confirmCard(this, 'payment_intent', 'confirmCardPayment', clientSecret, data, options);
  }

  async confirmCardSetup(clientSecret, data, options) {
    return confirmCard(this, 'setup_intent', 'confirmCardSetup', clientSecret, data, options);
  }

  async handleCardAction(clientSecret) {
    parseSecretOf('payment_intent', clientSecret, 'stripe.handleCardAction');
    return this.handleNextAction({ clientSecret });
  }

  async handleNextAction(options) {
    const { id, kind } = parseClientSecret(options?.clientSecret, 'stripe.handleNextAction intent secret');
    return this.once(id, 'handleNextAction', async () => {
      const answer = await this.controller().call('retrieve', { kind, clientSecret: options.clientSecret });
      return followActions(this, kind, answer);
    });
  }

  async retrievePaymentIntent(clientSecret) {
    parseSecretOf('payment_intent', clientSecret, 'stripe.retrievePaymentIntent');
    return this.retrieve('payment_intent', clientSecret);
  }

  async retrieveSetupIntent(clientSecret) {
    parseSecretOf('setup_intent', clientSecret, 'stripe.retrieveSetupIntent');
    return this.retrieve('setup_intent', clientSecret);
  }

  /** Either `{elements, params}` for a Payment Element, or `{type: 'card', card, billing_details}`. */
  async createPaymentMethod(data) {
    let frame;
    let params;
    if (data?.elements instanceof Elements) {
      frame = data.elements.mounted('payment')?.frame;
      params = data.params ?? {};
    } else if (data?.type === 'card' && data.card instanceof StripeElement) {
      const { card, ...rest } = data;
      frame = card.frame;
      params = rest;
    } else {
      throw new IntegrationError(
        'Invalid value for stripe.createPaymentMethod(): pass {elements}, or {type: \'card\', card} with a card Element.',
      );
    }
    if (!frame) {
      throw new IntegrationError('We could not retrieve data from the specified Element.\n' +
        'Please make sure the Element you are attempting to use is still mounted.');
    }
    return frame.call('createPaymentMethod', params);
  }

  async createToken(element, data = {}) {
    if (!(element instanceof StripeElement) || !element.frame) {
      throw new IntegrationError('We could not retrieve data from the specified Element.\n' +
        'Please make sure the Element you are attempting to use is still mounted.');
    }
    return element.frame.call('createToken', data);
  }

  // The loaders and framework wrappers that Stripe publishes announce themselves with these.
  registerAppInfo() {}

  _registerWrapper() {}
}

function makeStripe(key, options) {
  checkPublishableKey(key);
  return new Stripe(key, options);
}

// Stripe's loader compares this with the release it was published for: 3, or the name of a release train.
makeStripe.version = RELEASE;

// A second copy of the script must not replace the one whose objects are in use.
if (!window.Stripe) window.Stripe = makeStripe;
