// One Element: a node of the page with a frame inside it.

/** @satisfies {Record<ElementName, object>} */
const ELEMENTS = {
  payment: {
    path: '/elements/payment',
    title: 'Secure payment input frame',
    height: 202,
    options: PAYMENT_OPTIONS,
    events: [
      'ready', 'change', 'focus', 'blur', 'escape', 'loaderror', 'loaderstart', 'carddetailschange',
      'availablepaymentmethodschange', 'savedpaymentmethodupdate', 'savedpaymentmethodremove',
    ],
  },
  card: {
    path: '/elements/card',
    title: 'Secure card payment input frame',
    height: 62,
    options: CARD_OPTIONS,
    events: ['ready', 'change', 'focus', 'blur', 'escape', 'loaderror', 'networkschange'],
  },
};

/** @typedef {{handler: (event: any) => any, once: boolean}} Listener */

/**
 * The plain colour the Element stands on, if there is one. The frame paints it too: text is then smoothed
 * as on the page, and tools that measure contrast see what is behind it.
 * @param {Element | null} node
 */
function surfaceBehind(node) {
  for (let parent = node; parent; parent = parent.parentElement) {
    const { backgroundColor, backgroundImage } = getComputedStyle(parent);
    if (backgroundImage !== 'none') return undefined;
    const [red, green, blue, alpha = '1'] = backgroundColor.match(/[\d.]+/g) ?? [];
    if (!backgroundColor.startsWith('rgb')) return undefined;
    if (Number(alpha) === 1) return `rgb(${red}, ${green}, ${blue})`;
    if (Number(alpha) > 0) return undefined;
  }
  return undefined;
}

class StripeElement {
  /**
   * @param {ElementName} type
   * @param {Elements} group
   * @param {Fields} options
   */
  constructor(type, group, options) {
    this.type = type;
    this.group = group;
    this.options = options;
    /** @type {Map<string, Listener[]>} */
    this.listeners = new Map();
    /** @type {Frame | undefined} */
    this.frame = undefined;
    /** @type {HTMLElement | undefined} */
    this.parentNode = undefined;
    this.destroyed = false;
    this.refresh = this.refresh.bind(this);
  }

  /** Has the frame follow what it is shown with: options, appearance, the colours of the page around it. */
  async refresh() {
    // A page may drop the nodes around an Element and never call unmount().
    if (this.frame?.detached) this.unmount();
    await this.frame?.call('update', this.settings());
  }

  // Wrappers of Stripe.js (Vue's and React's) tell Elements apart by this name.
  get _elementType() {
    return this.type;
  }

  /** @param {string | HTMLElement} target */
  mount(target) {
    this.checkAlive();
    const node = this.findTarget(target);
    if (this.frame?.detached) this.unmount();
    if (this.frame) {
      if (this.parentNode === node) return;
      throw new IntegrationError(
        'This Element is already mounted. Use `unmount()` to unmount the Element before re-mounting.',
      );
    }
    const { path, title, height } = ELEMENTS[this.type];
    this.parentNode = node;
    DARK_MODE.addEventListener('change', this.refresh);
    const frame = new Frame(path, { title });
    this.frame = frame;
    frame.listener = (event, detail) => this.onFrameEvent(event, detail);
    // The frame draws focus rings outside its fields: 4 px of bleed keep them from being cut.
    setStyle(frame.node, {
      display: 'block', border: '0', margin: '-4px', padding: '0', width: 'calc(100% + 8px)',
      minWidth: 'calc(100% + 8px)', maxWidth: 'none', height: `${height}px`, background: 'transparent',
      overflow: 'hidden', userSelect: 'none',
      // A frame whose colour scheme differs from its document's is painted on an opaque canvas.
      colorScheme: this.group.given.appearance?.theme === 'night' ? 'dark' : 'light',
    });
    frame.node.setAttribute('scrolling', 'no');
    node.replaceChildren(frame.node);
    node.classList.add(...this.classesOf('base'));
    frame.call('init', this.settings()).then((result) => {
      if (result.error && this.frame === frame) this.emit('loaderror', { error: result.error });
    });
  }

  /** @param {string | HTMLElement} target @returns {HTMLElement} */
  findTarget(target) {
    if (target === undefined || target === null || target === '') {
      throw new IntegrationError('Missing argument. Make sure to call mount() with a valid DOM element or selector.');
    }
    if (typeof target === 'object' && target.nodeType === 1) {
      if (!target.isConnected) console.warn('The DOM node passed to mount() is not in the document.');
      return target;
    }
    /** @type {NodeListOf<HTMLElement>} */
    const found = document.querySelectorAll(String(target));
    if (found.length === 0) {
      throw new IntegrationError(
        `The selector you specified (${target}) applies to no DOM elements that are currently on the page.\n` +
          'Make sure the element exists on the page before calling mount().',
      );
    }
    if (found.length > 1) {
      console.warn(`The selector you specified (${target}) applies to ${found.length} DOM elements; the first is used.`);
    }
    return found[0];
  }

  settings() {
    return { ...this.group.settings(), surface: surfaceBehind(this.parentNode ?? null), options: this.options };
  }

  /**
   * The classes of the node around the Element in one of its states; `classes` of the Card Element renames them.
   * @param {'base' | 'empty' | 'complete' | 'invalid' | 'focus'} state
   * @returns {string[]}
   */
  classesOf(state) {
    const usual = state === 'base' ? 'StripeElement' : `StripeElement--${state}`;
    return (this.options.classes?.[state] ?? usual).split(/\s+/).filter(Boolean);
  }

