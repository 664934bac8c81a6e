//! Invoices and invoice items that a request makes itself.
//!
//! Source: <https://docs.stripe.com/invoicing/integration>

use serde_json::{Value, json};

use super::amount::amount;
use super::create::check_owner;
use super::discounts::{self, On};
use super::invoice_items::{self, NewInvoiceItem};
use super::invoices::{self, Bill};
use super::shape::{DRAFT_SECONDS, NewInvoice};
use super::{prices, tax_rates, totals};
use crate::engine::objects::{Customer, Invoice, InvoiceStatus, Price, Subscription};
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

/// Makes an invoice item by the parameters of `POST /v1/invoiceitems`. Returns its id.
///
/// # Errors
/// If the customer, the price or the invoice isn't there, or the parameters don't fit each other.
pub(crate) fn create_item(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let draft = params["invoice"].as_str().map(|id| editable(tx, id)).transpose()?;
    let of_draft = draft.as_ref().and_then(|draft| draft["customer"].as_str());
    let customer = params["customer"].as_str().or(of_draft).ok_or_else(|| ApiError::required("customer"))?;
    let doc = tx.find(Kind::Customer, customer, "customer")?;
    if of_draft.is_some_and(|owner| owner != customer) {
        return Err(ApiError::invalid("The invoice does not belong to the customer.").param("invoice"));
    }
    let subscription = &params["subscription"];
    if let Some(id) = subscription.as_str() {
        let doc = tx.find(Kind::Subscription, id, "subscription")?;
        if Subscription(&doc.object).customer() != customer {
            let message = "The subscription does not belong to the customer.";
            return Err(ApiError::invalid(message).param("subscription"));
        }
    }
    let known = draft.as_ref().and_then(|draft| draft["currency"].as_str());
    let known = known.or(Customer(&doc.object).currency());
    let mut new = NewInvoiceItem::of(customer, params["currency"].as_str().or(known).unwrap_or("usd"));
    let now = tx.now();
    new.period = (now, now);
    new.metadata = new_metadata(params);
    new.subscription = subscription.clone();
    priced(tx, params, &mut new)?;
    described(params, &mut new)?;
    let rates = tax_rates::of(tx, &params["tax_rates"], "tax_rates")?;
    let id = invoice_items::insert(tx, &new);
    tx.change(Kind::InvoiceItem, &id, |doc| doc.object["tax_rates"] = json!(rates));
    discounts::give_to_invoice_item(tx, &id, params)?;
    if let Some(invoice) = params["invoice"].as_str() {
        invoice_items::taken(tx, &id, invoice);
        show_on(tx, invoice);
    }
    Ok(id)
}

/// Changes an invoice item by the parameters of `POST /v1/invoiceitems/{id}`.
///
/// # Errors
/// If it is on a finalized invoice, or the parameters don't fit.
pub(crate) fn update_item(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(Kind::InvoiceItem, id, "id")?;
    let on = doc.object["invoice"].as_str().map(str::to_owned);
    if let Some(invoice) = &on {
        editable(tx, invoice)?;
    }
    let object = &doc.object;
    let priced_anew = ["amount", "price_data", "pricing", "quantity", "unit_amount_decimal"];
    if object["proration"] == true && priced_anew.iter().any(|param| !params[*param].is_null()) {
        let message = "The amount of a proration can't be changed.";
        return Err(ApiError::invalid(message).param("amount"));
    }
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let mut new = NewInvoiceItem::of(text("customer"), text("currency"));
    new.amount = object["amount"].as_i64().unwrap_or_default();
    new.quantity = object["quantity"].as_i64().unwrap_or(1);
    new.pricing = object["pricing"].clone();
    new.description = object["description"].clone();
    new.discountable = object["discountable"] == true;
    let time = |field: &str| object["period"][field].as_i64().unwrap_or_default();
    new.period = (time("start"), time("end"));
    if priced_anew.iter().any(|param| !params[*param].is_null()) {
        let mut params = params.clone();
        let price = &object["pricing"]["price_details"]["price"];
        let other = ["amount", "price_data", "pricing", "unit_amount_decimal"];
        if price.is_string() && other.iter().all(|param| params[*param].is_null()) {
            params["pricing"] = json!({"price": price});
        } else if params["unit_amount_decimal"].is_null()
            && other.iter().all(|param| params[*param].is_null())
        {
            params["unit_amount_decimal"] = object["pricing"]["unit_amount_decimal"].clone();
        }
        priced(tx, &params, &mut new)?;
    }
    described(params, &mut new)?;
    let rates = params.get("tax_rates").map(|given| tax_rates::of(tx, given, "tax_rates")).transpose()?;
    tx.update(Kind::InvoiceItem, id, "invoiceitem.updated", |doc| {
        let object = &mut doc.object;
        merge_metadata(object, params);
        for (field, value) in [
            ("amount", json!(new.amount)),
            ("net_amount", json!(new.amount)),
            ("quantity", json!(new.quantity)),
            ("quantity_decimal", json!(new.quantity.to_string())),
            ("pricing", new.pricing.clone()),
            ("description", new.description.clone()),
            ("discountable", json!(new.discountable)),
            ("period", json!({"start": new.period.0, "end": new.period.1})),
        ] {
            object[field] = value;
        }
        if let Some(rates) = rates {
            object["tax_rates"] = json!(rates);
        }
    });
    discounts::give_to_invoice_item(tx, id, params)?;
    if let Some(invoice) = on {
        show_on(tx, &invoice);
    }
    Ok(())
}

