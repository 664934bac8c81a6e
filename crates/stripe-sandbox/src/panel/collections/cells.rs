//! What stands in the cells of a list.

use maud::{Markup, html};
use serde_json::Value;

use super::super::format::{amount, dash, sentence_case};
use super::address_of;
use crate::money;

/// What a coupon takes off.
pub(super) fn off(coupon: &Value) -> Markup {
    match coupon["percent_off"].as_f64() {
        Some(percent) => html! { (percent) " %" },
        None => amount(coupon, "amount_off"),
    }
}

/// An id, or an expanded object, as a link to its page.
pub(super) fn link(value: &Value) -> Markup {
    let Some(id) = value.as_str().or_else(|| value["id"].as_str()) else {
        return dash();
    };
    match address_of(id) {
        Some(address) => html! { a.id href=(address) { (id) } },
        None => html! { span.id { (id) } },
    }
}

/// A customer by name, where the list has looked it up, else by id.
pub(super) fn customer(value: &Value) -> Markup {
    let name =
        ["name", "email"].into_iter().find_map(|field| value[field].as_str().filter(|name| !name.is_empty()));
    match (name, value["id"].as_str().and_then(address_of)) {
        (Some(name), Some(address)) => html! { a href=(address) { (name) } },
        _ => link(value),
    }
}

/// What a price costs and how often, as a link to it.
pub(super) fn price(value: &Value) -> Markup {
    let address = value["id"].as_str().and_then(address_of);
    match (value["unit_amount"].as_i64(), value["currency"].as_str(), address) {
        (Some(minor), Some(currency), Some(address)) => {
            html! {
                a.whole href=(address) {
                    (money::with_code(minor, currency))
                    @if let Some(interval) = value["recurring"]["interval"].as_str() { " a " (interval) }
                }
            }
        }
        _ => link(&value["id"]),
    }
}

pub(super) fn text(value: &Value) -> Markup {
    match value.as_str() {
        Some(text) if !text.is_empty() => html! { (text) },
        _ => dash(),
    }
}

pub(super) fn about(event: &Value) -> Markup {
    link(&event["data"]["object"])
}

pub(super) fn card(method: &Value) -> Markup {
    match (method["card"]["brand"].as_str(), method["card"]["last4"].as_str()) {
        (Some(brand), Some(last4)) => html! { (sentence_case(brand)) " •••• " (last4) },
        _ => dash(),
    }
}
