// One Element: a node of the page with a frame inside it.

const ELEMENTS = {
  payment: { path: '/elements/payment', title: 'Secure payment input frame', height: 202 },
  card: { path: '/elements/card', title: 'Secure card payment input frame', height: 62 },
};

const EVENTS = ['ready', 'change', 'focus', 'blur', 'escape', 'loaderror', 'loaderstart', 'click'];

/**
 * The plain colour the Element stands on, if there is one. The frame paints it too: text is then smoothed
 * as on the page, and tools that measure contrast see what is behind it.
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
  constructor(type, group, options) {
    this.type = type;
    this.group = group;
    this.options = options;
    this.listeners = new Map();
    this.refresh = this.refresh.bind(this);
  }

  /** Has the frame follow what it is shown with: options, appearance, the colours of the page around it. */
  refresh() {
    // A page may drop the nodes around an Element and never call unmount().
    if (this.frame?.detached) this.unmount();
    this.frame?.call('update', this.settings());
  }

  // Wrappers of Stripe.js (Vue's and React's) tell Elements apart by this name.
  get _elementType() {
    return this.type;
  }

  mount(target) {
    if (this.destroyed) {
      throw new IntegrationError('This Element has already been destroyed. Please create a new one.');
    }
    const node = this.findTarget(target);
    if (this.frame) {
      if (this.parentNode === node) return;
      throw new IntegrationError(
        'This Element is already mounted. Use `unmount()` to unmount the Element before re-mounting.',
      );
    }
    const { path, title, height } = ELEMENTS[this.type];
    this.parentNode = node;
    DARK_MODE.addEventListener('change', this.refresh);
    this.state = undefined;
    this.frame = new Frame(path, { title });
    this.frame.listener = (event, detail) => this.onFrameEvent(event, detail);
    // The frame draws focus rings outside its fields: 4 px of bleed keep them from being cut.
    setStyle(this.frame.node, {
      display: 'block', border: '0', margin: '-4px', padding: '0', width: 'calc(100% + 8px)', minWidth: 'calc(100% + 8px)',
      maxWidth: 'none', height: `${height}px`, background: 'transparent', overflow: 'hidden', userSelect: 'none',
      // A frame whose colour scheme differs from its document's is painted on an opaque canvas.
      colorScheme: this.group.appearance?.theme === 'night' ? 'dark' : 'light',
    });
    this.frame.node.setAttribute('scrolling', 'no');
    node.replaceChildren(this.frame.node);
    node.classList.add('StripeElement');
    this.emit('loaderstart', {});
    const { frame } = this;
    frame.call('init', this.settings()).then((result) => {
      if (result.error && this.frame === frame) this.emit('loaderror', { error: result.error });
    });
  }

  findTarget(target) {
    if (target === undefined || target === null || target === '') {
      throw new IntegrationError('Missing argument. Make sure to call mount() with a valid DOM element or selector.');
    }
    if (target.nodeType === 1) {
      if (!target.isConnected) console.warn('The DOM node passed to mount() is not in the document.');
      return target;
    }
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
    return {
      publishableKey: this.group.publishableKey,
      clientSecret: this.group.clientSecret,
      mode: this.group.mode,
      setupFutureUsage: this.group.setupFutureUsage,
      appearance: this.group.appearance,
      surface: surfaceBehind(this.parentNode),
      options: this.options,
    };
  }

  onFrameEvent(event, detail) {
    if (event === 'resize') {
      setStyle(this.frame.node, { height: `${Math.ceil(detail.height)}px` });
      return;
    }
    if (event === 'scheme') {
      setStyle(this.frame.node, { colorScheme: detail.scheme });
      return;
    }
    if (event === 'enter') {
      // Enter in a card field sends the form around the Element, as it would from a field of the page.
      this.parentNode.closest('form')?.requestSubmit();
      return;
    }
    if (event === 'change') {
      this.state = detail;
      const { classList } = this.parentNode;
      classList.toggle('StripeElement--empty', detail.empty);
      classList.toggle('StripeElement--complete', detail.complete);
      classList.toggle('StripeElement--invalid', Boolean(detail.error));
    }
    if (event === 'focus' || event === 'blur') {
      this.parentNode.classList.toggle('StripeElement--focus', event === 'focus');
    }
    this.emit(event, detail);
  }

  emit(event, detail) {
    const payload = { elementType: this.type, ...detail };
    for (const entry of [...(this.listeners.get(event) ?? [])]) {
      if (entry.once) this.off(event, entry.handler);
      entry.handler(payload);
    }
  }

  on(event, handler, { once = false } = {}) {
    if (!EVENTS.includes(event)) {
      console.warn(`Unrecognized event "${event}" for the ${this.type} Element.`);
    }
    if (typeof handler !== 'function') {
      throw new IntegrationError(`Missing handler for event "${event}": it should be a function.`);
    }
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), { handler, once }]);
    return this;
  }

  addListener(event, handler) {
    return this.on(event, handler);
  }

  once(event, handler) {
    return this.on(event, handler, { once: true });
  }

  off(event, handler) {
    const kept = (this.listeners.get(event) ?? []).filter((entry) => handler && entry.handler !== handler);
    this.listeners.set(event, kept);
    return this;
  }

  removeListener(event, handler) {
    return this.off(event, handler);
  }

  update(options) {
    if (!isObject(options)) {
      throw new IntegrationError('Invalid value for element.update(): options should be an object.');
    }
    this.options = { ...this.options, ...options };
    this.refresh();
  }

  focus() {
    this.requireFrame('focus').node.focus();
    this.frame.call('focus');
  }

  blur() {
    this.requireFrame('blur').call('blur');
  }

  clear() {
    this.requireFrame('clear').call('clear');
  }

  collapse() {
    this.requireFrame('collapse').call('collapse');
  }

  requireFrame(method) {
    if (!this.frame) {
      throw new IntegrationError(`Cannot call ${method}() on an Element that is not mounted. Call mount() first.`);
    }
    return this.frame;
  }

  unmount() {
    if (!this.frame) return;
    DARK_MODE.removeEventListener('change', this.refresh);
    const states = ['', '--empty', '--complete', '--invalid', '--focus'];
    this.parentNode.classList.remove(...states.map((state) => `StripeElement${state}`));
    const { frame } = this;
    this.frame = undefined;
    this.parentNode = undefined;
    frame.listener = () => {};
    frame.remove();
  }

  destroy() {
    this.unmount();
    this.destroyed = true;
    this.group.remove(this);
  }
}
