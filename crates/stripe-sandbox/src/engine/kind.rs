//! The kinds of document.

/// What a document is. The first group is what the API knows; the last three are the sandbox's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Product,
    Price,
    Customer,
    TaxId,
    PaymentMethod,
    Token,
    PaymentIntent,
    SetupIntent,
    SetupAttempt,
    Subscription,
    SubscriptionItem,
    SubscriptionSchedule,
    Invoice,
    InvoiceItem,
    InvoicePayment,
    CreditNote,
    Charge,
    Refund,
    Dispute,
    BalanceTransaction,
    CustomerBalanceTransaction,
    Coupon,
    PromotionCode,
    Discount,
    TaxRate,
    CheckoutSession,
    PortalConfiguration,
    PortalSession,
    Event,
    WebhookEndpoint,
    TestClock,
    /// An event on its way to an endpoint.
    Delivery,
    /// An answer kept for its `Idempotency-Key`.
    Replay,
    /// What is chosen in the Dashboard at Stripe.
    Settings,
}

impl Kind {
    pub(crate) const ALL: [Self; 34] = [
        Self::Product,
        Self::Price,
        Self::Customer,
        Self::TaxId,
        Self::PaymentMethod,
        Self::Token,
        Self::PaymentIntent,
        Self::SetupIntent,
        Self::SetupAttempt,
        Self::Subscription,
        Self::SubscriptionItem,
        Self::SubscriptionSchedule,
        Self::Invoice,
        Self::InvoiceItem,
        Self::InvoicePayment,
        Self::CreditNote,
        Self::Charge,
        Self::Refund,
        Self::Dispute,
        Self::BalanceTransaction,
        Self::CustomerBalanceTransaction,
        Self::Coupon,
        Self::PromotionCode,
        Self::Discount,
        Self::TaxRate,
        Self::CheckoutSession,
        Self::PortalConfiguration,
        Self::PortalSession,
        Self::Event,
        Self::WebhookEndpoint,
        Self::TestClock,
        Self::Delivery,
        Self::Replay,
        Self::Settings,
    ];

    /// The `object` field, as Stripe writes it.
    pub(crate) const fn object(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Price => "price",
            Self::Customer => "customer",
            Self::TaxId => "tax_id",
            Self::PaymentMethod => "payment_method",
            Self::Token => "token",
            Self::PaymentIntent => "payment_intent",
            Self::SetupIntent => "setup_intent",
            Self::SetupAttempt => "setup_attempt",
            Self::Subscription => "subscription",
            Self::SubscriptionItem => "subscription_item",
            Self::SubscriptionSchedule => "subscription_schedule",
            Self::Invoice => "invoice",
            Self::InvoiceItem => "invoiceitem",
            Self::InvoicePayment => "invoice_payment",
            Self::CreditNote => "credit_note",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::BalanceTransaction => "balance_transaction",
            Self::CustomerBalanceTransaction => "customer_balance_transaction",
            Self::Coupon => "coupon",
            Self::PromotionCode => "promotion_code",
            Self::Discount => "discount",
            Self::TaxRate => "tax_rate",
            Self::CheckoutSession => "checkout.session",
            Self::PortalConfiguration => "billing_portal.configuration",
            Self::PortalSession => "billing_portal.session",
            Self::Event => "event",
            Self::WebhookEndpoint => "webhook_endpoint",
            Self::TestClock => "test_helpers.test_clock",
            Self::Delivery => "delivery",
            Self::Replay => "answer",
            Self::Settings => "settings",
        }
    }

    /// What its ids start with, before the underscore.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Product => "prod",
            Self::Price => "price",
            Self::Customer => "cus",
            Self::TaxId => "txi",
            Self::PaymentMethod => "pm",
            Self::Token => "tok",
            Self::PaymentIntent => "pi",
            Self::SetupIntent => "seti",
            Self::SetupAttempt => "setatt",
            Self::Subscription => "sub",
            Self::SubscriptionItem => "si",
            Self::SubscriptionSchedule => "sub_sched",
            Self::Invoice => "in",
            Self::InvoiceItem => "ii",
            Self::InvoicePayment => "inpay",
            Self::CreditNote => "cn",
            Self::Charge => "ch",
            Self::Refund => "re",
            Self::Dispute => "du",
            Self::BalanceTransaction => "txn",
            Self::CustomerBalanceTransaction => "cbtxn",
            Self::Coupon => "coupon",
            Self::PromotionCode => "promo",
            Self::Discount => "di",
            Self::TaxRate => "txr",
            Self::CheckoutSession => "cs_test",
            Self::PortalConfiguration => "bpc",
            Self::PortalSession => "bps",
            Self::Event => "evt",
            Self::WebhookEndpoint => "we",
            Self::TestClock => "clock",
            Self::Delivery => "delivery",
            Self::Replay => "answer",
            Self::Settings => "settings",
        }
    }

    /// The kind whose collection has this name, such as `payment_intents`: the name without what it is a part of
    /// (`test_helpers.test_clock` is one of `test_clocks`), or with it where that is needed (`checkout_sessions`).
    pub(crate) fn of_collection(name: &str) -> Option<Self> {
        let object = name.strip_suffix('s')?;
        let whole = |kind: &Self| kind.object().replace('.', "_") == object;
        let last = |kind: &Self| kind.object().rsplit('.').next() == Some(object);
        Self::ALL.into_iter().find(whole).or_else(|| Self::ALL.into_iter().find(last))
    }

    /// The kind that an id is of, by what it starts with.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let (prefix, _) = id.rsplit_once('_')?;
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }

    /// The kind whose `object` field this is.
    pub(crate) fn of_object(object: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.object() == object)
    }
}
