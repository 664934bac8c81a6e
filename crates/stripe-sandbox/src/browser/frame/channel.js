// The frame's end of the conversation with the page that embeds it.

const query = new URLSearchParams(window.location.search);
const channel = query.get('channel');

// The embedding page says who it is; the browser delivers a message only to a page that really has
// that origin, and only messages from that origin and that window are listened to. A false claim gets silence.
const parentOrigin = (() => {
  try {
    const { protocol, origin } = new URL(query.get('parent') ?? '');
    return ['http:', 'https:'].includes(protocol) ? origin : null;
  } catch {
    return null;
  }
})();

export const embedded = window.parent !== window && parentOrigin !== null && channel !== null;

/** @param {string} event @param {object} [detail] */
export function emit(event, detail) {
  if (embedded && parentOrigin) window.parent.postMessage({ channel, event, detail }, parentOrigin);
}

/**
 * Answers the embedding page's calls with `methods`, and lets it know that they can be called.
 * @param {Record<string, (argument: any) => any>} methods
 */
export function serve(methods) {
  if (!embedded || !parentOrigin) return;
  window.addEventListener('message', async ({ origin, source, data }) => {
    if (origin !== parentOrigin || source !== window.parent) return;
    if (data === null || typeof data !== 'object' || data.channel !== channel) return;
    if (!Object.hasOwn(methods, data.method)) return;
    let result;
    try {
      result = (await methods[data.method](data.argument)) ?? {};
    } catch (error) {
      console.error(error);
      result = { error: { type: 'api_error', message: 'An unexpected error occurred in the sandbox. See the console.' } };
    }
    window.parent.postMessage({ channel, answer: data.call, result }, parentOrigin);
  });
  emit('hello');
}

let reporting = false;

/**
 * Reports to the embedding page how high the document is, now and whenever that changes.
 * @param {Element} node
 */
export function reportHeight(node) {
  /** @type {number | undefined} */
  let last;
  if (reporting) return;
  reporting = true;
  const report = () => {
    const height = node.getBoundingClientRect().height;
    if (height === last) return;
    last = height;
    emit('resize', { height });
  };
  new ResizeObserver(report).observe(node);
  report();
}
