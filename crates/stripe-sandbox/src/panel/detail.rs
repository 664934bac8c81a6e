//! One object: its facts, what belongs to it, and all of it as JSON.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::collections::{Collection, by_slug};
use super::format::badge;
use super::layout::{notice, page};
use super::{clocks, deliveries, json, list};
use crate::engine::Sandbox;

/// Rows of each collection that has something of the object's.
const RELATED: usize = 20;

/// `GET /panel/{collection}/{id}`
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Path((slug, id)): Path<(String, String)>,
) -> Response {
    let found = by_slug(&slug).and_then(|collection| Some((collection, sandbox.get(collection.slug, &id)?)));
    let Some((collection, object)) = found else {
        let text = "There is no such object. It may be from before the sandbox was restarted.";
        return (StatusCode::NOT_FOUND, notice("Not found", text)).into_response();
    };
    let address = collection.address();
    let body = html! {
        header.top {
            p.crumb { a href=(address) { (collection.title) } }
            h1 {
                span { (heading(collection, &object)) }
                " "
                @if let Some(status) = object["status"].as_str() { (badge(status)) }
            }
            p.id { (id) }
        }
        (pages(&object))
        (facts(collection, &list::with_customer(&sandbox, &object)))
        @if collection.slug == "test_clocks" { (clocks::form(&object)) }
        @if collection.slug == "events" { (event_deliveries(&sandbox, &id)) }
        (related(&sandbox, collection, &id))
        section {
            header.row { h2 { "JSON" } }
            pre.json tabindex="0" aria-label="The object as JSON" { (json::pretty(&object)) }
        }
    };
    page(&format!("{} {id}", collection.singular), &address, &body).into_response()
}

/// What people call the object, where it has such a name. It may be broken where its words are joined.
fn heading(collection: &Collection, object: &Value) -> Markup {
    let named =
        ["name", "email", "number", "code", "type"].into_iter().find_map(|field| object[field].as_str());
    let name = named
        .filter(|name| collection.slug != "payment_methods" && !name.is_empty())
        .unwrap_or(collection.singular);
    html! { @for word in name.split_inclusive(['.', '_']) { (word) wbr; } }
}

/// The way to the pages that customers are sent to.
fn pages(object: &Value) -> Markup {
    let pages =
        [("hosted_invoice_url", "Customer’s page"), ("invoice_pdf", "PDF"), ("url", "Customer’s page")];
    // The address of a webhook endpoint or a product is nothing of the sandbox's.
    let own =
        matches!(object["object"].as_str(), Some("invoice" | "checkout.session" | "billing_portal.session"));
    html! {
        @if own {
            p.pages {
                @for (field, name) in pages {
                    @if let Some(address) = object[field].as_str() { a href=(address) { (name) } " " }
                }
            }
        }
    }
}

fn facts(collection: &Collection, object: &Value) -> Markup {
    html! {
        dl.facts {
            @for column in collection.columns.iter().filter(|column| column.name != "Status") {
                div { dt { (column.name) } dd { ((column.cell)(object)) } }
            }
        }
    }
}

fn event_deliveries(sandbox: &Sandbox, id: &str) -> Markup {
    html! {
        section {
            header.row {
                h2 { "Deliveries" }
                form method="post" action={ "/panel/events/" (id) "/retry" } { button { "Send again" } }
            }
            (deliveries::table(&sandbox.deliveries(id)))
        }
    }
}

/// What points at the object: a customer's subscriptions, a subscription's invoices, anything's events.
fn related(sandbox: &Sandbox, collection: &Collection, id: &str) -> Markup {
    let slugs: &[&str] = match collection.slug {
        "customers" => {
            &["subscriptions", "invoices", "payment_intents", "payment_methods", "checkout_sessions"]
        }
        "subscriptions" => &["invoices"],
        "products" => &["prices"],
        "test_clocks" => &["customers", "subscriptions", "invoices"],
        _ => &[],
    };
    let points_here = |object: &Value| match collection.slug {
        "customers" => object["customer"] == id,
        "test_clocks" => object["test_clock"] == id,
        "subscriptions" => object["parent"]["subscription_details"]["subscription"] == id,
        _ => object["product"] == id,
    };
    let about_this = |event: &Value| event["data"]["object"]["id"] == id;
    html! {
        @for slug in slugs { (section(sandbox, slug, points_here)) }
        @if collection.slug != "events" { (section(sandbox, "events", about_this)) }
    }
}

/// The newest objects of a collection that belong here; nothing where there are none.
fn section(sandbox: &Sandbox, slug: &str, belongs: impl Fn(&Value) -> bool) -> Markup {
    let rows: Vec<Value> =
        sandbox.list(slug).into_iter().filter(|object| belongs(object)).take(RELATED).collect();
    html! {
        @if let Some(collection) = by_slug(slug).filter(|_| !rows.is_empty()) {
            section {
                header.row { h2 { (collection.title) } }
                (list::table(sandbox, collection, &rows))
            }
        }
    }
}
