//! The lines of a credit note: parts of the invoice's own, or what is written down for it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::billing::{adjustments, amount, tax_rates, totals};
use crate::engine::objects::CreditNote;
use crate::engine::{ApiError, Doc, Kind, Tx, new_secret};
use crate::http::new_metadata;

/// What only a custom line takes.
const CUSTOM: [&str; 4] = ["description", "tax_rates", "unit_amount", "unit_amount_decimal"];

/// The lines that the parameters ask for. Assumed: an amount without lines becomes one custom line, without taxes.
///
/// # Errors
/// If neither an amount nor lines are given, or both; or a line isn't the invoice's, or asks for more than is left of it.
pub(super) fn of(
    tx: &Tx,
    invoice: &Doc,
    issued: &[Arc<Doc>],
    params: &Value,
) -> Result<Vec<Value>, ApiError> {
    let lines = params["lines"].as_array().filter(|lines| !lines.is_empty());
    match (params["amount"].as_i64(), lines) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: amount, lines.";
            Err(ApiError::invalid(message).param("lines"))
        }
        (None, None) => {
            let message = "You must specify one of these parameters: amount, lines, shipping_cost.";
            Err(ApiError::invalid(message).code("parameter_missing").param("amount"))
        }
        (Some(whole), None) => {
            let mut line = line("custom_line_item", whole, &Value::Null);
            line["quantity"] = json!(1);
            line["unit_amount"] = json!(whole);
            line["unit_amount_decimal"] = json!(whole.to_string());
            Ok(vec![line])
        }
        (None, Some(lines)) => {
            let mut rows: Vec<Value> = Vec::new();
            for (index, given) in lines.iter().enumerate() {
                let at = |field: &str| format!("lines[{index}][{field}]");
                rows.push(match given["type"].as_str() {
                    Some("invoice_line_item") => of_invoice(tx, invoice, issued, &rows, given, &at)?,
                    _ => custom(tx, invoice, given, &at)?,
                });
            }
            Ok(rows)
        }
    }
}

fn line(kind: &str, amount: i64, given: &Value) -> Value {
    let metadata = if given["metadata"].is_object() { new_metadata(given) } else { Value::Null };
    json!({
        "id": new_secret("cnli_"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": given["description"],
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": false,
        "metadata": metadata,
        "pretax_credit_amounts": [],
        "quantity": given["quantity"],
        "tax_rates": [],
        "taxes": [],
        "type": kind,
        "unit_amount": null,
        "unit_amount_decimal": null,
    })
}

/// Discounts, as they stand among what reduces an amount before taxes.
pub(super) fn pretax_credits(discounts: &[Value]) -> Vec<Value> {
    let credit =
        |given: &Value| json!({"amount": given["amount"], "discount": given["discount"], "type": "discount"});
    discounts.iter().map(credit).collect()
}

/// A part of one of the invoice's lines, with the same part of its discounts and taxes.
fn of_invoice(
    tx: &Tx,
    invoice: &Doc,
    issued: &[Arc<Doc>],
    rows: &[Value],
    given: &Value,
    at: &dyn Fn(&str) -> String,
) -> Result<Value, ApiError> {
    if let Some(other) = CUSTOM.into_iter().find(|param| !given[*param].is_null()) {
        let message = format!("`{other}` can only be given where `type` is `custom_line_item`.");
        return Err(ApiError::invalid(message).param(&at(other)));
    }
    let id =
        given["invoice_line_item"].as_str().ok_or_else(|| ApiError::required(&at("invoice_line_item")))?;
    let lines = invoice.object["lines"]["data"].as_array();
    let Some(of) = lines.into_iter().flatten().find(|line| line["id"] == id) else {
        let message = format!("The invoice {} has no line item {id}.", invoice.id());
        return Err(ApiError::invalid(message).code("resource_missing").param(&at("invoice_line_item")));
    };
    let whole = of["amount"].as_i64().unwrap_or_default();
    let (asked, param) = match (given["amount"].as_i64(), given["quantity"].as_i64()) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: amount, quantity.";
            return Err(ApiError::invalid(message).param(&at("quantity")));
        }
        (Some(amount), None) => (amount, "amount"),
        (None, Some(quantity)) => {
            let of_quantity = of["quantity"].as_i64().unwrap_or(1).max(1);
            (adjustments::share(whole, quantity.into(), of_quantity.into()), "quantity")
        }
        (None, None) => return Err(ApiError::required(&at("quantity"))),
    };
    let in_this = rows.iter().filter(|row| row["invoice_line_item"] == id);
    let before = issued.iter().map(|doc| CreditNote(&doc.object).credited_of_line(id)).sum::<i64>()
        + in_this.filter_map(|row| row["amount"].as_i64()).sum::<i64>();
    if asked < 1 || before + asked > whole {
        let message =
            format!("Only {} of the line item {id} is left to be credited.", (whole - before).max(0));
        return Err(ApiError::invalid(message).param(&at(param)));
    }
    // By what it comes to with the parts before it, so that all parts come to the whole.
    let part = |of: &Value| {
        let of = of.as_i64().unwrap_or_default();
        let up_to = |amount: i64| adjustments::share(of, amount.into(), whole.into());
        up_to(before + asked) - up_to(before)
    };
    let mut row = line("invoice_line_item", asked, given);
    row["description"] = of["description"].clone();
    row["invoice_line_item"] = json!(id);
    let entries = |field: &str| of[field].as_array().cloned().unwrap_or_default();
    let mut discounts = entries("discount_amounts");
    for discount in &mut discounts {
        discount["amount"] = json!(part(&discount["amount"]));
    }
    row["discount_amount"] = json!(adjustments::total(&discounts, None));
    row["pretax_credit_amounts"] = json!(pretax_credits(&discounts));
    row["discount_amounts"] = json!(discounts);
    let mut taxes = entries("taxes");
    for tax in &mut taxes {
        for field in ["amount", "taxable_amount"] {
            tax[field] = json!(part(&tax[field]));
        }
    }
    row["taxes"] = json!(taxes);
    taxed_as_told(tx, &mut row, given, at)?;
    show_rates(tx, &mut row);
    Ok(row)
}

