// Nothing of Stripe.js is left out by accident: what its types name is either in the stand-in or on one of its lists of
// what it hasn't. `tsc` names the member that is in neither, or in both. That what is there has the right shape is said
// where it stands, by `@implements`, and of the options by `@satisfies`.

import type {
  Appearance,
  Stripe as StripeJs,
  StripeElementLocale,
  StripeElementType,
} from '@stripe/stripe-js';

import type { ALIASES, DRAWN, NOT_DRAWN } from '../../crates/stripe-sandbox/src/browser/frame/variables.js';

type Nothing<Left extends never> = Left;

type Unsupported = (typeof UNSUPPORTED_METHODS)[number];
export type MethodsLeftOut = Nothing<Exclude<keyof StripeJs, keyof Stripe | Unsupported>>;
export type MethodsInBoth = Nothing<keyof Stripe & Unsupported>;

type UnsupportedElement = (typeof UNSUPPORTED_ELEMENTS)[number];
export type ElementsLeftOut = Nothing<Exclude<StripeElementType, keyof typeof ELEMENTS | UnsupportedElement>>;
export type ElementsInBoth = Nothing<keyof typeof ELEMENTS & UnsupportedElement>;

export type LocalesLeftOut = Nothing<Exclude<StripeElementLocale, (typeof LOCALES)[number]>>;

type Variable = keyof NonNullable<Appearance['variables']>;
type Drawn = (typeof DRAWN)[keyof typeof DRAWN][number];
type Listed = Drawn | keyof typeof ALIASES | (typeof NOT_DRAWN)[number];
export type VariablesLeftOut = Nothing<Exclude<Variable, Listed>>;
export type VariablesUnknown = Nothing<Exclude<Listed, Variable>>;
