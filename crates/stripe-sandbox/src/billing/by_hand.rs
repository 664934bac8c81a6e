//! Invoices that a request makes itself; and, in a part of its own, invoice items.
//!
//! Source: <https://docs.stripe.com/invoicing/integration>

mod items;

use serde_json::{Value, json};

pub(crate) use self::items::{create_item, delete_item, update_item};
use super::create::check_owner;
use super::discounts::{self, On};
use super::invoices::{self, Bill};
use super::shape::{DRAFT_SECONDS, NewInvoice};
use super::{invoice_items, tax_rates, totals};
use crate::engine::objects::{Customer, Invoice, InvoiceStatus};
use crate::engine::{ApiError, Kind, Tx};
use crate::http::{given, merge_metadata, new_metadata, set};

const KIND: Kind = Kind::Invoice;

/// Makes a draft by the parameters of `POST /v1/invoices`. Returns its id.
///
/// # Errors
/// If the customer or the subscription isn't there, or the parameters don't fit each other.
pub(crate) fn create(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let subscription = match params["subscription"].as_str() {
        Some(id) => {
            tx.find(Kind::Subscription, id, "subscription")?;
            tx.shown(Kind::Subscription, id)
        }
        None => Value::Null,
    };
    let of_subscription = subscription["customer"].as_str();
    let customer =
        params["customer"].as_str().or(of_subscription).ok_or_else(|| ApiError::required("customer"))?;
    if of_subscription.is_some_and(|owner| owner != customer) {
        let message = "The subscription does not belong to the customer.";
        return Err(ApiError::invalid(message).param("subscription"));
    }
    let doc = tx.find(Kind::Customer, customer, "customer")?;
    if let Some(method) = params["default_payment_method"].as_str() {
        check_owner(tx, method, customer)?;
    }
    let known = subscription["currency"].as_str().or(Customer(&doc.object).currency());
    let new = NewInvoice {
        customer,
        currency: params["currency"].as_str().or(known).unwrap_or("usd"),
        collection_method: params["collection_method"].as_str().unwrap_or("charge_automatically"),
        reason: "manual",
        period: (tx.now(), tx.now()),
        subscription: &subscription,
    };
    check_due(params, new.collection_method)?;
    let items = if params["pending_invoice_items_behavior"] == "include" {
        let wanted = params["subscription"].as_str();
        invoice_items::pending(tx, customer, new.currency, wanted, wanted.is_none())
    } else {
        Vec::new()
    };
    let id = invoices::insert(tx, &new, &Bill { items, lines: Vec::new() });
    tx.change(KIND, &id, |doc| {
        doc.object["metadata"] = new_metadata(params);
        doc.object["auto_advance"] = given(params, "auto_advance", json!(false));
    });
    apply(tx, &id, params);
    adjust(tx, &id, params)?;
    tx.emit("invoice.created", KIND, &id);
    Ok(id)
}

/// Changes a draft by the parameters of `POST /v1/invoices/{id}`; of a finalized invoice, what may still be changed.
///
/// # Errors
/// If the invoice is finalized and the parameters are a draft's, or they don't fit.
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    const ALWAYS: [&str; 3] = ["auto_advance", "default_payment_method", "metadata"];
    let doc = tx.find(KIND, id, "id")?;
    let invoice = Invoice(&doc.object);
    let mut given = params.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    if !invoice.is(InvoiceStatus::Draft)
        && let Some(other) = given.find(|name| !ALWAYS.contains(name))
    {
        let message = format!("Finalized invoices can't be updated in this way: `{other}`.");
        return Err(ApiError::invalid(message).code("invoice_not_editable").param(other));
    }
    if let Some(method) = params["default_payment_method"].as_str() {
        check_owner(tx, method, invoice.customer())?;
    }
    let method = params["collection_method"].as_str().or(doc.object["collection_method"].as_str());
    check_due(params, method.unwrap_or_default())?;
    let before = tx.shown(KIND, id);
    tx.change(KIND, id, |doc| {
        set(&mut doc.object, params, "auto_advance");
        merge_metadata(&mut doc.object, params);
    });
    apply(tx, id, params);
    adjust(tx, id, params)?;
    tx.emit_changes(&before, "invoice.updated", KIND, id);
    Ok(())
}

