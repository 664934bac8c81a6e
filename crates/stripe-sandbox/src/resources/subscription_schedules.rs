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
/// What a phase has when it is made and when it is changed.
macro_rules! phase {
    ($($more:expr),* $(,)?) => {
        &[
            DURATION,
            opt("end_date", Shape::Int),
            req("items", Shape::List(&Shape::Object(ITEM))),
            // As before versions with `duration`, and as Stripe's CLI still sends it (its fixtures `subscription_schedule.*`).
            opt("iterations", Shape::Int),
            PRORATION_BEHAVIOR,
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
            $($more),*
        ]
    };
}
const NEW_PHASE: &[Field] = phase![unsupported(&["currency"])];
const PHASE: &[Field] = phase![opt("start_date", Shape::Int)];
const END: Field = opt("end_behavior", Shape::Enum(&["cancel", "release"]));
const CREATE: &[Field] = &[
    opt("customer", Shape::Text),
    END,
    opt("from_subscription", Shape::Text),
    METADATA,
    opt("phases", Shape::List(&Shape::Object(NEW_PHASE))),
    opt("start_date", Shape::IntOr(&["now"])),
    unsupported(&["billing_mode", "customer_account", "default_settings"]),
];
const UPDATE: &[Field] = &[
    END,
    METADATA,
    opt("phases", Shape::List(&Shape::Object(PHASE))),
    opt("proration_behavior", Shape::Enum(&["always_invoice", "create_prorations", "none"])),
    unsupported(&["default_settings"]),
];
const CANCEL: &[Field] = &[opt("invoice_now", Shape::Bool), opt("prorate", Shape::Bool)];
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
    post("/v1/subscription_schedules/{id}/cancel", CANCEL, |call| {
        let id = call.id().to_owned();
        schedules::cancel(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/subscription_schedules/{id}/release", &[opt("preserve_cancel_date", Shape::Bool)], |call| {
        let id = call.id().to_owned();
        schedules::let_go(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
];
