// Names for what passes between the parts of this folder. For the type checker alone: nothing here is served.

type StripeJs = import('@stripe/stripe-js').Stripe;
type StripeElementsJs = import('@stripe/stripe-js').StripeElements;
type PaymentElementJs = import('@stripe/stripe-js').StripePaymentElement;
type CardElementJs = import('@stripe/stripe-js').StripeCardElement;
type StripeError = import('@stripe/stripe-js').StripeError;
type StripeElementType = import('@stripe/stripe-js').StripeElementType;
type PaymentIntentResult = import('@stripe/stripe-js').PaymentIntentResult;
type SetupIntentResult = import('@stripe/stripe-js').SetupIntentResult;
type IntentResult = import('@stripe/stripe-js').PaymentIntentOrSetupIntentResult;
type ConfirmPaymentData = import('@stripe/stripe-js').ConfirmPaymentData;
type ConfirmSetupData = import('@stripe/stripe-js').ConfirmSetupData;

/** The names that any member of a union has. */
type KeysOfUnion<T> = T extends T ? keyof T : never;

type Fields = Record<string, any>;
type Style = Partial<Record<keyof CSSStyleDeclaration, string>>;

type IntentKind = 'payment_intent' | 'setup_intent';
type ElementName = 'payment' | 'card';

/** An intent as a publishable key sees it. */
type Intent = {
  id: string;
  object: IntentKind;
  status: string;
  client_secret: string;
  next_action: { type: string; redirect_to_url?: { url: string } } | null;
  last_payment_error?: StripeError;
  last_setup_error?: StripeError;
};

/** What a request for an intent comes to. */
type IntentAnswer = { intent: Intent; error?: undefined } | { intent?: undefined; error: StripeError };

/** A client secret, taken apart. */
type Secret = { id: string; kind: IntentKind; secret: string };

/** Throws an IntegrationError where `value`, which is at `path` among the arguments of `label`, isn't allowed. */
type Check = (value: unknown, label: string, path: string) => void;
