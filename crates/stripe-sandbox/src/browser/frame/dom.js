// The nodes of the page, which are all there: it is the sandbox's own.

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (node);
}

/**
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function within(parent, selector) {
  const node = parent.querySelector(selector);
  if (!node) throw new Error(`the page has no ${selector}`);
  return /** @type {HTMLElement} */ (node);
}
