//! Subscriptions.

use serde_json::Value;

use crate::billing::{create, rebill, subscriptions, update};
use crate::engine::objects::Subscription;
use crate::engine::{ApiError, Doc, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, in_range, list, matches, opt, page, post, req, set,
    unsupported,
};

use super::discounts::DISCOUNTS;
use super::price_data::{INLINE_ITEM, INLINE_ONCE};

const KIND: Kind = Kind::Subscription;

const BEHAVIOR: &[&str] =
    &["allow_incomplete", "error_if_incomplete", "pending_if_incomplete", "default_incomplete"];
const PRORATION: Shape = Shape::Enum(&["always_invoice", "create_prorations", "none"]);
/// What may stand for a time at which a subscription ends.
pub(super) const CANCEL_AT_PERIOD_END: &[&str] = &["min_period_end", "max_period_end"];
const DETAILS: Field = opt(
    "cancellation_details",
    Shape::Object(&[
        opt("comment", Shape::Clearable(&Shape::Text)),
        opt(
            "feedback",
            Shape::Clearable(&Shape::Enum(&[
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            ])),
        ),
        unsupported(&["feedback_option"]),
    ]),
);
const CARD_OPTIONS: &[Field] = &[
    opt("request_three_d_secure", Shape::Enum(&["any", "automatic", "challenge"])),
    unsupported(&["mandate_options", "network"]),
];
const SETTINGS: Field = opt(
    "payment_settings",
    Shape::Object(&[
        opt(
            "payment_method_options",
            Shape::Object(&[
                opt("card", Shape::Clearable(&Shape::Object(CARD_OPTIONS))),
                unsupported(&[
                    "acss_debit",
                    "bancontact",
                    "billie",
                    "customer_balance",
                    "konbini",
                    "payto",
                    "pix",
                    "sepa_debit",
                    "upi",
                    "us_bank_account",
                ]),
            ]),
        ),
        opt("payment_method_types", Shape::Clearable(&Shape::List(&Shape::Enum(&["card", "link"])))),
        opt("save_default_payment_method", Shape::Enum(&["off", "on_subscription"])),
    ]),
);
const ITEM: &[Field] = &[
    opt("price", Shape::Text),
    opt("price_data", Shape::Object(INLINE_ITEM)),
    opt("quantity", Shape::Int),
    METADATA,
    DISCOUNTS,
    unsupported(&["billing_thresholds", "tax_rates"]),
];

const CHANGED_ITEM: &[Field] = &[
    opt("deleted", Shape::Bool),
    opt("id", Shape::Text),
    opt("price", Shape::Text),
    opt("price_data", Shape::Object(INLINE_ITEM)),
    opt("quantity", Shape::Int),
    METADATA,
    DISCOUNTS,
    unsupported(&["billing_thresholds", "clear_usage", "tax_rates"]),
];
/// The parameters of items that change.
pub(super) const CHANGED_ITEMS: Field = opt("items", Shape::List(&Shape::Object(CHANGED_ITEM)));
pub(super) const PAYMENT_BEHAVIOR: Field = opt("payment_behavior", Shape::Enum(BEHAVIOR));
pub(super) const PRORATION_BEHAVIOR: Field = opt("proration_behavior", PRORATION);
const ANCHOR: Field = opt("billing_cycle_anchor", Shape::Enum(&["now", "unchanged"]));
const TRIAL_SETTINGS: Field = opt(
    "trial_settings",
    Shape::Object(&[req(
        "end_behavior",
        Shape::Object(&[req("missing_payment_method", Shape::Enum(&["cancel", "create_invoice", "pause"]))]),
    )]),
);
const PAUSE: &[Field] = &[
    req("behavior", Shape::Enum(&["keep_as_draft", "mark_uncollectible", "void"])),
    opt("resumes_at", Shape::Int),
];

/// What the next invoice has besides the subscription's items.
const ADDED: Field = opt(
    "add_invoice_items",
    Shape::List(&Shape::Object(&[
        opt("discountable", Shape::Bool),
        DISCOUNTS,
        METADATA,
        opt("price", Shape::Text),
        opt("price_data", Shape::Object(INLINE_ONCE)),
        opt("quantity", Shape::Int),
        opt("tax_rates", Shape::Clearable(&Shape::List(&Shape::Text))),
        unsupported(&["period"]),
    ])),
);

const CREATE: &[Field] = &[
    req("customer", Shape::Text),
    req("items", Shape::List(&Shape::Object(ITEM))),
    ADDED,
    opt("backdate_start_date", Shape::Int),
    opt("billing_cycle_anchor", Shape::Int),
    opt(
        "billing_mode",
        Shape::Object(&[
            req("type", Shape::Enum(&["flexible"])),
            opt(
                "flexible",
                Shape::Object(&[opt("proration_discounts", Shape::Enum(&["included", "itemized"]))]),
            ),
        ]),
    ),
    opt("cancel_at", Shape::Int),
    opt("cancel_at_period_end", Shape::Bool),
    opt("collection_method", Shape::Enum(&["charge_automatically", "send_invoice"])),
    opt("currency", Shape::Text),
    opt("days_until_due", Shape::Int),
    opt("default_payment_method", Shape::Text),
    opt("default_tax_rates", Shape::Clearable(&Shape::List(&Shape::Text))),
    DISCOUNTS,
    opt("description", Shape::Text),
    METADATA,
    opt("off_session", Shape::Bool),
    PAYMENT_BEHAVIOR,
    SETTINGS,
    PRORATION_BEHAVIOR,
    opt("trial_end", Shape::IntOr(&["now"])),
    opt("trial_from_plan", Shape::Bool),
    opt("trial_period_days", Shape::Int),
    TRIAL_SETTINGS,
    unsupported(&[
        "application_fee_percent",
        "automatic_tax",
        "billing_cycle_anchor_config",
        "billing_schedules",
        "billing_thresholds",
        "customer_account",
        "default_source",
        "invoice_settings",
        "on_behalf_of",
        "pending_invoice_item_interval",
        "transfer_data",
    ]),
];

