//! What an invoice would be: the next one of a subscription, or the one that a change would bring about.
//!
//! Source: <https://docs.stripe.com/api/invoices/create_preview>

use serde_json::{Map, Value, json};

use super::discounts::{self, On};
use super::invoices::{self, Bill};
use super::shape::NewInvoice;
use super::{create, invoice_items, rebill, renewal, totals};
use crate::engine::objects::{Customer, Invoice, Subscription};
use crate::engine::{ApiError, Kind, Tx, new_secret};

/// What of `subscription_details` is a parameter of changing a subscription.
const CHANGES: &[&str] =
    &["billing_cycle_anchor", "items", "proration_behavior", "proration_date", "trial_end"];

/// The invoice that the parameters of `POST /v1/invoices/create_preview` describe. Nothing of it is kept.
///
/// # Errors
/// If the parameters don't fit; 404 `invoice_upcoming_none` if there is none.
pub(crate) fn preview(tx: &mut Tx, params: &Value) -> Result<Value, ApiError> {
    tx.provisionally(|tx| {
        let invoice = make(tx, params)?;
        if let Some(given) = params.get("discounts") {
            discount(tx, &invoice, given)?;
        }
        shown(tx, &invoice)
    })
}

/// The invoice of a subscription's next renewal. Nothing of it is kept.
///
/// # Errors
/// 404 `invoice_upcoming_none` if there is none.
pub(super) fn upcoming(tx: &mut Tx, subscription: &str) -> Result<Value, ApiError> {
    tx.provisionally(|tx| {
        let invoice = next_of(tx, subscription, &Value::Null)?;
        shown(tx, &invoice)
    })
}

/// Gives the invoice these discounts, rather than those of its subscription or its customer.
fn discount(tx: &mut Tx, id: &str, given: &Value) -> Result<(), ApiError> {
    let doc = tx.find(Kind::Invoice, id, "invoice")?;
    let invoice = Invoice(&doc.object);
    let on = On { customer: invoice.customer(), invoice: Some(id), ..On::default() };
    let discounts = discounts::redeem_all(tx, given, invoice.currency(), on)?;
    tx.change(Kind::Invoice, id, |doc| doc.object["discounts"] = json!(discounts));
    totals::sum_up(tx, id);
    Ok(())
}

fn make(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let details = &params["subscription_details"];
    if let Some(id) = params["subscription"].as_str() {
        let doc = tx.find(Kind::Subscription, id, "subscription")?;
        let subscription = Subscription(&doc.object);
        if params["customer"].as_str().is_some_and(|customer| customer != subscription.customer()) {
            let message = "The subscription does not belong to the customer.";
            return Err(ApiError::invalid(message).param("subscription"));
        }
        return next_of(tx, id, details);
    }
    let Some(customer) = params["customer"].as_str() else {
        return Err(ApiError::required("customer"));
    };
    let doc = tx.find(Kind::Customer, customer, "customer")?;
    if details["items"].is_array() {
        let mut new = Map::from_iter([("customer".to_owned(), json!(customer))]);
        for field in ["items", "trial_end", "billing_cycle_anchor", "proration_behavior"] {
            if let Some(given) = details.get(field) {
                new.insert(field.to_owned(), given.clone());
            }
        }
        return Ok(create::start(tx, &Value::Object(new))?.invoice);
    }
    let newest = tx
        .all_with(Kind::Subscription, "customer", customer)
        .find(|doc| !Subscription(&doc.object).is_over());
    if let Some(id) = newest.map(|doc| doc.id().to_owned()) {
        return next_of(tx, &id, details);
    }
    let currency = Customer(&doc.object).currency().unwrap_or("usd");
    let items = invoice_items::pending(tx, customer, currency, None, true);
    if items.is_empty() {
        return Err(none(customer));
    }
    let new = NewInvoice {
        customer,
        currency,
        collection_method: "charge_automatically",
        reason: "upcoming",
        period: (tx.now(), tx.now()),
        subscription: &Value::Null,
    };
    Ok(invoices::draft(tx, &new, &Bill { items, lines: Vec::new() }))
}

/// The invoice that a change brings about at once, or else the next renewal's.
fn next_of(tx: &mut Tx, id: &str, details: &Value) -> Result<String, ApiError> {
    let asked = CHANGES.iter().filter_map(|name| Some(((*name).to_owned(), details.get(*name)?.clone())));
    let change = Value::Object(asked.collect());
    let before = tx.shown(Kind::Subscription, id);
    if let Some(rebilling) = rebill::prepare(tx, id, &change)? {
        if let Some(invoice) = rebilling.invoice {
            return Ok(invoice);
        }
        rebilling.carry_out(tx, id, &before, &Value::Null)?;
    }
    let none = || none(Subscription(&before).customer());
    let doc = tx.find(Kind::Subscription, id, "subscription")?;
    let at = renewal::at(&doc).ok_or_else(none)?;
    let ends = match (details["cancel_at_period_end"].as_bool(), details.get("cancel_at")) {
        (Some(true), _) => Some(at),
        // By a word that stands for the period's end.
        (_, Some(Value::String(_))) => Some(at),
        (_, Some(cancel_at)) => cancel_at.as_i64(),
        (Some(false), None) => None,
        (None, None) => Subscription(&doc.object).cancel_at(),
    };
    if ends.is_some_and(|end| end <= at) || details["cancel_now"] == true {
        return Err(none());
    }
    tx.set_now(at);
    renewal::begin_period(tx, id);
    let doc = tx.find(Kind::Subscription, id, "subscription")?;
    Subscription(&doc.object).latest_invoice().map(str::to_owned).ok_or_else(none)
}

fn none(customer: &str) -> ApiError {
    ApiError::invalid(format!("No upcoming invoices for customer: {customer}"))
        .status(404)
        .code("invoice_upcoming_none")
}

/// As the API shows it: with ids that name nothing, and all of its lines, of which there is no list anywhere else.
fn shown(tx: &Tx, invoice: &str) -> Result<Value, ApiError> {
    let mut invoice = tx.find(Kind::Invoice, invoice, "invoice")?.object.clone();
    let id = new_secret("upcoming_in_");
    for line in invoice["lines"]["data"].as_array_mut().into_iter().flatten() {
        line["invoice"] = json!(id);
        line["id"] = json!(new_secret("il_tmp_"));
    }
    invoice["lines"]["url"] = json!(format!("/v1/invoices/{id}/lines"));
    invoice["id"] = json!(id);
    Ok(invoice)
}
