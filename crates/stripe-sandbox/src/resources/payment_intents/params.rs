//! What the endpoints of payment intents take.

use super::super::customers::ADDRESS;
use super::super::payment_methods::{AUTOMATIC, DATA, OTHER_TYPES};
use crate::http::{Field, METADATA, Shape, opt, req, unsupported};

const FUTURE: Shape = Shape::Clearable(&Shape::Enum(&["off_session", "on_session"]));
const CAPTURE_METHOD: Shape = Shape::Enum(&["automatic", "automatic_async", "manual"]);
const CARD_OPTIONS: &[Field] = &[
    opt("request_three_d_secure", Shape::Enum(&["any", "automatic", "challenge"])),
    opt("setup_future_usage", Shape::Clearable(&Shape::Enum(&["none", "off_session", "on_session"]))),
    opt("capture_method", Shape::Clearable(&Shape::Enum(&["manual"]))),
    unsupported(&[
        "cvc_token",
        "installments",
        "mandate_options",
        "network",
        "request_extended_authorization",
        "request_incremental_authorization",
        "request_multicapture",
        "request_overcapture",
        "require_cvc_recollection",
        "statement_descriptor_suffix_kana",
        "statement_descriptor_suffix_kanji",
        "three_d_secure",
    ]),
];
const OPTIONS: Shape = Shape::Object(&[
    opt("card", Shape::Clearable(&Shape::Object(CARD_OPTIONS))),
    unsupported(&["card_present"]),
    unsupported(OTHER_TYPES),
]);
const OFF_SESSION: Shape = Shape::BoolOr(&["one_off", "recurring"]);
pub(in crate::resources) const SHIPPING: &[Field] = &[
    req("address", Shape::Object(ADDRESS)),
    req("name", Shape::Text),
    opt("carrier", Shape::Text),
    opt("phone", Shape::Text),
    opt("tracking_number", Shape::Text),
];

pub(super) const CREATE: &[Field] = &[
    req("amount", Shape::Int),
    req("currency", Shape::Text),
    opt("automatic_payment_methods", AUTOMATIC),
    opt("capture_method", CAPTURE_METHOD),
    opt("confirm", Shape::Bool),
    opt("confirmation_method", Shape::Enum(&["automatic", "manual"])),
    opt("customer", Shape::Text),
    opt("description", Shape::Text),
    opt("error_on_requires_action", Shape::Bool),
    METADATA,
    opt("off_session", OFF_SESSION),
    opt("payment_method", Shape::Text),
    opt("payment_method_data", Shape::Object(DATA)),
    opt("payment_method_options", OPTIONS),
    opt("payment_method_types", Shape::List(&Shape::Text)),
    opt("receipt_email", Shape::Text),
    opt("return_url", Shape::Text),
    opt("setup_future_usage", FUTURE),
    opt("shipping", Shape::Object(SHIPPING)),
    opt("statement_descriptor", Shape::Text),
    opt("statement_descriptor_suffix", Shape::Text),
    opt("use_stripe_sdk", Shape::Bool),
    unsupported(&[
        "allowed_payment_method_types",
        "amount_details",
        "application_fee_amount",
        "confirmation_token",
        "customer_account",
        "excluded_payment_method_types",
        "hooks",
        "mandate",
        "mandate_data",
        "on_behalf_of",
        "payment_details",
        "payment_method_configuration",
        "radar_options",
        "transfer_data",
        "transfer_group",
    ]),
];

pub(super) const UPDATE: &[Field] = &[
    opt("amount", Shape::Int),
    opt("capture_method", CAPTURE_METHOD),
    opt("currency", Shape::Text),
    opt("customer", Shape::Text),
    opt("description", Shape::Text),
    METADATA,
    opt("payment_method", Shape::Clearable(&Shape::Text)),
    opt("payment_method_data", Shape::Object(DATA)),
    opt("payment_method_options", OPTIONS),
    opt("payment_method_types", Shape::List(&Shape::Text)),
    opt("receipt_email", Shape::Clearable(&Shape::Text)),
    opt("setup_future_usage", FUTURE),
    opt("shipping", Shape::Clearable(&Shape::Object(SHIPPING))),
    opt("statement_descriptor", Shape::Text),
    opt("statement_descriptor_suffix", Shape::Text),
    unsupported(&[
        "allowed_payment_method_types",
        "amount_details",
        "application_fee_amount",
        "customer_account",
        "excluded_payment_method_types",
        "hooks",
        "payment_details",
        "payment_method_configuration",
        "transfer_data",
        "transfer_group",
    ]),
];

pub(super) const CONFIRM: &[Field] = &[
    opt("client_secret", Shape::Text),
    opt("capture_method", CAPTURE_METHOD),
    opt("error_on_requires_action", Shape::Bool),
    opt("off_session", OFF_SESSION),
    opt("payment_method", Shape::Text),
    opt("payment_method_data", Shape::Object(DATA)),
    opt("payment_method_options", OPTIONS),
    opt("payment_method_types", Shape::List(&Shape::Text)),
    opt("receipt_email", Shape::Clearable(&Shape::Text)),
    opt("return_url", Shape::Text),
    opt("setup_future_usage", FUTURE),
    opt("shipping", Shape::Clearable(&Shape::Object(SHIPPING))),
    opt("use_stripe_sdk", Shape::Bool),
    unsupported(&[
        "allowed_payment_method_types",
        "amount_details",
        "amount_to_confirm",
        "confirmation_token",
        "excluded_payment_method_types",
        "hooks",
        "mandate",
        "mandate_data",
        "payment_details",
        "radar_options",
    ]),
];

pub(super) const CANCEL: &[Field] = &[opt(
    "cancellation_reason",
    Shape::Enum(&["duplicate", "fraudulent", "requested_by_customer", "abandoned"]),
)];
pub(super) const CAPTURE: &[Field] = &[
    opt("amount_to_capture", Shape::Int),
    METADATA,
    opt("statement_descriptor", Shape::Text),
    opt("statement_descriptor_suffix", Shape::Text),
    unsupported(&[
        "amount_details",
        "application_fee_amount",
        "final_capture",
        "hooks",
        "payment_details",
        "transfer_data",
    ]),
];

pub(super) const LIST: &[Field] =
    &[opt("created", Shape::Range), opt("customer", Shape::Text), unsupported(&["customer_account"])];
