//! What the endpoints of Checkout sessions take.

use crate::http::{Field, METADATA, Shape, opt, req, unsupported};

#[rustfmt::skip]
/// Unlike a payment intent's own, its address needs a first line.
const SHIPPING: &[Field] = &[
    req(
        "address",
        Shape::Object(&[
            opt("city", Shape::Text),
            opt("country", Shape::Text),
            req("line1", Shape::Text),
            opt("line2", Shape::Text),
            opt("postal_code", Shape::Text),
            opt("state", Shape::Text),
        ]),
    ),
    opt("carrier", Shape::Text),
    req("name", Shape::Text),
    opt("phone", Shape::Text),
    opt("tracking_number", Shape::Text),
];
const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru",
    "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];
/// Types of payment method, each of which has options of its own.
#[rustfmt::skip]
const OTHER_TYPES: &[&str] = &[
    "acss_debit", "affirm", "afterpay_clearpay", "alipay", "alma", "amazon_pay", "au_becs_debit",
    "bacs_debit", "bancontact", "billie", "boleto", "cashapp", "crypto", "customer_balance", "demo_pay",
    "eps", "fpx", "giropay", "grabpay", "ideal", "kakao_pay", "klarna", "konbini", "kr_card", "link",
    "mobilepay", "multibanco", "naver_pay", "oxxo", "p24", "pay_by_bank", "payco", "paynow", "paypal",
    "payto", "pix", "revolut_pay", "samsung_pay", "satispay", "scalapay", "sepa_debit", "sofort", "sunbit",
    "swish", "twint", "upi", "us_bank_account", "wechat_pay",
];
const INTERVAL: Shape = Shape::Enum(&["day", "month", "week", "year"]);
const PRODUCT_DATA: &[Field] = &[
    req("name", Shape::Text),
    opt("description", Shape::Text),
    opt("images", Shape::List(&Shape::Text)),
    opt("metadata", Shape::Map),
    opt("tax_code", Shape::Text),
    opt("unit_label", Shape::Text),
];
const PRICE_DATA: &[Field] = &[
    req("currency", Shape::Text),
    opt("product", Shape::Text),
    opt("product_data", Shape::Object(PRODUCT_DATA)),
    opt("recurring", Shape::Object(&[req("interval", INTERVAL), opt("interval_count", Shape::Int)])),
    opt("tax_behavior", Shape::Enum(&["exclusive", "inclusive", "unspecified"])),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];
const LINE_ITEM: &[Field] = &[
    opt("metadata", Shape::Map),
    opt("price", Shape::Text),
    opt("price_data", Shape::Object(PRICE_DATA)),
    opt("quantity", Shape::Int),
    unsupported(&["adjustable_quantity", "tax_rates"]),
];
const PAYMENT_INTENT_DATA: &[Field] = &[
    opt("capture_method", Shape::Enum(&["automatic", "automatic_async", "manual"])),
    opt("description", Shape::Text),
    opt("metadata", Shape::Map),
    opt("receipt_email", Shape::Text),
    opt("setup_future_usage", Shape::Enum(&["off_session", "on_session"])),
    opt("shipping", Shape::Object(SHIPPING)),
    opt("statement_descriptor", Shape::Text),
    opt("statement_descriptor_suffix", Shape::Text),
    unsupported(&["application_fee_amount", "on_behalf_of", "transfer_data", "transfer_group"]),
];
const ENDING: Shape = Shape::Object(&[req(
    "end_behavior",
    Shape::Object(&[req("missing_payment_method", Shape::Enum(&["cancel", "create_invoice", "pause"]))]),
)]);
const SUBSCRIPTION_DATA: &[Field] = &[
    opt("billing_cycle_anchor", Shape::Int),
    opt("description", Shape::Text),
    opt("metadata", Shape::Map),
    opt("proration_behavior", Shape::Enum(&["create_prorations", "none"])),
    opt("trial_end", Shape::Int),
    opt("trial_period_days", Shape::Int),
    opt("trial_settings", ENDING),
    unsupported(&[
        "application_fee_percent",
        "billing_cycle_anchor_config",
        "billing_mode",
        "default_tax_rates",
        "invoice_settings",
        "on_behalf_of",
        "pending_invoice_item_interval",
        "transfer_data",
    ]),
];
const AUTO: Shape = Shape::Enum(&["auto", "never"]);
const CARD_OPTIONS: &[Field] = &[
    opt("request_three_d_secure", Shape::Enum(&["any", "automatic", "challenge"])),
    unsupported(&[
        "capture_method",
        "installments",
        "request_extended_authorization",
        "request_incremental_authorization",
        "request_multicapture",
        "request_overcapture",
        "restrictions",
        "setup_future_usage",
        "statement_descriptor_suffix_kana",
        "statement_descriptor_suffix_kanji",
    ]),
];

