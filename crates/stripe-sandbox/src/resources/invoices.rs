//! Invoices.

use serde_json::Value;

use super::discounts::DISCOUNTS;
use super::subscriptions::{CANCEL_AT_PERIOD_END, CHANGED_ITEMS, PRORATION_BEHAVIOR};
use crate::billing::{by_hand, invoices, paying, pending_update, preview, subscriptions};
use crate::engine::objects::{Invoice, InvoiceStatus, Subscription, SubscriptionStatus};
use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, in_range, list, matches, opt, page, page_of_values,
    post, req, unsupported,
};
use crate::payments::{ConfirmOptions, methods};

const KIND: Kind = Kind::Invoice;

const LIST: &[Field] = &[
    opt("collection_method", Shape::Enum(&["charge_automatically", "send_invoice"])),
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("due_date", Shape::Range),
    opt("status", Shape::Enum(&["draft", "open", "paid", "uncollectible", "void"])),
    opt("subscription", Shape::Text),
    unsupported(&["customer_account"]),
];
const PAY: &[Field] = &[
    opt("off_session", Shape::Bool),
    opt("paid_out_of_band", Shape::Bool),
    opt("payment_method", Shape::Text),
    unsupported(&["forgive", "mandate", "source"]),
];

/// What creating and updating have in common.
macro_rules! fields {
    ($($more:expr),* $(,)?) => {
        &[
            opt("auto_advance", Shape::Bool),
            opt("automatically_finalizes_at", Shape::Int),
            opt("collection_method", Shape::Enum(&["charge_automatically", "send_invoice"])),
            opt(
                "custom_fields",
                Shape::Clearable(&Shape::List(&Shape::Object(&[
                    req("name", Shape::Text),
                    req("value", Shape::Text),
                ]))),
            ),
            opt("days_until_due", Shape::Int),
            opt("default_payment_method", Shape::Text),
            opt("description", Shape::Text),
            opt("due_date", Shape::Int),
            opt("footer", Shape::Text),
            METADATA,
            opt("statement_descriptor", Shape::Text),
            DISCOUNTS,
            unsupported(&[
                "account_tax_ids",
                "application_fee_amount",
                "automatic_tax",
                "default_source",
                "issuer",
                "on_behalf_of",
                "payment_settings",
                "rendering",
                "shipping_cost",
                "shipping_details",
                "transfer_data",
            ]),
            $($more),*
        ]
    };
}
const CREATE: &[Field] = fields![
    opt("default_tax_rates", Shape::List(&Shape::Text)),
    opt("currency", Shape::Text),
    opt("customer", Shape::Text),
    opt("effective_at", Shape::Int),
    opt("number", Shape::Text),
    opt("pending_invoice_items_behavior", Shape::Enum(&["exclude", "include"])),
    opt("subscription", Shape::Text),
    unsupported(&["customer_account", "from_invoice"]),
];
const UPDATE: &[Field] = fields![
    opt("default_tax_rates", Shape::Clearable(&Shape::List(&Shape::Text))),
    opt("effective_at", Shape::Clearable(&Shape::Int)),
    opt("number", Shape::Clearable(&Shape::Text)),
];
const DETAILS: &[Field] = &[
    opt("billing_cycle_anchor", Shape::Enum(&["now", "unchanged"])),
    opt("cancel_at", Shape::Clearable(&Shape::IntOr(CANCEL_AT_PERIOD_END))),
    opt("cancel_at_period_end", Shape::Bool),
    opt("cancel_now", Shape::Bool),
    CHANGED_ITEMS,
    PRORATION_BEHAVIOR,
    opt("proration_date", Shape::Int),
    opt("trial_end", Shape::IntOr(&["now"])),
    unsupported(&[
        "billing_mode",
        "billing_schedules",
        "default_tax_rates",
        "metadata",
        "resume_at",
        "start_date",
    ]),
];
const PREVIEW: &[Field] = &[
    opt("customer", Shape::Text),
    opt("subscription", Shape::Text),
    opt("subscription_details", Shape::Object(DETAILS)),
    DISCOUNTS,
    unsupported(&[
        "automatic_tax",
        "currency",
        "customer_account",
        "customer_details",
        "invoice_items",
        "issuer",
        "on_behalf_of",
        "preview_mode",
        "schedule",
        "schedule_details",
    ]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/invoices", LIST, index),
    post("/v1/invoices", CREATE, |call| {
        let id = by_hand::create(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/invoices/create_preview", PREVIEW, |call| preview::preview(call.tx, call.params)),
    get("/v1/invoices/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| call.tx.render(KIND, &doc))
    }),
    post("/v1/invoices/{id}", UPDATE, |call| {
        let id = call.id().to_owned();
        by_hand::update(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    delete("/v1/invoices/{id}", &[], |call| {
        let id = call.id().to_owned();
        by_hand::delete(call.tx, &id)
    }),
    list("/v1/invoices/{id}/lines", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        let lines = doc.object["lines"]["data"].as_array().cloned().unwrap_or_default();
        page_of_values(&lines, KIND, &format!("/v1/invoices/{}/lines", doc.id()), call.params)
    }),
    post("/v1/invoices/{id}/finalize", &[opt("auto_advance", Shape::Bool)], finalize),
    post("/v1/invoices/{id}/pay", PAY, pay),
    post("/v1/invoices/{id}/send", &[], send),
    post("/v1/invoices/{id}/void", &[], void),
    post("/v1/invoices/{id}/mark_uncollectible", &[], |call| {
        let id = call.id().to_owned();
        invoices::mark_uncollectible(call.tx, &id)?;
        Ok(call.tx.shown(KIND, &id))
    }),
];

fn index(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&*call.tx, call.params);
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
    }
    let subscription = params["subscription"].as_str();
    page(tx, KIND, "/v1/invoices", params, |doc| {
        ["collection_method", "customer", "status"].iter().all(|field| matches(&doc.object, params, field))
            && subscription.is_none_or(|id| Invoice(&doc.object).subscription() == Some(id))
            && params.get("due_date").is_none_or(|range| in_range(&doc.object["due_date"], range))
    })
}

fn finalize(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    if !Invoice(&doc.object).is(InvoiceStatus::Draft) {
        let message = "This invoice is already finalized, you can't re-finalize a non-draft invoice.";
        return Err(ApiError::invalid(message).code("invoice_already_finalized"));
    }
    by_hand::finalize(call.tx, doc.id(), call.params);
    Ok(call.tx.shown(KIND, doc.id()))
}

/// A draft is finalized by it. No message goes out.
fn send(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, id) = (&mut *call.tx, doc.id());
    if Invoice(&doc.object).charges_automatically() {
        let message =
            "You can only manually send an invoice if its `collection_method` is set to `send_invoice`.";
        return Err(ApiError::invalid(message));
    }
    match Invoice(&doc.object).status() {
        Some(InvoiceStatus::Draft) => invoices::finalize(tx, id),
        Some(InvoiceStatus::Open) => {}
        _ => return Err(invoices::wrong_status(&doc, "sent")),
    }
    tx.emit("invoice.sent", KIND, id);
    Ok(tx.shown(KIND, id))
}

fn pay(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params, id) = (&mut *call.tx, call.params, doc.id());
    match Invoice(&doc.object).status() {
        Some(InvoiceStatus::Draft) => invoices::finalize(tx, id),
        Some(InvoiceStatus::Open | InvoiceStatus::Uncollectible) => {}
        Some(InvoiceStatus::Paid) => {
            return Err(ApiError::invalid("Invoice is already paid").code("invoice_already_paid"));
        }
        Some(InvoiceStatus::Void) | None => return Err(invoices::wrong_status(&doc, "paid")),
    }
    if tx.get(KIND, id).is_some_and(|doc| Invoice(&doc.object).is(InvoiceStatus::Paid)) {
        return Ok(tx.shown(KIND, id));
    }
    if params["paid_out_of_band"] == true {
        paying::paid_elsewhere(tx, id);
        return Ok(tx.shown(KIND, id));
    }
    let method = match params["payment_method"].as_str() {
        Some(given) => Some(methods::resolve(tx, given, "payment_method")?),
        None => invoices::default_method(tx, &doc),
    };
    let Some(method) = method else {
        let message = "There is no `default_payment_method` set on this Customer or Invoice. Please attach a \
                       payment method to the Customer, or pass one with this request.";
        return Err(ApiError::invalid(message).code("missing"));
    };
    // Paying through this call is without the customer unless said otherwise.
    let off_session = params["off_session"].as_bool().unwrap_or(true);
    paying::pay(tx, id, &method, &ConfirmOptions { off_session, ..ConfirmOptions::default() })?;
    if tx.get(KIND, id).is_some_and(|doc| Invoice(&doc.object).is(InvoiceStatus::Paid)) {
        return Ok(tx.shown(KIND, id));
    }
    let message = "This payment requires additional user action before it can be completed successfully. Payment can \
                   be completed using the PaymentIntent associated with this invoice.";
    Err(ApiError::card("invoice_payment_intent_requires_action", message).keeping_changes())
}

/// Voiding the first invoice of a subscription that waits for it ends the subscription.
fn void(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, id) = (&mut *call.tx, doc.id());
    invoices::void(tx, id)?;
    let waiting = Invoice(&doc.object).subscription().filter(|subscription| {
        tx.get(Kind::Subscription, subscription).is_some_and(|doc| {
            let subscription = Subscription(&doc.object);
            subscription.is(SubscriptionStatus::Incomplete) && subscription.latest_invoice() == Some(id)
        })
    });
    if let Some(subscription) = waiting {
        subscriptions::expire(tx, subscription);
    } else if let Some(subscription) = Invoice(&doc.object).subscription() {
        pending_update::voided(tx, subscription, id);
    }
    Ok(tx.shown(KIND, id))
}
