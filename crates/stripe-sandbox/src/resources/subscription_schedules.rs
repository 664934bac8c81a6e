//! Subscription schedules.

use super::price_data::INLINE_ITEM;
use super::subscriptions::PRORATION_BEHAVIOR;
use crate::billing::schedules;
use crate::engine::Kind;
use crate::http::{
    Field, METADATA, Route, Shape, get, in_range, list, matches, opt, page, post, req, unsupported,
};

const KIND: Kind = Kind::SubscriptionSchedule;
const PATH: &str = "/v1/subscription_schedules";

const ITEM: &[Field] = &[
    METADATA,
    opt("price", Shape::Text),
    opt("price_data", Shape::Object(INLINE_ITEM)),
    opt("quantity", Shape::Int),
    unsupported(&["billing_thresholds", "discounts", "tax_rates"]),
];
const DURATION: Field = opt(
    "duration",
    Shape::Object(&[
        req("interval", Shape::Enum(&["day", "month", "week", "year"])),
        opt("interval_count", Shape::Int),
    ]),
);
const PHASE: &[Field] = &[
    DURATION,
    opt("end_date", Shape::Int),
    req("items", Shape::List(&Shape::Object(ITEM))),
    PRORATION_BEHAVIOR,
    opt("start_date", Shape::Int),
    unsupported(&[
        "add_invoice_items",
        "application_fee_percent",
        "automatic_tax",
        "billing_cycle_anchor",
        "billing_thresholds",
        "collection_method",
        "default_payment_method",
        "default_tax_rates",
        "description",
        "discounts",
        "invoice_settings",
        "metadata",
        "on_behalf_of",
        "transfer_data",
        "trial",
        "trial_end",
    ]),
];
const END: Field = opt("end_behavior", Shape::Enum(&["release"]));
const CREATE: &[Field] = &[
    END,
    opt("from_subscription", Shape::Text),
    METADATA,
    unsupported(&[
        "billing_mode",
        "customer",
        "customer_account",
        "default_settings",
        "phases",
        "start_date",
    ]),
];
const UPDATE: &[Field] = &[
    END,
    METADATA,
    opt("phases", Shape::List(&Shape::Object(PHASE))),
    opt("proration_behavior", Shape::Enum(&["always_invoice", "create_prorations", "none"])),
    unsupported(&["default_settings"]),
];
const TIMES: [&str; 3] = ["canceled_at", "completed_at", "released_at"];
const LIST: &[Field] = &[
    opt("canceled_at", Shape::Range),
    opt("completed_at", Shape::Range),
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("released_at", Shape::Range),
    opt("scheduled", Shape::Bool),
    unsupported(&["customer_account"]),
];

pub(super) const ROUTES: &[Route] = &[
    list(PATH, LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, PATH, params, |doc| {
            matches(&doc.object, params, "customer")
                && TIMES
                    .iter()
                    .all(|time| params.get(time).is_none_or(|range| in_range(&doc.object[*time], range)))
                && params["scheduled"]
                    .as_bool()
                    .is_none_or(|wanted| (doc.object["status"] == "not_started") == wanted)
        })
    }),
    post(PATH, CREATE, |call| {
        let id = schedules::create(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/subscription_schedules/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/subscription_schedules/{id}", UPDATE, |call| {
        let id = call.id().to_owned();
        // A phase that runs stays as it is, so there is nothing to prorate.
        schedules::update(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/subscription_schedules/{id}/cancel", &[unsupported(&["invoice_now", "prorate"])], |call| {
        let id = call.id().to_owned();
        schedules::cancel(call.tx, &id)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/subscription_schedules/{id}/release", &[unsupported(&["preserve_cancel_date"])], |call| {
        let id = call.id().to_owned();
        schedules::let_go(call.tx, &id)?;
        Ok(call.tx.shown(KIND, &id))
    }),
];
