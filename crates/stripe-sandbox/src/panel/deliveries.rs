//! Where an event was sent, and what came back.

use maud::{Markup, html};
use serde_json::Value;

use super::collections::address_of;
use super::format::{badge, dash, time};
use crate::engine::Sandbox;
use crate::webhooks::{Attempt, Delivery, DeliveryState};

/// One state for all deliveries of an event: that of the one that fared worst.
pub(super) fn state(sandbox: &Sandbox, event: &Value) -> Markup {
    let deliveries = event["id"].as_str().map(|id| sandbox.deliveries(id)).unwrap_or_default();
    let worst = deliveries.iter().map(|delivery| delivery.state).min_by_key(|state| match state {
        DeliveryState::Failed => 0,
        DeliveryState::Retrying => 1,
        DeliveryState::Pending => 2,
        DeliveryState::Delivered => 3,
    });
    worst.map_or_else(dash, |state| badge(name(state)))
}

const fn name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Retrying => "retrying",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "failed",
    }
}

/// An event's deliveries, one row per endpoint.
pub(super) fn table(deliveries: &[Delivery]) -> Markup {
    if deliveries.is_empty() {
        return html! {
            div.empty {
                p { b { "Not sent" } }
                p { "No webhook endpoint wanted this event when it happened." }
            }
        };
    }
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Endpoint" }
                    th scope="col" { "State" }
                    th scope="col" { "Last answer" }
                    th scope="col" { "Last attempt" }
                }
            }
            tbody { @for delivery in deliveries { (row(delivery)) } }
        }
    }
}

fn row(delivery: &Delivery) -> Markup {
    let last = delivery.attempts.last();
    html! {
        tr {
            th scope="row" {
                @if let Some(address) = address_of(&delivery.endpoint) {
                    a href=(address) { (delivery.url) }
                } @else {
                    (delivery.url)
                }
                @if delivery.attempts.len() > 1 { (history(&delivery.attempts)) }
            }
            td data-label="State" { (badge(name(delivery.state))) }
            td data-label="Last answer" { (last.map_or_else(dash, answer)) }
            td data-label="Last attempt" { (last.map_or_else(dash, |last| time(&last.at.into()))) }
        }
    }
}

/// Every attempt, for a delivery that took more than one.
fn history(attempts: &[Attempt]) -> Markup {
    html! {
        details {
            summary { (attempts.len()) " attempts" }
            ol { @for attempt in attempts { li { (time(&attempt.at.into())) ": " (answer(attempt)) } } }
        }
    }
}

fn answer(attempt: &Attempt) -> Markup {
    match (attempt.status, &attempt.error) {
        (Some(status), _) => html! { span.id { (status) } },
        (None, Some(error)) => html! { (error) },
        (None, None) => dash(),
    }
}