/// A line that the invoice doesn't have: so many of something, with taxes of its own.
fn custom(tx: &Tx, invoice: &Doc, given: &Value, at: &dyn Fn(&str) -> String) -> Result<Value, ApiError> {
    if let Some(other) = ["amount", "invoice_line_item"].into_iter().find(|param| !given[*param].is_null()) {
        let message = format!("`{other}` can only be given where `type` is `invoice_line_item`.");
        return Err(ApiError::invalid(message).param(&at(other)));
    }
    let quantity = given["quantity"].as_i64().ok_or_else(|| ApiError::required(&at("quantity")))?;
    if quantity < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid(message).param(&at("quantity")));
    }
    let (unit, decimal) = (&given["unit_amount"], &given["unit_amount_decimal"]);
    let decimal = match (unit.as_i64(), decimal.as_str()) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(ApiError::invalid(message).param(&at("unit_amount_decimal")));
        }
        (Some(unit), None) => unit.to_string(),
        (None, Some(decimal)) => decimal.to_owned(),
        (None, None) => return Err(ApiError::required(&at("unit_amount"))),
    };
    let whole = amount(&json!({"unit_amount": unit, "unit_amount_decimal": decimal}), quantity);
    let mut row = line("custom_line_item", whole, given);
    row["unit_amount"] = decimal.parse::<i64>().map_or(Value::Null, |unit| json!(unit));
    row["unit_amount_decimal"] = json!(decimal);
    let rates = tax_rates::of(tx, &given["tax_rates"], &at("tax_rates"))?;
    if !rates.is_empty() && given["tax_amounts"].is_array() {
        let message = "You may only specify one of these parameters: tax_amounts, tax_rates.";
        return Err(ApiError::invalid(message).param(&at("tax_amounts")));
    }
    let exempt = invoice.object["customer_tax_exempt"].as_str().unwrap_or("none");
    adjustments::tax(&mut row, &totals::rates(&json!(rates)), exempt);
    taxed_as_told(tx, &mut row, given, at)?;
    show_rates(tx, &mut row);
    Ok(row)
}

/// Takes the taxes over that the request works out itself.
fn taxed_as_told(
    tx: &Tx,
    row: &mut Value,
    given: &Value,
    at: &dyn Fn(&str) -> String,
) -> Result<(), ApiError> {
    let Some(told) = given["tax_amounts"].as_array() else { return Ok(()) };
    let mut taxes = Vec::new();
    for (index, tax) in told.iter().enumerate() {
        let param = format!("{}[{index}][tax_rate]", at("tax_amounts"));
        let rate = tx.find(Kind::TaxRate, tax["tax_rate"].as_str().unwrap_or_default(), &param)?;
        taxes.push(json!({
            "amount": tax["amount"],
            "tax_behavior": if rate.object["inclusive"] == true { "inclusive" } else { "exclusive" },
            "tax_rate_details": {"tax_rate": rate.id()},
            "taxability_reason": "not_available",
            "taxable_amount": tax["taxable_amount"],
            "type": "tax_rate_details",
        }));
    }
    row["taxes"] = json!(taxes);
    Ok(())
}

/// Shows the tax rates that its taxes are by.
fn show_rates(tx: &Tx, row: &mut Value) {
    let taxes = row["taxes"].as_array().into_iter().flatten();
    let ids = taxes.filter_map(|tax| tax["tax_rate_details"]["tax_rate"].as_str());
    let rates: Vec<Value> = ids.map(|id| tx.shown(Kind::TaxRate, id)).collect();
    row["tax_rates"] = json!(rates);
}
