//! How amounts, times and states are written.

use chrono::DateTime;
use serde_json::Value;

use super::html::{Html, html};

/// Currencies without minor units, and those with a thousand of them, as Stripe counts them.
/// Source: <https://docs.stripe.com/currencies#zero-decimal>
const ZERO_DECIMAL: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// An amount in minor units as people write it: `1,234.50 USD`.
pub(crate) fn money(minor: i64, currency: &str) -> String {
    let decimals = match currency {
        code if ZERO_DECIMAL.contains(&code) => 0,
        code if THREE_DECIMAL.contains(&code) => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(decimals);
    let (whole, part) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let code = currency.to_uppercase();
    match decimals {
        0 => format!("{sign}{grouped} {code}"),
        places => format!("{sign}{grouped}.{part:0width$} {code}", width = places as usize),
    }
}

/// The amount under `field`, in the object's own currency; a dash where there is none.
pub(super) fn amount(object: &Value, field: &str) -> Html {
    match (object[field].as_i64(), object["currency"].as_str()) {
        (Some(minor), Some(currency)) => html! { money(minor, currency) },
        _ => dash(),
    }
}

/// The Unix time under `field`, in UTC.
pub(super) fn time(value: &Value) -> Html {
    let Some(time) = value.as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0)) else {
        return dash();
    };
    html! {
        "<time datetime=\"", time.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "\">",
        time.format("%-d %b %Y, %H:%M").to_string(), "</time>"
    }
}

/// A state as a badge. Its colour repeats what the word says and is never the only sign of it.
pub(super) fn badge(status: &str) -> Html {
    let tone = match status {
        "active" | "paid" | "succeeded" | "delivered" | "enabled" | "trialing" | "available" => "good",
        "past_due"
        | "open"
        | "requires_action"
        | "requires_confirmation"
        | "processing"
        | "incomplete"
        | "pending"
        | "paused"
        | "requires_capture"
        | "retrying" => "waiting",
        "canceled"
        | "unpaid"
        | "uncollectible"
        | "incomplete_expired"
        | "failed"
        | "requires_payment_method"
        | "archived" => "bad",
        _ => "plain",
    };
    html! { "<span class=\"badge badge-", tone, "\">", words(status), "</span>" }
}

/// `past_due` as people read it: `Past due`.
pub(super) fn words(name: &str) -> String {
    let text = name.replace(['_', '.'], " ");
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => text,
    }
}

/// Stands where there is nothing to show.
pub(super) fn dash() -> Html {
    html! { "<span class=\"none\" aria-hidden=\"true\">–</span><span class=\"sr\">none</span>" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currency_s_decimals() {
        assert_eq!(money(2_999, "usd"), "29.99 USD");
        assert_eq!(money(123_456_705, "eur"), "1,234,567.05 EUR");
        assert_eq!(money(1_500, "jpy"), "1,500 JPY");
        assert_eq!(money(1_500, "kwd"), "1.500 KWD");
        assert_eq!(money(-667, "usd"), "-6.67 USD");
        assert_eq!(money(i64::MIN, "jpy"), "-9,223,372,036,854,775,808 JPY");
    }

    #[test]
    fn states_read_as_words() {
        assert_eq!(words("past_due"), "Past due");
        assert_eq!(words(""), "");
    }
}
