//! The challenge's markup.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::Embedding;
use crate::cards::brand_name;
use crate::money;

/// Asks for the answer.
pub(super) fn question(intent: &Value, card: Option<&Value>, embedding: &Embedding) -> Markup {
    let id = intent["id"].as_str().unwrap_or_default();
    let amount = intent["amount"].as_i64().zip(intent["currency"].as_str());
    let card = card.and_then(|method| method["card"]["brand"].as_str().zip(method["card"]["last4"].as_str()));
    let body = html! {
        h1 { "3D Secure test page" }
        p { "In live mode, the customer’s bank makes sure here that it is really them. Choose its answer." }
        dl {
            @if let Some((minor, currency)) = amount {
                div { dt { "Amount" } dd { (money::with_code(minor, currency)) } }
            } @else {
                div { dt { "Purpose" } dd { "Save the card for later payments" } }
            }
            @if let Some((brand, last4)) = card {
                div { dt { "Card" } dd { (brand_name(brand)) " •••• " (last4) } }
            }
        }
        form method="post" action={ "/3d_secure/" (id) (query_of(embedding)) } {
            input type="hidden" name="client_secret" value=[intent["client_secret"].as_str()];
            button.primary name="outcome" value="approve" { "Complete authentication" }
            button name="outcome" value="fail" { "Fail authentication" }
        }
    };
    page("3D Secure test page", &body, embedding.in_frame(), false)
}

/// Says that there is nothing (more) to decide; the page's script passes that on to the page around it.
pub(super) fn answered(embedding: &Embedding) -> Markup {
    let body = html! {
        h1 { "Authentication answered" }
        p { "You can close this page and go back to the shop." }
    };
    page("Authentication answered", &body, embedding.in_frame(), true)
}

pub(super) fn unknown() -> Markup {
    let body = html! {
        h1 { "No such authentication" }
        p {
            "This link belongs to no payment in the sandbox. It may be from before the sandbox was restarted."
        }
    };
    page("No such authentication", &body, false, false)
}

pub(super) fn not_understood() -> Markup {
    let body = html! {
        h1 { "Answer not understood" }
        p {
            "The form needs the intent’s client secret, and an outcome: " b { "approve" } " or " b { "fail" } "."
        }
    };
    page("Answer not understood", &body, false, false)
}

fn page(title: &str, body: &Markup, in_frame: bool, answered: bool) -> Markup {
    let view = if in_frame { "frame" } else { "page" };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Stripe sandbox" }
                link rel="stylesheet" href="/elements/challenge.css";
                script type="module" src="/elements/challenge.js" {}
            }
            body data-view=(view) data-answered=(answered) {
                main aria-label="3D Secure" {
                    p.sandbox { span { "Stripe sandbox: no real money" } }
                    (body)
                }
            }
        }
    }
}

/// How the page is embedded, as the query it came in, so that the answer's page knows it too.
fn query_of(embedding: &Embedding) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let Embedding { view, parent, channel } = embedding;
    for (name, value) in [("view", view), ("parent", parent), ("channel", channel)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}