const UPDATE: &[Field] = &[
    ADDED,
    ANCHOR,
    opt("cancel_at", Shape::Clearable(&Shape::IntOr(CANCEL_AT_PERIOD_END))),
    opt("cancel_at_period_end", Shape::Bool),
    DETAILS,
    opt("collection_method", Shape::Enum(&["charge_automatically", "send_invoice"])),
    opt("days_until_due", Shape::Int),
    opt("default_payment_method", Shape::Clearable(&Shape::Text)),
    opt("default_tax_rates", Shape::Clearable(&Shape::List(&Shape::Text))),
    DISCOUNTS,
    opt("description", Shape::Clearable(&Shape::Text)),
    CHANGED_ITEMS,
    METADATA,
    opt("off_session", Shape::Bool),
    opt("pause_collection", Shape::Clearable(&Shape::Object(PAUSE))),
    PAYMENT_BEHAVIOR,
    SETTINGS,
    PRORATION_BEHAVIOR,
    opt("proration_date", Shape::Int),
    opt("trial_end", Shape::IntOr(&["now"])),
    TRIAL_SETTINGS,
    unsupported(&[
        "application_fee_percent",
        "automatic_tax",
        "billing_schedules",
        "billing_thresholds",
        "default_source",
        "invoice_settings",
        "on_behalf_of",
        "pending_invoice_item_interval",
        "transfer_data",
        "trial_from_plan",
    ]),
];
const RESUME: &[Field] = &[ANCHOR, PRORATION_BEHAVIOR, opt("proration_date", Shape::Int)];

const CANCEL: &[Field] = &[DETAILS, opt("invoice_now", Shape::Bool), opt("prorate", Shape::Bool)];

const STATUSES: &[&str] = &[
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
];
const LIST: &[Field] = &[
    opt("collection_method", Shape::Enum(&["charge_automatically", "send_invoice"])),
    opt("created", Shape::Range),
    opt("current_period_end", Shape::Range),
    opt("current_period_start", Shape::Range),
    opt("customer", Shape::Text),
    opt("price", Shape::Text),
    opt("status", Shape::Enum(STATUSES)),
    opt("test_clock", Shape::Text),
    unsupported(&["automatic_tax", "customer_account"]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/subscriptions", LIST, index),
    post("/v1/subscriptions", CREATE, |call| {
        if call.params["payment_behavior"] == "pending_if_incomplete" {
            let message =
                "`payment_behavior=pending_if_incomplete` can't be used when creating a subscription.";
            return Err(ApiError::invalid(message).param("payment_behavior"));
        }
        let id = create::create(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/subscriptions/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/subscriptions/{id}", UPDATE, |call| {
        let id = call.id().to_owned();
        update::update(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    delete("/v1/subscriptions/{id}", CANCEL, cancel),
    post("/v1/subscriptions/{id}/resume", RESUME, |call| {
        let id = call.tx.find(KIND, call.id(), "id")?.id().to_owned();
        // A period that begins isn't prorated: nothing was paid for the time of the pause.
        rebill::resume(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
];

fn index(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&*call.tx, call.params);
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
    }
    let has_item = |doc: &Doc, wanted: &dyn Fn(&Value) -> bool| tx.items_of(doc).iter().any(wanted);
    page(tx, KIND, "/v1/subscriptions", params, |doc| {
        params["test_clock"].as_str().is_none_or(|clock| doc.test_clock() == Some(clock))
            && ["collection_method", "customer"].iter().all(|field| matches(&doc.object, params, field))
            && status_matches(doc, params["status"].as_str())
            && params["price"]
                .as_str()
                .is_none_or(|price| has_item(doc, &|item| item["price"]["id"] == price))
            && ["current_period_start", "current_period_end"].iter().all(|field| {
                params.get(field).is_none_or(|range| has_item(doc, &|item| in_range(&item[*field], range)))
            })
    })
}

/// Without a status: all that are not canceled.
fn status_matches(doc: &Doc, wanted: Option<&str>) -> bool {
    let status = doc.object["status"].as_str().unwrap_or_default();
    match wanted {
        None => status != "canceled",
        Some("all") => true,
        Some("ended") => Subscription(&doc.object).is_over(),
        Some(wanted) => status == wanted,
    }
}

fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    if Subscription(&doc.object).is_over() {
        return Err(ApiError::missing(KIND, doc.id(), "id"));
    }
    let (tx, params) = (&mut *call.tx, call.params);
    tx.change(KIND, doc.id(), |doc| {
        let details = &mut doc.object["cancellation_details"];
        for field in ["comment", "feedback"] {
            set(details, &params["cancellation_details"], field);
        }
    });
    if params["prorate"] == true {
        rebill::credit_unused(tx, doc.id());
    }
    subscriptions::end(tx, doc.id());
    if params["invoice_now"] == true {
        rebill::bill_rest(tx, doc.id());
    }
    Ok(tx.shown(KIND, doc.id()))
}