/// Deletes an invoice item.
///
/// # Errors
/// If it is on a finalized invoice.
pub(crate) fn delete_item(tx: &mut Tx, id: &str) -> Result<Value, ApiError> {
    let doc = tx.find(Kind::InvoiceItem, id, "id")?;
    let on = doc.object["invoice"].as_str();
    if let Some(invoice) = on {
        editable(tx, invoice)?;
    }
    tx.emit("invoiceitem.deleted", Kind::InvoiceItem, id);
    let deleted = tx.mark_deleted(Kind::InvoiceItem, id);
    if let Some(invoice) = on {
        show_on(tx, invoice);
    }
    Ok(deleted)
}

/// A draft.
fn editable(tx: &Tx, invoice: &str) -> Result<Value, ApiError> {
    let doc = tx.find(KIND, invoice, "invoice")?;
    if Invoice(&doc.object).is(InvoiceStatus::Draft) {
        return Ok(doc.object.clone());
    }
    let message = "The invoice is finalized; its items can't be changed any more.";
    Err(ApiError::invalid(message).code("invoice_not_editable").param("invoice"))
}

/// Brings the lines of a draft in accord with the invoice items that are on it.
fn show_on(tx: &mut Tx, invoice: &str) {
    let mut on_it: Vec<Value> =
        tx.all_with(Kind::InvoiceItem, "invoice", invoice).map(|item| item.object.clone()).collect();
    on_it.reverse();
    let before = tx.shown(KIND, invoice);
    tx.change(KIND, invoice, |doc| {
        let Some(lines) = doc.object["lines"]["data"].as_array_mut() else { return };
        let item_of = |line: &Value| {
            let parent = &line["parent"];
            let details = [&parent["invoice_item_details"], &parent["subscription_item_details"]];
            details.iter().find_map(|details| details["invoice_item"].as_str()).map(str::to_owned)
        };
        let old = std::mem::take(lines);
        for item in &on_it {
            let mut line = invoice_items::line(item, invoice);
            // A line keeps its id.
            if let Some(known) = old.iter().find(|line| item_of(line).as_deref() == item["id"].as_str()) {
                line["id"] = known["id"].clone();
            }
            lines.push(line);
        }
        lines.extend(old.into_iter().filter(|line| item_of(line).is_none()));
    });
    totals::sum_up(tx, invoice);
    tx.emit_changes(&before, "invoice.updated", KIND, invoice);
}

/// What it costs: an amount, or a price times a quantity.
fn priced(tx: &mut Tx, params: &Value, new: &mut NewInvoiceItem) -> Result<(), ApiError> {
    let ways = ["amount", "pricing", "price_data", "unit_amount_decimal"];
    let given: Vec<&str> = ways.into_iter().filter(|way| !params[*way].is_null()).collect();
    if given.len() > 1 {
        let message = format!("You may only specify one of these parameters: {}.", given.join(", "));
        return Err(ApiError::invalid(message).param(given[1]));
    }
    let quantity = params["quantity"].as_i64();
    if quantity.is_some_and(|quantity| quantity < 0) {
        let message = "This value must be greater than or equal to 0.";
        return Err(ApiError::invalid(message).param("quantity"));
    }
    if let Some(whole) = params["amount"].as_i64() {
        if quantity.is_some_and(|quantity| quantity != 1) {
            let message = "You may only specify one of these parameters: amount, quantity.";
            return Err(ApiError::invalid(message).param("quantity"));
        }
        new.amount = whole;
        new.pricing = Value::Null;
        return Ok(());
    }
    let quantity = quantity.unwrap_or(new.quantity);
    let price = match given.first() {
        Some(&"pricing") => match params["pricing"]["price"].as_str() {
            Some(id) => tx.find(Kind::Price, id, "pricing[price]")?.object.clone(),
            None => return Err(ApiError::required("pricing[price]")),
        },
        Some(&"price_data") => prices::create_inline(tx, &params["price_data"], "price_data")?,
        Some(&"unit_amount_decimal") => {
            json!({"unit_amount": null, "unit_amount_decimal": params["unit_amount_decimal"], "currency": new.currency})
        }
        _ => return Err(ApiError::required("amount")),
    };
    if price["type"] == "recurring" {
        let message = "The price specified is set to `type=recurring` but this field only accepts prices with \
                       `type=one_time`.";
        return Err(ApiError::invalid(message).param("pricing[price]"));
    }
    let own = Price(&price).currency();
    if own != new.currency && !params["currency"].is_null() {
        let message = format!("The price specified only supports `{own}`.");
        return Err(ApiError::invalid(message).param("currency"));
    }
    new.currency = own.to_owned();
    new.quantity = quantity;
    new.amount = amount(&price, quantity);
    let details = json!({"price": price["id"], "product": price["product"]});
    new.pricing = json!({
        "type": "price_details",
        "price_details": if price["id"].is_null() { Value::Null } else { details },
        "unit_amount_decimal": price["unit_amount_decimal"],
    });
    if price["id"].is_null()
        && let Some(pricing) = new.pricing.as_object_mut()
    {
        pricing.remove("price_details");
    }
    let product = tx.get(Kind::Product, Price(&price).product());
    if let Some(product) = product
        && new.description.is_null()
    {
        new.description = product.object["name"].clone();
    }
    Ok(())
}

fn described(params: &Value, new: &mut NewInvoiceItem) -> Result<(), ApiError> {
    if let Some(description) = params.get("description") {
        new.description = description.clone();
    }
    if let Some(discountable) = params["discountable"].as_bool() {
        new.discountable = discountable;
    }
    if let (Some(start), Some(end)) = (params["period"]["start"].as_i64(), params["period"]["end"].as_i64()) {
        if end < start {
            let message = "The end of a period can't be before its start.";
            return Err(ApiError::invalid(message).param("period[end]"));
        }
        new.period = (start, end);
    }
    Ok(())
}
