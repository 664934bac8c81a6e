// The variables of the Appearance API. `end2end/stripe-js` holds the names to Stripe's own list.

/** Those that a card form has use for, each below a CSS property that tells whether a value for it makes sense. */
export const DRAWN = /** @type {const} */ ({
  color: [
    'colorPrimary', 'colorBackground', 'colorText', 'colorDanger', 'colorTextSecondary', 'colorTextPlaceholder',
    'accordionItemLabelColorText', 'accordionItemLabelSelectedColorText', 'iconColor', 'iconCardCvcColor',
    'iconCardCvcErrorColor', 'inputColorBorder', 'inputFocusColorBorder', 'labelColorText',
    'tabIconColor', 'tabIconHoverColor', 'tabIconSelectedColor',
  ],
  'font-family': ['fontFamily'],
  'font-variant-ligatures': ['fontVariantLigatures'],
  'font-variation-settings': ['fontVariationSettings'],
  '-webkit-font-smoothing': ['fontSmooth'],
  'line-height': ['fontLineHeight'],
  'font-size': [
    'fontSizeBase', 'fontSizeSm', 'fontSizeXs', 'fontSize2Xs', 'fontSize3Xs', 'fontSizeLg', 'fontSizeXl',
    'accordionItemLabelFontSize', 'labelFontSize',
  ],
  'font-weight': [
    'fontWeightLight', 'fontWeightNormal', 'fontWeightMedium', 'fontWeightBold', 'accordionItemLabelFontWeight',
    'accordionItemLabelSelectedFontWeight', 'labelFontWeight',
  ],
  width: ['spacingUnit', 'gridRowSpacing', 'gridColumnSpacing', 'labelSpacing'],
  'border-radius': ['borderRadius'],
  'box-shadow': ['focusBoxShadow', 'inputBoxShadow', 'inputFocusBoxShadow'],
  outline: ['focusOutline'],
});

/** Older names. */
export const ALIASES = /** @type {const} */ ({
  spacingGridRow: 'gridRowSpacing',
  spacingGridColumn: 'gridColumnSpacing',
  colorIcon: 'iconColor',
  colorIconCardCvc: 'iconCardCvcColor',
  colorIconCardCvcError: 'iconCardCvcErrorColor',
  colorIconTab: 'tabIconColor',
  colorIconTabHover: 'tabIconHoverColor',
  colorIconTabSelected: 'tabIconSelectedColor',
});

/**
 * Those of parts that a form for one card hasn't: several tabs, menus, wallets' buttons, logos, messages of success.
 * Cards are shown in their networks' own colours, right or wrong.
 */
export const NOT_DRAWN = /** @type {const} */ ([
  'tabSpacing', 'spacingTab', 'accordionItemSpacing', 'spacingAccordionItem', 'accordionItemTriggerColor',
  'accordionItemTriggerSelectedColor', 'accordionItemTriggerHoverColor', 'colorSuccess', 'colorWarning',
  'buttonBoxShadow', 'buttonColorBackground', 'buttonColorText', 'buttonFontSize', 'buttonFontWeight', 'buttonPadding',
  'buttonBorderRadius', 'buttonExpressCheckoutBorderRadius', 'accessibleColorOnColorPrimary',
  'accessibleColorOnColorBackground', 'accessibleColorOnColorSuccess', 'accessibleColorOnColorDanger',
  'accessibleColorOnColorWarning', 'colorPrimaryText', 'colorBackgroundText', 'colorSuccessText', 'colorDangerText',
  'colorWarningText', 'iconHoverColor', 'iconCheckmarkColor', 'iconChevronDownColor', 'iconChevronDownHoverColor',
  'iconCloseColor', 'iconCloseHoverColor', 'iconLoadingIndicatorColor', 'iconMenuColor', 'iconMenuHoverColor',
  'iconPasscodeDeviceColor', 'iconPasscodeDeviceHoverColor', 'iconPasscodeDeviceNotificationColor',
  'iconRedirectColor', 'colorIconHover', 'colorIconCheckmark', 'colorIconChevronDown', 'colorIconChevronDownHover',
  'colorIconRedirect', 'tabIconMoreColor', 'tabIconMoreHoverColor', 'colorIconTabMore', 'colorIconTabMoreHover',
  'iconCardErrorColor', 'colorIconCardError', 'logoColor', 'tabLogoColor', 'tabLogoSelectedColor', 'blockLogoColor',
  'colorLogo', 'colorLogoTab', 'colorLogoTabSelected', 'colorLogoBlock',
]);

/** Of each variable that is drawn, the CSS property that its values have to suit. @type {Map<string, string>} */
export const PROPERTY_OF = new Map(
  Object.entries(DRAWN).flatMap(([property, names]) =>
    names.map((name) => /** @type {[string, string]} */ ([name, property])),
  ),
);
