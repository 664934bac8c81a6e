//! The cards themselves.

/// When a card's bank asks its holder to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Never,
    /// On every payment, set up or not.
    Always,
    /// On every payment with the customer present, and without until it was set up.
    UntilSetUp,
    /// Where the merchant's rules ask for 3D Secure, as the default rules do.
    Requested,
    /// With the customer present; set up already for payments without.
    OnSession,
}

/// Why a bank says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: &'static str,
    /// What Stripe advises, and what the card's network said. Both where the bank was asked.
    pub(crate) advice_code: Option<&'static str>,
    pub(crate) network_decline_code: Option<&'static str>,
}

impl Decline {
    const fn new(code: &'static str, decline_code: Option<&'static str>, message: &'static str) -> Self {
        Self { code, decline_code, message, advice_code: None, network_decline_code: None }
    }

    /// Source: <https://docs.stripe.com/declines/codes>. Networks' codes are those of ISO 8583.
    const fn advised(mut self, advice_code: &'static str, network_decline_code: &'static str) -> Self {
        self.advice_code = Some(advice_code);
        self.network_decline_code = Some(network_decline_code);
        self
    }
}

/// How a payment is disputed soon after it succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disputing {
    /// As fraudulent, unless the cardholder passed 3D Secure.
    Fraudulent,
    ProductNotReceived,
    /// As a question at first, which takes no money.
    Inquiry,
}

/// A test card.
#[derive(Debug)]
pub(crate) struct TestCard {
    pub(super) number: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) funding: &'static str,
    pub(crate) country: &'static str,
    /// Behind `pm_card_` and `tok_`; the first is what the card is kept under.
    pub(super) names: &'static [&'static str],
    pub(super) challenge: Challenge,
    pub(super) decline: Option<&'static Decline>,
    /// Can be attached and set up although it is declined later.
    pub(super) attaches: bool,
    pub(crate) disputing: Option<Disputing>,
}

