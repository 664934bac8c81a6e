//! Where an event was sent, and what came back.

use serde_json::Value;

use super::format::{badge, dash, time};
use super::html::{Html, html};
use super::kinds::address_of;
use crate::engine::Sandbox;
use crate::webhooks::{Attempt, Delivery, DeliveryState};

/// One word for all deliveries of an event: how the one that fared worst is doing.
pub(super) fn state(sandbox: &Sandbox, event: &Value) -> Html {
    let deliveries = event["id"].as_str().map(|id| sandbox.deliveries(id)).unwrap_or_default();
    let worst = deliveries.iter().map(|delivery| delivery.state).min_by_key(|state| match state {
        DeliveryState::Failed => 0,
        DeliveryState::Retrying => 1,
        DeliveryState::Pending => 2,
        DeliveryState::Delivered => 3,
    });
    worst.map_or_else(dash, |state| badge(word(state)))
}

const fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Retrying => "retrying",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "failed",
    }
}

/// An event's deliveries, one row per endpoint.
pub(super) fn table(deliveries: &[Delivery]) -> Html {
    if deliveries.is_empty() {
        return html! {
            "<div class=\"empty\"><p><b>Sent to nobody</b></p>",
            "<p>No webhook endpoint wanted this event when it happened.</p></div>"
        };
    }
    let rows: Vec<Html> = deliveries.iter().map(row).collect();
    html! {
        "<table><thead><tr><th scope=\"col\">Endpoint</th><th scope=\"col\">State</th>",
        "<th scope=\"col\">Last answer</th><th scope=\"col\">Last attempt</th></tr></thead><tbody>", rows, "</tbody></table>"
    }
}

fn row(delivery: &Delivery) -> Html {
    let endpoint = match address_of(&delivery.endpoint) {
        Some(address) => html! { "<a href=\"", address, "\">", delivery.url, "</a>" },
        None => html! { delivery.url },
    };
    let last = delivery.attempts.last();
    html! {
        "<tr><th scope=\"row\">", endpoint, earlier(&delivery.attempts), "</th>",
        "<td data-label=\"State\">", badge(word(delivery.state)), "</td>",
        "<td data-label=\"Last answer\">", last.map_or_else(dash, answer), "</td>",
        "<td data-label=\"Last attempt\">", last.map_or_else(dash, |last| time(&last.at.into())), "</td></tr>"
    }
}

/// Every attempt, for a delivery that took more than one.
fn earlier(attempts: &[Attempt]) -> Option<Html> {
    let items: Vec<Html> = attempts
        .iter()
        .map(|attempt| html! { "<li>", time(&attempt.at.into()), ": ", answer(attempt), "</li>" })
        .collect();
    (attempts.len() > 1).then(|| {
        html! { "<details><summary>", attempts.len(), " attempts</summary><ol>", items, "</ol></details>" }
    })
}

fn answer(attempt: &Attempt) -> Html {
    match (attempt.status, &attempt.error) {
        (Some(status), _) => html! { "<span class=\"id\">", status, "</span>" },
        (None, Some(error)) => html! { error },
        (None, None) => dash(),
    }
}