  /** @param {'empty' | 'complete' | 'invalid' | 'focus'} state @param {boolean} on */
  toggleState(state, on) {
    for (const name of this.classesOf(state)) this.parentNode?.classList.toggle(name, on);
  }

  /** @param {string} event @param {any} detail */
  onFrameEvent(event, detail) {
    if (event === 'resize' && this.frame) {
      setStyle(this.frame.node, { height: `${Math.ceil(detail.height)}px` });
    } else if (event === 'scheme' && this.frame) {
      setStyle(this.frame.node, { colorScheme: detail.scheme });
    } else if (event === 'enter') {
      // Enter in a card field sends the form around the Element, as it would from a field of the page.
      this.parentNode?.closest('form')?.requestSubmit();
    } else if (event !== 'loaderror') {
      // Of what didn't load, the answer to `init` tells.
      if (event === 'change') {
        this.toggleState('empty', detail.empty);
        this.toggleState('complete', detail.complete);
        this.toggleState('invalid', Boolean(detail.error));
      }
      if (event === 'focus' || event === 'blur') this.toggleState('focus', event === 'focus');
      if (ELEMENTS[this.type].events.includes(event)) this.emit(event, detail);
    }
  }

  /** @param {string} event @param {object} detail */
  emit(event, detail) {
    const payload = { elementType: this.type, ...detail };
    for (const entry of [...(this.listeners.get(event) ?? [])]) {
      if (entry.once) this.off(event, entry.handler);
      entry.handler(payload);
    }
  }

  /** @param {string} event @param {(event: any) => any} handler @returns {this} */
  on(event, handler) {
    return this.listen(event, handler, false);
  }

  /** @param {string} event @param {(event: any) => any} handler @returns {this} */
  once(event, handler) {
    return this.listen(event, handler, true);
  }

  /** @param {string} event @param {(event: any) => any} handler @param {boolean} once */
  listen(event, handler, once) {
    if (!ELEMENTS[this.type].events.includes(event)) {
      warnOnce(`Unrecognized event "${event}" for the ${this.type} Element.`);
    }
    if (typeof handler !== 'function') {
      throw new IntegrationError(`Missing handler for event "${event}": it should be a function.`);
    }
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), { handler, once }]);
    return this;
  }

  /** @param {string} event @param {(event: any) => any} [handler] all of the event's without one @returns {this} */
  off(event, handler) {
    const kept = (this.listeners.get(event) ?? []).filter((entry) => handler && entry.handler !== handler);
    this.listeners.set(event, kept);
    return this;
  }

  /** @param {string} event @param {(event: any) => any} handler */
  addListener(event, handler) {
    return this.on(event, handler);
  }

  /** @param {string} event @param {(event: any) => any} [handler] */
  removeListener(event, handler) {
    return this.off(event, handler);
  }

  /** @param {Fields} options @returns {this} */
  update(options) {
    this.checkAlive();
    requireObject(options, 'element.update()');
    checkFields(options, ELEMENTS[this.type].options, 'element.update()');
    this.options = { ...this.options, ...options };
    this.refresh();
    return this;
  }

  focus() {
    const frame = this.requireFrame('focus');
    frame.node.focus();
    frame.call('focus');
  }

  blur() {
    this.requireFrame('blur').call('blur');
  }

  clear() {
    this.requireFrame('clear').call('clear');
  }

  /** @param {string} method */
  requireFrame(method) {
    this.checkAlive();
    if (!this.frame) {
      throw new IntegrationError(`Cannot call ${method}() on an Element that is not mounted. Call mount() first.`);
    }
    return this.frame;
  }

  checkAlive() {
    if (this.destroyed) {
      throw new IntegrationError('This Element has already been destroyed. Please create a new one.');
    }
  }

  unmount() {
    const { frame, parentNode } = this;
    if (!frame) return;
    DARK_MODE.removeEventListener('change', this.refresh);
    for (const state of /** @type {const} */ (['base', 'empty', 'complete', 'invalid', 'focus'])) {
      parentNode?.classList.remove(...this.classesOf(state));
    }
    this.frame = undefined;
    this.parentNode = undefined;
    frame.listener = () => {};
    frame.remove();
  }

  destroy() {
    this.checkAlive();
    this.unmount();
    this.destroyed = true;
    this.group.remove(this);
  }
}

/** @implements {CardElementJs} */
class CardElement extends StripeElement {}

/** @implements {PaymentElementJs} */
class PaymentElement extends StripeElement {
  collapse() {
    this.requireFrame('collapse').call('collapse');
    return this;
  }

  /** @param {Fields} options */
  update(options) {
    requireObject(options, 'element.update()');
    const kept = { ...options };
    for (const name of FIXED_PAYMENT_OPTIONS) dropFixed(kept, name, name);
    if (isObject(kept.layout)) {
      kept.layout = { ...kept.layout };
      for (const name of FIXED_LAYOUT_FIELDS) dropFixed(kept.layout, name, `layout.${name}`);
    }
    return super.update(kept);
  }
}

/** @param {Fields} options @param {string} name @param {string} path */
function dropFixed(options, name, path) {
  if (options[name] === undefined) return;
  delete options[name];
  warnOnce(`element.update(): ${path} can't be changed once the Element has been created.`);
}
