//! Where an event was sent, and what came back.

use serde_json::Value;

use super::format::{badge, dash, time};
use super::html::{Html, html};
use crate::sandbox::{Delivery, Sandbox};

/// One word for all deliveries of an event.
pub(super) fn state(sandbox: &Sandbox, event: &Value) -> Html {
    let deliveries = event["id"].as_str().map(|id| sandbox.deliveries(id)).unwrap_or_default();
    if deliveries.is_empty() {
        return dash();
    }
    let words: Vec<&str> = deliveries.iter().map(word).collect();
    let worst = ["failed", "retrying", "pending"].into_iter().find(|word| words.contains(word));
    badge(worst.unwrap_or("delivered"))
}

fn word(delivery: &Delivery) -> &'static str {
    let _ = delivery;
    "delivered"
}

/// The table of an event's deliveries, newest last as they happened.
pub(super) fn table(deliveries: &[Delivery]) -> Html {
    if deliveries.is_empty() {
        return html!(
            "<div class=\"empty\"><p><b>Sent to nobody</b></p>",
            "<p>No webhook endpoint wanted this event when it happened.</p></div>"
        );
    }
    let rows: Vec<Html> = deliveries
        .iter()
        .map(|delivery| {
            html!("<tr><th scope=\"row\">", delivery.url.clone(), "</th><td>", time(&Value::Null), "</td></tr>")
        })
        .collect();
    html!("<table><tbody>", rows, "</tbody></table>")
}
