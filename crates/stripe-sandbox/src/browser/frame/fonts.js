// The `fonts` option: fonts of the page's own, loaded into the frame.

/** @type {Set<string>} */
const loaded = new Set();

/**
 * @typedef {object} Font
 * @property {string} family
 * @property {string} src as in a font face's rule
 * @property {string} [style]
 * @property {string} [weight]
 * @property {string} [display]
 * @property {string} [unicodeRange]
 */

/** @param {Font[]} fonts */
export function loadFonts(fonts) {
  for (const font of fonts) {
    const key = JSON.stringify(font);
    // Those with a style sheet were refused by the page's script.
    if (!font.src || loaded.has(key)) continue;
    loaded.add(key);
    const { family, src, style, weight, unicodeRange } = font;
    const face = new FontFace(family, src, {
      style,
      weight,
      unicodeRange,
      display: /** @type {FontDisplay | undefined} */ (font.display),
    });
    document.fonts.add(face);
    face.load().catch(() => console.warn(`[Stripe.js] elements(): the font ${family} could not be loaded from ${src}.`));
  }
}
