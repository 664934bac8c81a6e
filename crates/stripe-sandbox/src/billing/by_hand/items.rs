//! Invoice items that a request makes itself, and the drafts that they are on.

use serde_json::{Value, json};

use crate::billing::amount;
use crate::billing::invoice_items::{self, NewInvoiceItem};
use crate::billing::{discounts, prices, tax_rates, totals};
use crate::engine::objects::{Customer, Invoice, InvoiceStatus, Price, Subscription};
use crate::engine::{ApiError, Kind, Tx};
use crate::http::{merge_metadata, new_metadata};

const KIND: Kind = Kind::InvoiceItem;

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
    tx.change(KIND, &id, |doc| doc.object["tax_rates"] = json!(rates));
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
    let doc = tx.find(KIND, id, "id")?;
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
    tx.update(KIND, id, "invoiceitem.updated", |doc| {
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
    let doc = tx.find(KIND, id, "id")?;
    let on = doc.object["invoice"].as_str();
    if let Some(invoice) = on {
        editable(tx, invoice)?;
    }
    tx.emit("invoiceitem.deleted", KIND, id);
    let deleted = tx.mark_deleted(KIND, id);
    if let Some(invoice) = on {
        show_on(tx, invoice);
    }
    Ok(deleted)
}

/// A draft.
fn editable(tx: &Tx, invoice: &str) -> Result<Value, ApiError> {
    let doc = tx.find(Kind::Invoice, invoice, "invoice")?;
    if Invoice(&doc.object).is(InvoiceStatus::Draft) {
        return Ok(doc.object.clone());
    }
    let message = "The invoice is finalized; its items can't be changed any more.";
    Err(ApiError::invalid(message).code("invoice_not_editable").param("invoice"))
}

/// Brings the lines of a draft in accord with the invoice items that are on it.
fn show_on(tx: &mut Tx, invoice: &str) {
    let mut on_it: Vec<Value> =
        tx.all_with(KIND, "invoice", invoice).map(|item| item.object.clone()).collect();
    on_it.reverse();
    let before = tx.shown(Kind::Invoice, invoice);
    tx.change(Kind::Invoice, invoice, |doc| {
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
    tx.emit_changes(&before, "invoice.updated", Kind::Invoice, invoice);
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
