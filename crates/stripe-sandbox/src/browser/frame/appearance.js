// The Appearance API: `theme`, `variables` and `rules`, as far as a card form has use for them.
// Everything is set through the CSSOM, value by value, so nothing the page sends is parsed as a style sheet.

const THEMES = ['stripe', 'night', 'flat', 'none'];

// Each variable, and a CSS property that tells whether a value for it makes sense.
const VARIABLES = {
  colorPrimary: 'color',
  colorBackground: 'color',
  colorText: 'color',
  colorTextSecondary: 'color',
  colorTextPlaceholder: 'color',
  colorDanger: 'color',
  fontFamily: 'font-family',
  fontSizeBase: 'font-size',
  fontWeightNormal: 'font-weight',
  fontWeightMedium: 'font-weight',
  borderRadius: 'border-radius',
  spacingUnit: 'width',
  gridRowSpacing: 'width',
  gridColumnSpacing: 'width',
};

const RULE_SELECTOR = /^\.(Input|Label|Error|TermsText|Tab)(--invalid)?(::placeholder|:hover|:focus)?$/;

const rules = new CSSStyleSheet();
document.adoptedStyleSheets = [rules];

function setVariable(name, value) {
  const root = document.documentElement.style;
  if (!Object.hasOwn(VARIABLES, name)) {
    console.warn(`elements(): appearance.variables.${name} is not supported by the sandbox.`);
  } else if (typeof value !== 'string' || !CSS.supports(VARIABLES[name], value)) {
    console.warn(`elements(): appearance.variables.${name} is not a valid value: ${value}`);
  } else {
    root.setProperty(`--${name}`, value);
  }
}

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function setRules(given) {
  rules.replaceSync('');
  for (const [selector, style] of Object.entries(given)) {
    if (!RULE_SELECTOR.test(selector)) {
      console.warn(`elements(): appearance.rules["${selector}"] is not a supported selector.`);
      continue;
    }
    const index = rules.insertRule(`${selector} {}`, rules.cssRules.length);
    for (const [name, value] of Object.entries(style)) {
      rules.cssRules[index].style.setProperty(kebab(name), value);
    }
  }
}

/** The older `style` option of the Card Element, in terms of the same variables. */
function variablesOfStyle({ base = {}, invalid = {} }) {
  const variables = {
    colorText: base.color,
    fontFamily: base.fontFamily,
    fontSizeBase: base.fontSize,
    fontWeightNormal: base.fontWeight,
    colorTextPlaceholder: base['::placeholder']?.color,
    colorDanger: invalid.color,
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

/** Applies a look, and returns the colour scheme it amounts to. */
export function applyAppearance(appearance = {}, style = {}) {
  const root = document.documentElement;
  const theme = appearance.theme ?? 'stripe';
  if (!THEMES.includes(theme)) console.warn(`elements(): appearance.theme should be one of ${THEMES.join(', ')}.`);
  root.dataset.theme = THEMES.includes(theme) ? theme : 'stripe';
  for (const name of Object.keys(VARIABLES)) root.style.removeProperty(`--${name}`);
  const variables = { ...appearance.variables, ...variablesOfStyle(style) };
  for (const [name, value] of Object.entries(variables)) setVariable(name, value);
  setRules(appearance.rules ?? {});
  root.dataset.scheme = textIsLight() ? 'dark' : 'light';
  return root.dataset.scheme;
}

/** Light text means a dark page. Painting one pixel resolves any colour notation to sRGB. */
function textIsLight() {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  context.fillStyle = getComputedStyle(document.body).color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140;
}