impl TestCard {
    const fn new(number: &'static str, brand: &'static str, names: &'static [&'static str]) -> Self {
        Self {
            number,
            brand,
            funding: "credit",
            country: "US",
            names,
            challenge: Challenge::Never,
            decline: None,
            attaches: false,
            disputing: None,
        }
    }

    const fn visa(number: &'static str, names: &'static [&'static str]) -> Self {
        Self::new(number, "visa", names)
    }

    const fn funded(mut self, funding: &'static str) -> Self {
        self.funding = funding;
        self
    }

    const fn of(mut self, country: &'static str) -> Self {
        self.country = country;
        self
    }

    const fn declined(mut self, decline: &'static Decline) -> Self {
        self.decline = Some(decline);
        self
    }

    const fn challenged(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    const fn disputed(mut self, disputing: Disputing) -> Self {
        self.disputing = Some(disputing);
        self
    }

    const fn attaching(mut self) -> Self {
        self.attaches = true;
        self
    }
}

const fn declined(decline_code: &'static str, message: &'static str) -> Decline {
    Decline::new("card_declined", Some(decline_code), message)
}

const LATER: &str = "try_again_later";
const NEVER: &str = "do_not_try_again";
const CHECK: &str = "confirm_card_data";

const GENERIC: Decline = declined("generic_decline", "Your card was declined.").advised(LATER, "05");
const FUNDS: Decline =
    declined("insufficient_funds", "Your card has insufficient funds.").advised(LATER, "51");
const LOST: Decline = declined("lost_card", "Your card was declined.").advised(NEVER, "41");
const STOLEN: Decline = declined("stolen_card", "Your card was declined.").advised(NEVER, "43");
const VELOCITY: Decline = declined(
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
.advised(LATER, "61");
const FRAUD: Decline = declined("fraudulent", "Your card was declined.").advised(NEVER, "59");
const EXPIRED: Decline = Decline::new("expired_card", None, "Your card has expired.").advised(CHECK, "54");
const CVC: Decline =
    Decline::new("incorrect_cvc", None, "Your card's security code is incorrect.").advised(CHECK, "82");
const PROCESSING: Decline = Decline::new(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
)
.advised(LATER, "96");

/// A payment without the customer that the bank wants the customer for.
pub(super) const AUTHENTICATION_REQUIRED: Decline = Decline::new(
    "authentication_required",
    Some("authentication_required"),
    "Your card was declined. This transaction requires authentication.",
);

/// A number that is well formed and no test card.
pub(super) const NOT_A_TEST_CARD: Decline = declined(
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test \
     cards, visit: https://stripe.com/docs/testing.",
);

pub(super) const CARDS: &[TestCard] = &[
    TestCard::visa("4242424242424242", &["visa", "us", "riskLevelNormal"]),
    TestCard::visa("4000056655665556", &["visa_debit"]).funded("debit"),
    TestCard::new("5555555555554444", "mastercard", &["mastercard"]),
    TestCard::new("2223003122003222", "mastercard", &["mastercard_2_series"]),
    TestCard::new("5200828282828210", "mastercard", &["mastercard_debit"]).funded("debit"),
    TestCard::new("5105105105105100", "mastercard", &["mastercard_prepaid"]).funded("prepaid"),
    TestCard::new("378282246310005", "amex", &["amex"]),
    TestCard::new("371449635398431", "amex", &["amex_2"]),
    TestCard::new("6011111111111117", "discover", &["discover"]),
    TestCard::new("3056930009020004", "diners", &["diners"]),
    TestCard::new("36227206271667", "diners", &["diners_14"]),
    TestCard::new("3566002020360505", "jcb", &["jcb"]).of("JP"),
    TestCard::new("6200000000000005", "unionpay", &["unionpay"]).of("CN"),
    TestCard::visa("4000000760000002", &["br"]).of("BR"),
    TestCard::visa("4000001240000000", &["ca"]).of("CA"),
    TestCard::visa("4000004840008001", &["mx"]).of("MX"),
    TestCard::visa("4000000400000008", &["at"]).of("AT"),
    TestCard::visa("4000000560000004", &["be"]).of("BE"),
    TestCard::visa("4000007560000009", &["ch"]).of("CH"),
    TestCard::visa("4000002760000016", &["de"]).of("DE"),
    TestCard::visa("4000002080000001", &["dk"]).of("DK"),
    TestCard::visa("4000007240000007", &["es"]).of("ES"),
    TestCard::visa("4000002500000003", &["fr"]).of("FR"),
    TestCard::visa("4000008260000000", &["gb"]).of("GB"),
    TestCard::visa("4000003720000005", &["ie"]).of("IE"),
    TestCard::visa("4000003800000008", &["it"]).of("IT"),
    TestCard::visa("4000005280000002", &["nl"]).of("NL"),
    TestCard::visa("4000005780000007", &["no"]).of("NO"),
    TestCard::visa("4000006160000005", &["pl"]).of("PL"),
    TestCard::visa("4000006200000007", &["pt"]).of("PT"),
    TestCard::visa("4000007520000008", &["se"]).of("SE"),
    TestCard::visa("4000000360000006", &["au"]).of("AU"),
    TestCard::visa("4000001560000002", &["cn"]).of("CN"),
    TestCard::visa("4000003440000004", &["hk"]).of("HK"),
    TestCard::visa("4000003560000008", &["in"]).of("IN"),
    TestCard::visa("4000003920000003", &["jp"]).of("JP"),
    TestCard::visa("4000005540000008", &["nz"]).of("NZ"),
    TestCard::visa("4000007020000003", &["sg"]).of("SG"),
    TestCard::visa("4000000000000002", &["chargeDeclined", "visa_chargeDeclined"]).declined(&GENERIC),
    TestCard::visa(
        "4000000000009995",
        &["chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"],
    )
    .declined(&FUNDS),
    TestCard::visa("4000000000009987", &["chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"])
        .declined(&LOST),
    TestCard::visa("4000000000009979", &["chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"])
        .declined(&STOLEN),
    TestCard::visa("4000000000000069", &["chargeDeclinedExpiredCard", "visa_chargeDeclinedExpiredCard"])
        .declined(&EXPIRED),
    TestCard::visa("4000000000000127", &["chargeDeclinedIncorrectCvc", "visa_chargeDeclinedIncorrectCvc"])
        .declined(&CVC),
    TestCard::visa(
        "4000000000000119",
        &["chargeDeclinedProcessingError", "visa_chargeDeclinedProcessingError"],
    )
    .declined(&PROCESSING),
    TestCard::visa(
        "4000000000006975",
        &["chargeDeclinedVelocityLimitExceeded", "visa_chargeDeclinedVelocityLimitExceeded"],
    )
    .declined(&VELOCITY),
    TestCard::visa("4100000000000019", &["radarBlock", "chargeDeclinedFraudulent"]).declined(&FRAUD),
    TestCard::visa("4000000000000341", &["chargeCustomerFail", "visa_chargeCustomerFail"])
        .declined(&GENERIC)
        .attaching(),
    TestCard::visa("4000002500003155", &["authenticationRequiredOnSetup"])
        .challenged(Challenge::UntilSetUp)
        .of("FR"),
    TestCard::visa("4000002760003184", &["authenticationRequired"]).challenged(Challenge::Always).of("DE"),
    TestCard::visa("4000003800000446", &["authenticationRequiredSetupForOffSession"])
        .challenged(Challenge::OnSession)
        .of("IT"),
    TestCard::visa("4000008260003178", &["authenticationRequiredChargeDeclinedInsufficientFunds"])
        .challenged(Challenge::Always)
        .declined(&FUNDS)
        .attaching()
        .of("GB"),
    TestCard::visa("4000000000003220", &["threeDSecure2Required"]).challenged(Challenge::Requested),
    TestCard::visa("4000000000003063", &["threeDSecureRequired"]).challenged(Challenge::Requested),
    TestCard::visa("4000008400001629", &["threeDSecureRequiredChargeDeclined"])
        .challenged(Challenge::Always)
        .declined(&GENERIC)
        .attaching(),
    TestCard::visa("4000000000003055", &["threeDSecureOptional"]),
    TestCard::visa("4000000000000259", &["createDispute"]).disputed(Disputing::Fraudulent),
    TestCard::visa("4000000000002685", &["createDisputeProductNotReceived"])
        .disputed(Disputing::ProductNotReceived),
    TestCard::visa("4000000000001976", &["createDisputeInquiry"]).disputed(Disputing::Inquiry),
];
