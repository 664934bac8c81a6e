//! The challenge's markup.

use serde_json::Value;

use super::Surroundings;
use crate::panel::format::money;
use crate::panel::html::{Html, html};

/// Asks for the answer.
pub(super) fn question(intent: &Value, card: Option<&Value>, surroundings: &Surroundings) -> Html {
    let id = intent["id"].as_str().unwrap_or_default();
    let query = query_of(surroundings);
    let amount = match (intent["amount"].as_i64(), intent["currency"].as_str()) {
        (Some(minor), Some(currency)) => row("Amount", &money(minor, currency)),
        _ => row("Purpose", "Save the card for later payments"),
    };
    let card = card.and_then(|method| {
        let brand = method["card"]["brand"].as_str()?;
        let last4 = method["card"]["last4"].as_str()?;
        Some(row("Card", &format!("{} •••• {last4}", brand_name(brand))))
    });
    let body = html! {
        "<h1>3D Secure test page</h1>",
        "<p>In live mode, the customer’s bank makes sure here that it is really them. Choose its answer.</p>",
        "<dl>", amount, card, "</dl>",
        "<form method=\"post\" action=\"/3d_secure/", id, query, "\">",
        "<input type=\"hidden\" name=\"client_secret\" value=\"", intent["client_secret"].as_str(), "\">",
        "<button class=\"primary\" name=\"outcome\" value=\"approve\">Complete authentication</button>",
        "<button name=\"outcome\" value=\"fail\">Fail authentication</button>",
        "</form>"
    };
    page("3D Secure test page", body, surroundings.in_frame(), false)
}

/// Says that there is nothing (more) to decide, and tells the script around it so.
pub(super) fn answered(surroundings: &Surroundings) -> Html {
    let body =
        html! { "<h1>Authentication answered</h1><p>You can close this page and go back to the shop.</p>" };
    page("Authentication answered", body, surroundings.in_frame(), true)
}

pub(super) fn unknown() -> Html {
    let body = html! {
        "<h1>No such authentication</h1>",
        "<p>This link belongs to no payment in the sandbox. It may be from before the sandbox was restarted.</p>"
    };
    page("No such authentication", body, false, false)
}

pub(super) fn not_understood() -> Html {
    let body = html! {
        "<h1>Answer not understood</h1>",
        "<p>The form needs the intent’s client secret, and an outcome: <b>approve</b> or <b>fail</b>.</p>"
    };
    page("Answer not understood", body, false, false)
}

fn page(title: &str, body: Html, in_frame: bool, answered: bool) -> Html {
    let view = if in_frame { "frame" } else { "page" };
    html! {
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<meta name=\"robots\" content=\"noindex\">",
        "<title>", title, " · Stripe sandbox</title>",
        "<link rel=\"stylesheet\" href=\"/elements/challenge.css\">",
        "<script type=\"module\" src=\"/elements/challenge.js\"></script></head>",
        "<body data-view=\"", view, "\" data-answered=\"", answered.to_string(), "\"><main aria-label=\"3D Secure\">",
        "<p class=\"sandbox\"><span>Stripe sandbox: no real money</span></p>",
        body,
        "</main></body></html>"
    }
}

fn row(name: &str, value: &str) -> Html {
    html! { "<div><dt>", name, "</dt><dd>", value, "</dd></div>" }
}

fn brand_name(brand: &str) -> &str {
    match brand {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" => "American Express",
        "discover" => "Discover",
        "diners" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        other => other,
    }
}

/// The surroundings as the query they came in, so that the answer's page knows them too.
fn query_of(surroundings: &Surroundings) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let Surroundings { view, parent, channel } = surroundings;
    for (name, value) in [("view", view), ("parent", parent), ("channel", channel)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}