pub(super) const CREATE: &[Field] = &[
    opt("billing_address_collection", Shape::Enum(&["auto", "required"])),
    opt("cancel_url", Shape::Text),
    opt("client_reference_id", Shape::Text),
    opt("currency", Shape::Text),
    opt("customer", Shape::Text),
    opt("customer_creation", Shape::Enum(&["always", "if_required"])),
    opt("customer_email", Shape::Text),
    opt(
        "customer_update",
        Shape::Object(&[opt("address", AUTO), opt("name", AUTO), unsupported(&["shipping"])]),
    ),
    opt("expires_at", Shape::Int),
    opt("line_items", Shape::List(&Shape::Object(LINE_ITEM))),
    opt("locale", Shape::Enum(LOCALES)),
    opt("metadata", Shape::Map),
    opt("mode", Shape::Enum(&["payment", "setup", "subscription"])),
    opt("payment_intent_data", Shape::Object(PAYMENT_INTENT_DATA)),
    opt("payment_method_collection", Shape::Enum(&["always", "if_required"])),
    opt(
        "payment_method_options",
        Shape::Object(&[opt("card", Shape::Object(CARD_OPTIONS)), unsupported(OTHER_TYPES)]),
    ),
    opt("payment_method_types", Shape::List(&Shape::Enum(&["card", "link"]))),
    opt(
        "setup_intent_data",
        Shape::Object(&[
            opt("description", Shape::Text),
            opt("metadata", Shape::Map),
            unsupported(&["on_behalf_of"]),
        ]),
    ),
    opt("submit_type", Shape::Enum(&["auto", "book", "donate", "pay", "subscribe"])),
    opt("subscription_data", Shape::Object(SUBSCRIPTION_DATA)),
    opt("success_url", Shape::Text),
    opt("ui_mode", Shape::Enum(&["hosted_page"])),
    unsupported(&[
        "adaptive_pricing",
        "after_expiration",
        "allow_promotion_codes",
        "automatic_tax",
        "branding_settings",
        "consent_collection",
        "custom_fields",
        "custom_text",
        "customer_account",
        "discounts",
        "excluded_payment_method_types",
        "integration_identifier",
        "invoice_creation",
        "managed_payments",
        "name_collection",
        "optional_items",
        "origin_context",
        "payment_method_configuration",
        "payment_method_data",
        "permissions",
        "phone_number_collection",
        "redirect_on_completion",
        "return_url",
        "saved_payment_method_options",
        "shipping_address_collection",
        "shipping_options",
        "tax_id_collection",
        "wallet_options",
    ]),
];

pub(super) const UPDATE: &[Field] =
    &[METADATA, unsupported(&["collected_information", "line_items", "shipping_options"])];

pub(super) const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("customer_details", Shape::Object(&[req("email", Shape::Text)])),
    opt("payment_intent", Shape::Text),
    opt("payment_link", Shape::Text),
    opt("status", Shape::Enum(&["complete", "expired", "open"])),
    opt("subscription", Shape::Text),
    unsupported(&["customer_account"]),
];
