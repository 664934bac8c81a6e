// The Appearance API, as far as a card form has use for it.
// Everything is set through the CSSOM, value by value, so nothing the page sends is parsed as a style sheet.
import { ALIASES, NOT_DRAWN, PROPERTY_OF } from './variables.js';

/** @typedef {import('./api.js').Fields} Fields */

const CLASSES = [
  'AccordionItem', 'Action', 'Block', 'BlockAction', 'BlockDivider', 'Button', 'Checkbox', 'CheckboxInput',
  'CheckboxLabel', 'CodeInput', 'Dropdown', 'DropdownItem', 'Error', 'Input', 'InputCloseIcon', 'InputDivider',
  'Label', 'Link', 'Menu', 'MenuAction', 'MenuIcon', 'PickerAction', 'PickerItem', 'RadioIcon', 'RadioIconInner',
  'RadioIconOuter', 'RedirectText', 'SecondaryLink', 'Switch', 'SwitchControl', 'Tab', 'TabIcon', 'TabLabel',
  'TermsLink', 'TermsText',
];

const STATES = '(:(hover|active|focus|focus-visible|disabled|autofill))*(::(placeholder|selection))?';
const SELECTOR = new RegExp(`^\\.(${CLASSES.join('|')})(--[a-z]+)*${STATES}$`);

const rules = new CSSStyleSheet();
document.adoptedStyleSheets = [rules];

/** @type {Set<string>} */
const warned = new Set();

/** @param {string} message */
function warn(message) {
  if (!warned.has(message)) console.warn(`[Stripe.js] elements(): ${message}`);
  warned.add(message);
}

/** @param {string} given @param {unknown} value */
function setVariable(given, value) {
  const name = /** @type {Record<string, string>} */ (ALIASES)[given] ?? given;
  const property = PROPERTY_OF.get(name);
  if (!property) {
    const known = /** @type {readonly string[]} */ (NOT_DRAWN).includes(name);
    if (!known) warn(`appearance.variables.${given} is not a supported variable.`);
  } else if (typeof value !== 'string' || !CSS.supports(property, value)) {
    warn(`appearance.variables.${given} is not a valid value: ${value}`);
  } else {
    document.documentElement.style.setProperty(`--${name}`, value);
  }
}

/** @param {string} name */
const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** @param {Record<string, Record<string, string>>} given */
function setRules(given) {
  rules.replaceSync('');
  for (const [selector, style] of Object.entries(given)) {
    if (!SELECTOR.test(selector)) {
      warn(`appearance.rules["${selector}"] is not a supported selector.`);
      continue;
    }
    const index = rules.insertRule(`${selector} {}`, rules.cssRules.length);
    const rule = /** @type {CSSStyleRule} */ (rules.cssRules[index]);
    for (const [name, value] of Object.entries(style)) {
      if (CSS.supports(kebab(name), String(value))) rule.style.setProperty(kebab(name), value);
      else warn(`appearance.rules["${selector}"].${name} is not a supported property, or not a valid value: ${value}`);
    }
  }
}

/** The older `style` option of the Card Element, in terms of the same variables. @param {Fields} style */
function variablesOfStyle({ base = {}, invalid = {} }) {
  const variables = {
    colorText: base.color,
    fontFamily: base.fontFamily,
    fontSizeBase: base.fontSize,
    fontWeightNormal: base.fontWeight === undefined ? undefined : String(base.fontWeight),
    fontSmooth: base.fontSmoothing,
    iconColor: base.iconColor,
    colorTextPlaceholder: base['::placeholder']?.color,
    colorDanger: invalid.color,
    iconCardCvcErrorColor: invalid.iconColor,
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

/**
 * Applies a look, and returns the colour scheme it amounts to.
 * @param {Fields} appearance
 * @param {Fields} style
 */
export function applyAppearance(appearance = {}, style = {}) {
  const root = document.documentElement;
  const inputs = appearance.inputs ?? 'spaced';
  const labels = appearance.labels ?? 'auto';
  root.dataset.theme = appearance.theme ?? 'stripe';
  root.dataset.inputs = inputs;
  // Source: https://docs.stripe.com/elements/appearance-api#inputs-and-labels
  root.dataset.labels = labels === 'auto' ? (inputs === 'condensed' ? 'floating' : 'above') : labels;
  root.toggleAttribute('data-still', Boolean(appearance.disableAnimations));
  for (const name of PROPERTY_OF.keys()) root.style.removeProperty(`--${name}`);
  const variables = { ...appearance.variables, ...variablesOfStyle(style) };
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) setVariable(name, value);
  setRules(appearance.rules ?? {});
  root.dataset.scheme = textIsLight() ? 'dark' : 'light';
  return root.dataset.scheme;
}

/** Light text means a dark page. Painting one pixel resolves any colour notation to sRGB. */
function textIsLight() {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (!context) return false;
  context.fillStyle = getComputedStyle(document.body).color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140;
}
