// What Stripe.js has and the sandbox hasn't: it offers cards, by the Payment Element and the Card Element. Each name is
// there and refuses, so that a page learns what is missing from a sentence instead of from `undefined`.

const UNSUPPORTED_METHODS = /** @type {const} @satisfies {readonly (keyof StripeJs)[]} */ ([
  // Confirming with something other than a card.
  'confirmAcssDebitPayment', 'confirmAcssDebitSetup', 'confirmAffirmPayment', 'confirmAfterpayClearpayPayment',
  'confirmAlipayPayment', 'confirmAmazonPaySetup', 'confirmAuBecsDebitPayment', 'confirmAuBecsDebitSetup',
  'confirmBacsDebitSetup', 'confirmBancontactPayment', 'confirmBancontactSetup', 'confirmBilliePayment',
  'confirmBlikPayment', 'confirmBlikSetup', 'confirmBoletoPayment', 'confirmCashappPayment', 'confirmCashappSetup',
  'confirmCustomerBalancePayment', 'confirmEpsPayment', 'confirmFpxPayment', 'confirmGiropayPayment',
  'confirmGrabPayPayment', 'confirmIdealPayment', 'confirmIdealSetup', 'confirmKlarnaPayment', 'confirmKonbiniPayment',
  'confirmMobilepayPayment', 'confirmMultibancoPayment', 'confirmOxxoPayment', 'confirmP24Payment',
  'confirmPayByBankPayment', 'confirmPayNowPayment', 'confirmPayPalPayment', 'confirmPayPalSetup', 'confirmPixPayment',
  'confirmPromptPayPayment', 'confirmSepaDebitPayment', 'confirmSepaDebitSetup', 'confirmSofortPayment',
  'confirmSofortSetup', 'confirmTwintPayment', 'confirmUsBankAccountPayment', 'confirmUsBankAccountSetup', 'confirmWechatPayPayment',
  // Bank accounts.
  'collectBankAccountForPayment', 'collectBankAccountForSetup', 'collectBankAccountToken',
  'collectFinancialConnectionsAccounts', 'verifyMicrodepositsForPayment', 'verifyMicrodepositsForSetup',
  // Other products and other ways to pay.
  'createConfirmationToken', 'createEmbeddedCheckoutPage', 'createEphemeralKeyNonce', 'createRadarSession',
  'initCheckoutElementsSdk', 'initCheckoutFormSdk', 'initializePricing', 'paymentRequest', 'processOrder',
  'retrieveOrder', 'verifyIdentity',
]);

/** What older releases of Stripe.js had. */
const FORMER_METHODS = [
  'createSource', 'handleFpxPayment', 'initCheckout', 'initEmbeddedCheckout', 'redirectToCheckout', 'retrieveSource',
];

const UNSUPPORTED_ELEMENTS = /** @type {const} @satisfies {readonly Exclude<StripeElementType, ElementName>[]} */ ([
  'address', 'auBankAccount', 'cardCvc', 'cardExpiry', 'cardNumber', 'contactDetails', 'currencySelector',
  'expressCheckout', 'iban', 'issuingAddToWalletButton', 'issuingCardCopyButton', 'issuingCardCvcDisplay',
  'issuingCardExpiryDisplay', 'issuingCardNumberDisplay', 'issuingCardPinDisplay', 'linkAuthentication', 'linkSignup',
  'paymentForm', 'paymentMethodMessaging', 'shippingAddress', 'taxId', 'terms',
]);

/**
 * Gives a class methods that refuse.
 * @param {Record<string, any>} prototype
 * @param {readonly string[]} names
 * @param {string} owner what the page calls its instances
 */
function refuseMethods(prototype, names, owner) {
  for (const name of names) {
    prototype[name] = () => {
      throw new IntegrationError(`${owner}.${name}() is not supported by the Stripe sandbox.`);
    };
  }
}
