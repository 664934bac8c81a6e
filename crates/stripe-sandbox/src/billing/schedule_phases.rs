//! The phases of a subscription schedule: what they are, and when.

use serde_json::{Value, json};

use super::Interval;
use super::items;
use crate::engine::objects::Price;
use crate::engine::{ApiError, Tx};

/// An item of a phase, as the API shows it.
pub(super) fn row(price: &Value, quantity: &Value, metadata: &Value) -> Value {
    json!({
        "billing_thresholds": null,
        "discounts": [],
        "metadata": metadata,
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
    })
}

/// A phase, as the API shows it.
pub(super) fn phase(currency: &Value, dates: (i64, i64), items: Vec<Value>, proration: &str) -> Value {
    json!({
        "add_invoice_items": [],
        "application_fee_percent": null,
        "billing_cycle_anchor": null,
        "billing_thresholds": null,
        "collection_method": null,
        "currency": currency,
        "default_payment_method": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "end_date": dates.1,
        "invoice_settings": null,
        "items": items,
        "metadata": {},
        "on_behalf_of": null,
        "proration_behavior": proration,
        "start_date": dates.0,
        "transfer_data": null,
        "trial_end": null,
    })
}

/// What phases have to fit.
pub(super) struct Frame {
    /// When the first begins, in Unix seconds.
    pub(super) start: i64,
    /// When the first ends, where it runs already.
    pub(super) first_end: Option<i64>,
    /// The subscription's, or null where the first price decides.
    pub(super) currency: Value,
}

/// The phases that a request asks for, as the API shows them.
///
/// # Errors
/// If one doesn't fit the frame or the one before it, or doesn't begin with a period.
pub(super) fn read(tx: &mut Tx, wanted: &[Value], frame: &Frame) -> Result<Vec<Value>, ApiError> {
    let (mut start, mut currency) = (frame.start, frame.currency.clone());
    let mut phases = Vec::new();
    for (index, given) in wanted.iter().enumerate() {
        let at = |field: &str| format!("phases[{index}][{field}]");
        if given["start_date"].as_i64().is_some_and(|given| given != start) {
            let message = "A phase begins where the one before it ends, the first with the current phase.";
            return Err(ApiError::invalid(message).param(&at("start_date")));
        }
        let items =
            items::of_new(tx, &given["items"]).map_err(|error| error.inside(&format!("phases[{index}]")))?;
        let interval = items::common_interval(items.iter().map(|item| &item.price))?;
        if currency.is_null() {
            currency = items.first().map(|item| item.price["currency"].clone()).unwrap_or_default();
        }
        if let Some(other) = items.iter().map(|item| &item.price).find(|price| price["currency"] != currency)
        {
            let message =
                format!("The price `{}` has another currency than the subscription.", Price(other).id());
            return Err(ApiError::invalid(message).param(&at("items")));
        }
        let end = end(given, start, interval, frame.first_end.filter(|_| index == 0), &at)?;
        let is_last = index + 1 == wanted.len();
        if !is_last && frame.first_end.is_none_or(|_| index > 0) && interval.after(start, end - 1) != end {
            let message =
                "The Stripe sandbox supports phases that begin with a period of the subscription only.";
            return Err(ApiError::invalid(message).param(&at("end_date")));
        }
        let rows =
            items.iter().map(|item| row(&item.price["id"], &json!(item.quantity), &item.metadata)).collect();
        let proration = given["proration_behavior"].as_str().unwrap_or("create_prorations");
        phases.push(phase(&currency, (start, end), rows, proration));
        start = end;
    }
    Ok(phases)
}

/// When a phase ends, which may be given in one of three ways and is one interval of its prices where it isn't.
fn end(
    given: &Value,
    start: i64,
    interval: Interval,
    runs_until: Option<i64>,
    at: &dyn Fn(&str) -> String,
) -> Result<i64, ApiError> {
    let ways = ["duration", "end_date", "iterations"];
    let named: Vec<&str> = ways.into_iter().filter(|way| !given[*way].is_null()).collect();
    if let [one, other, ..] = named[..] {
        let message = format!("You may only specify one of these parameters: {one}, {other}.");
        return Err(ApiError::invalid(message).param(&at(one)));
    }
    let iterations = given["iterations"].as_i64().unwrap_or(1);
    if iterations < 1 {
        return Err(ApiError::invalid("Invalid positive integer").param(&at("iterations")));
    }
    let end = match (given["end_date"].as_i64(), &given["duration"]) {
        (Some(end), _) => end,
        (None, duration) if duration.is_object() => Interval::of(duration).nth(start, 1),
        (None, _) if given["iterations"].is_null() => runs_until.unwrap_or(interval.nth(start, 1)),
        (None, _) => interval.nth(start, iterations),
    };
    if runs_until.is_some_and(|until| until != end) {
        let message = "The Stripe sandbox supports phases that begin with a period of the subscription only.";
        return Err(ApiError::invalid(message).param(&at("end_date")));
    }
    if end <= start {
        return Err(ApiError::invalid("A phase ends after it has begun.").param(&at("end_date")));
    }
    Ok(end)
}
