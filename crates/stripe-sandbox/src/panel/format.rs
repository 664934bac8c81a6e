//! How amounts, times and states are written.

use chrono::DateTime;
use maud::{Markup, html};
use serde_json::Value;

use crate::money;

/// The amount under `field`, in the object's own currency; a dash where there is none.
pub(super) fn amount(object: &Value, field: &str) -> Markup {
    match (object[field].as_i64(), object["currency"].as_str()) {
        (Some(minor), Some(currency)) => html! { (money::with_code(minor, currency)) },
        _ => dash(),
    }
}

/// A Unix time, in UTC.
pub(super) fn time(value: &Value) -> Markup {
    let Some(time) = value.as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0)) else {
        return dash();
    };
    html! {
        time datetime=(time.format("%Y-%m-%dT%H:%M:%SZ")) { (time.format("%-d %b %Y, %H:%M")) }
    }
}

/// A state as a badge. Its colour repeats what the text says and is never the only sign of it.
pub(super) fn badge(status: &str) -> Markup {
    let tone = match status {
        "active" | "paid" | "succeeded" | "complete" | "delivered" | "enabled" | "trialing" | "available"
        | "won" | "issued" => "good",
        "past_due"
        | "open"
        | "requires_action"
        | "requires_confirmation"
        | "processing"
        | "incomplete"
        | "pending"
        | "paused"
        | "requires_capture"
        | "retrying"
        | "needs_response"
        | "under_review"
        | "warning_needs_response"
        | "warning_under_review" => "waiting",
        "canceled"
        | "unpaid"
        | "uncollectible"
        | "incomplete_expired"
        | "failed"
        | "expired"
        | "requires_payment_method"
        | "lost"
        | "archived" => "bad",
        _ => "plain",
    };
    html! { span class={ "badge badge-" (tone) } { (sentence_case(status)) } }
}

/// `past_due` as people read it: `Past due`.
pub(super) fn sentence_case(name: &str) -> String {
    let text = name.replace(['_', '.'], " ");
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => text,
    }
}

/// Stands where there is nothing to show.
pub(super) fn dash() -> Markup {
    html! { span.none aria-hidden="true" { "–" } span.sr { "none" } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_as_words() {
        assert_eq!(sentence_case("past_due"), "Past due");
        assert_eq!(sentence_case(""), "");
    }
}
