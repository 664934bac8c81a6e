//! One object: its facts, what belongs to it, and all of it as JSON.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::format::badge;
use super::html::{Html, html};
use super::kinds::{Kind, by_slug};
use super::layout::{notice, page};
use super::{deliveries, json, list};
use crate::engine::Sandbox;

/// Rows of each kind that belongs to the object.
const RELATED: usize = 20;

/// `GET /panel/{kind}/{id}`
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let found = by_slug(&slug).and_then(|kind| Some((kind, sandbox.get(kind.slug, &id)?)));
    let Some((kind, object)) = found else {
        let text = "There is no such object. It may be from before the sandbox was restarted.";
        return (StatusCode::NOT_FOUND, notice("Not found", text)).into_response();
    };
    let address = format!("/panel/{}", kind.slug);
    let title = format!("{} {id}", kind.singular);
    let status = object["status"].as_str().map(badge);
    let body = html! {
        "<header class=\"top\"><p class=\"crumb\"><a href=\"", address, "\">", kind.title, "</a></p>",
        "<h1><span>", heading(kind, &object), "</span> ", status, "</h1><p class=\"id\">", id, "</p></header>",
        facts(kind, &list::with_customer(&sandbox, &object)),
        event_deliveries(&sandbox, kind, &id), related(&sandbox, kind, &id),
        "<section><header class=\"row\"><h2>JSON</h2></header>",
        "<pre class=\"json\" tabindex=\"0\" aria-label=\"The object as JSON\">", json::pretty(&object),
        "</pre></section>"
    };
    page(&title, &address, body).into_response()
}

/// What people call the object, where it has such a name. It may be broken where its words are joined.
fn heading(kind: &Kind, object: &Value) -> Vec<Html> {
    let named = ["name", "email", "number", "type"].into_iter().find_map(|field| object[field].as_str());
    let name =
        named.filter(|name| kind.slug != "payment_methods" && !name.is_empty()).unwrap_or(kind.singular);
    name.split_inclusive(['.', '_']).map(|word| html! { word, "<wbr>" }).collect()
}

fn facts(kind: &Kind, object: &Value) -> Html {
    let rows: Vec<Html> = kind
        .columns
        .iter()
        .filter(|column| column.name != "Status")
        .map(|column| html! { "<div><dt>", column.name, "</dt><dd>", (column.cell)(object), "</dd></div>" })
        .collect();
    html! { "<dl class=\"facts\">", rows, "</dl>" }
}

fn event_deliveries(sandbox: &Sandbox, kind: &Kind, id: &str) -> Option<Html> {
    (kind.slug == "events").then(|| {
        html! {
            "<section><header class=\"row\"><h2>Deliveries</h2>",
            "<form method=\"post\" action=\"/panel/events/", id, "/retry\">",
            "<button>Send again</button></form></header>",
            deliveries::table(&sandbox.deliveries(id)), "</section>"
        }
    })
}

/// What points at the object: a customer's subscriptions, a subscription's invoices, anything's events.
fn related(sandbox: &Sandbox, kind: &Kind, id: &str) -> Vec<Html> {
    let slugs: &[&str] = match kind.slug {
        "customers" => &["subscriptions", "invoices", "payment_intents", "payment_methods"],
        "subscriptions" => &["invoices"],
        "products" => &["prices"],
        _ => &[],
    };
    let points_here = |object: &Value| match kind.slug {
        "customers" => object["customer"] == id,
        "subscriptions" => object["parent"]["subscription_details"]["subscription"] == id,
        _ => object["product"] == id,
    };
    let about_this = |event: &Value| event["data"]["object"]["id"] == id;
    let mut sections: Vec<Html> =
        slugs.iter().filter_map(|slug| section(sandbox, slug, points_here)).collect();
    if kind.slug != "events" {
        sections.extend(section(sandbox, "events", about_this));
    }
    sections
}

fn section(sandbox: &Sandbox, slug: &str, belongs: impl Fn(&Value) -> bool) -> Option<Html> {
    let kind = by_slug(slug)?;
    let rows: Vec<Value> =
        sandbox.list(slug).into_iter().filter(|object| belongs(object)).take(RELATED).collect();
    (!rows.is_empty()).then(|| {
        html! {
            "<section><header class=\"row\"><h2>", kind.title, "</h2></header>",
            list::table(sandbox, kind, &rows), "</section>"
        }
    })
}