/// Gives a draft the discounts and the tax rates that are asked for.
fn adjust(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let Some(doc) = tx.get(KIND, id) else { return Ok(()) };
    if params.get("discounts").is_none() && params.get("default_tax_rates").is_none() {
        return Ok(());
    }
    let invoice = Invoice(&doc.object);
    if let Some(given) = params.get("discounts") {
        let on = On { customer: invoice.customer(), invoice: Some(id), ..On::default() };
        let ids = discounts::redeem_all(tx, given, invoice.currency(), on)?;
        tx.change(KIND, id, |doc| doc.object["discounts"] = json!(ids));
    }
    if let Some(given) = params.get("default_tax_rates") {
        let rates = tax_rates::of(tx, given, "default_tax_rates")?;
        tx.change(KIND, id, |doc| doc.object["default_tax_rates"] = json!(rates));
    }
    totals::sum_up(tx, id);
    Ok(())
}

fn check_due(params: &Value, collection_method: &str) -> Result<(), ApiError> {
    for param in ["days_until_due", "due_date"] {
        if params[param].is_i64() && collection_method != "send_invoice" {
            let message = format!("`{param}` can only be set where `collection_method` is `send_invoice`.");
            return Err(ApiError::invalid(message).param(param));
        }
    }
    if params["days_until_due"].is_i64() && params["due_date"].is_i64() {
        let message = "You may only specify one of these parameters: days_until_due, due_date.";
        return Err(ApiError::invalid(message).param("due_date"));
    }
    Ok(())
}

/// Takes over what creating and updating have in common.
fn apply(tx: &mut Tx, id: &str, params: &Value) {
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        let invoice = &mut doc.object;
        for field in [
            "collection_method",
            "custom_fields",
            "default_payment_method",
            "description",
            "due_date",
            "effective_at",
            "footer",
            "number",
            "statement_descriptor",
        ] {
            set(invoice, params, field);
        }
        if Invoice(invoice).is(InvoiceStatus::Draft) {
            let advances = invoice["auto_advance"] == true;
            let at = params["automatically_finalizes_at"].as_i64().unwrap_or(now + DRAFT_SECONDS);
            invoice["automatically_finalizes_at"] = json!(advances.then_some(at));
        }
        if let Some(days) = params.get("days_until_due") {
            doc.hidden["days_until_due"] = days.clone();
        }
    });
}

/// Finalizes a draft. Where it advances by itself from then on, it is collected: Stripe doesn't say when, and as long after
/// as a draft waits is assumed.
pub(crate) fn finalize(tx: &mut Tx, id: &str, params: &Value) {
    invoices::finalize(tx, id);
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        if !Invoice(&doc.object).is(InvoiceStatus::Open) {
            return;
        }
        set(&mut doc.object, params, "auto_advance");
        if params["auto_advance"] == true && Invoice(&doc.object).charges_automatically() {
            doc.object["next_payment_attempt"] = json!(now + DRAFT_SECONDS);
        }
    });
}

/// Deletes a draft that was made by hand; the invoice items on it go with it.
///
/// # Errors
/// If it is finalized, or a subscription's.
pub(crate) fn delete(tx: &mut Tx, id: &str) -> Result<Value, ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let invoice = Invoice(&doc.object);
    if !invoice.is(InvoiceStatus::Draft) || invoice.billing_reason() != Some("manual") {
        let message = "You can only delete draft invoices that were made by hand.";
        return Err(ApiError::invalid(message).code("invoice_not_editable"));
    }
    tx.emit("invoice.deleted", KIND, id);
    let on_it = tx.all_with(Kind::InvoiceItem, "invoice", id);
    let on_it: Vec<String> = on_it.map(|item| item.id().to_owned()).collect();
    for item in on_it {
        tx.mark_deleted(Kind::InvoiceItem, &item);
    }
    Ok(tx.mark_deleted(KIND, id))
}
