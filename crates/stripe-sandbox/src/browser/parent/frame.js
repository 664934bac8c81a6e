// An iframe of the sandbox's own origin, and the conversation with it. Every request to the sandbox's API
// is made inside such a frame, so the embedding page needs `script-src` and `frame-src` for the sandbox
// and nothing else, and never holds card data.

/** @type {StripeError} */
const CONNECTION_ERROR = {
  type: 'api_connection_error',
  message: 'We are experiencing issues connecting to our servers. Please check your connection and try again.',
};

/** @type {StripeError} */
const GONE = { type: 'invalid_request_error', message: 'The Element was taken out of the page before it could answer.' };

let frameCount = 0;

class Frame {
  /**
   * @param {string} path the page to load, on the sandbox's origin
   * @param {{title: string, hidden?: boolean}} look
   */
  constructor(path, { title, hidden = false }) {
    /** Why the frame can't answer. @type {StripeError | undefined} */
    this.failed = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.deadline = undefined;
    this.lastCall = 0;
    this.channel = `frame-${(frameCount += 1)}-${Math.random().toString(36).slice(2)}`;
    /** @type {Map<number, (result: any) => void>} */
    this.calls = new Map();
    /** @type {object[]} */
    this.queue = [];
    this.ready = false;
    /** What hears the frame's events. @type {(event: string, detail: any) => void} */
    this.listener = () => {};
    const url = new URL(path, SANDBOX_ORIGIN);
    // The frame speaks to this origin only; the browser drops its messages if the claim is false.
    url.searchParams.set('parent', window.location.origin);
    url.searchParams.set('channel', this.channel);
    this.node = document.createElement('iframe');
    this.node.title = title;
    this.node.name = `__sandboxStripe_${this.channel}`;
    this.node.setAttribute('allow', 'payment *');
    if (hidden) {
      this.node.setAttribute('aria-hidden', 'true');
      this.node.tabIndex = -1;
      setStyle(this.node, {
        position: 'absolute', width: '1px', height: '1px', opacity: '0', border: '0', pointerEvents: 'none',
        top: '0', left: '0',
      });
    }
    this.node.src = url.href;
    this.onMessage = this.onMessage.bind(this);
    window.addEventListener('message', this.onMessage);
    // A frame that could not be loaded fires `load` too (for the browser's error page), but never says hello.
    this.node.addEventListener('load', () => {
      this.deadline = setTimeout(() => this.ready || this.fail(CONNECTION_ERROR), 4000);
    });
  }

  /** @param {MessageEvent} message */
  onMessage({ origin, source, data }) {
    if (origin !== SANDBOX_ORIGIN || source !== this.node.contentWindow) return;
    if (!isObject(data) || data.channel !== this.channel) return;
    if (data.event === 'hello') {
      this.ready = true;
      this.failed = undefined;
      clearTimeout(this.deadline);
      this.queue.splice(0).forEach((message) => this.post(message));
      return;
    }
    if (data.event) {
      this.listener(data.event, data.detail ?? {});
      return;
    }
    const call = this.calls.get(data.answer);
    if (!call) return;
    this.calls.delete(data.answer);
    call(data.result);
  }

  /** @param {object} message */
  post(message) {
    if (!this.ready) {
      this.queue.push(message);
      return;
    }
    this.node.contentWindow?.postMessage({ channel: this.channel, ...message }, SANDBOX_ORIGIN);
  }

  /** Whether the page has taken the frame out of its document, by itself or with the nodes around it. */
  get detached() {
    return this.ready && !this.node.isConnected;
  }

  /**
   * Calls a method inside the frame. Resolves with its result, `{error}` included; never rejects.
   * @param {string} method
   * @param {unknown} [argument]
   * @returns {Promise<any>}
   */
  call(method, argument) {
    return new Promise((resolve) => {
      if (this.failed || this.detached) {
        resolve({ error: this.failed ?? GONE });
        return;
      }
      const id = (this.lastCall += 1);
      this.calls.set(id, resolve);
      this.post({ call: id, method, argument });
    });
  }

  /** @param {StripeError} error */
  fail(error) {
    this.failed = error;
    this.listener('loaderror', { error });
    for (const resolve of this.calls.values()) resolve({ error });
    this.calls.clear();
  }

  remove() {
    clearTimeout(this.deadline);
    window.removeEventListener('message', this.onMessage);
    this.node.remove();
    this.fail(GONE);
  }
}

/**
 * Assigning properties is allowed under a strict Content-Security-Policy; a style attribute is not.
 * @param {HTMLElement} node
 * @param {Style} style
 */
function setStyle(node, style) {
  Object.assign(node.style, style);
}
