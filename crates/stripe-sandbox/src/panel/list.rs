//! The overview, and the list of one collection.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::collections::{Collection, by_slug, own_link};
use super::deliveries;
use super::layout::{notice, page};
use crate::engine::Sandbox;

/// Rows on a page of a list.
const PAGE: usize = 50;
/// Rows per collection on the overview.
const RECENT: usize = 5;

/// What the overview shows, most looked for first.
const OVERVIEW: [&str; 4] = ["subscriptions", "customers", "invoices", "events"];

#[derive(Deserialize)]
pub(super) struct Paging {
    /// From 1.
    page: Option<usize>,
}

/// `GET /`
pub(super) async fn overview(State(sandbox): State<Sandbox>) -> Markup {
    let body = html! {
        header.top {
            h1 { "Overview" }
            p {
                "A Stripe-compatible server for development, demos and tests. What the application asks of Stripe, \
                 it asks of this; what happens here reaches it by webhook."
            }
        }
        @for collection in OVERVIEW.iter().filter_map(|slug| by_slug(slug)) {
            (section(&sandbox, collection))
        }
    };
    page("Overview", "/", &body)
}

fn section(sandbox: &Sandbox, collection: &'static Collection) -> Markup {
    let (rows, total) = sandbox.newest(collection.slug, 0, RECENT);
    html! {
        section {
            header.row {
                h2 { (collection.title) }
                @if total > 0 {
                    a href=(collection.address()) {
                        "All " (total) span.sr { " " (collection.title.to_lowercase()) }
                    }
                }
            }
            (table(sandbox, collection, &rows))
        }
    }
}

/// `GET /panel/{collection}?page=`
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    Path(slug): Path<String>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let Some(collection) = by_slug(&slug) else {
        let text = "The panel has no list of that name.";
        return (StatusCode::NOT_FOUND, notice("Not found", text)).into_response();
    };
    let (_, total) = sandbox.newest(collection.slug, 0, 0);
    let pages = total.div_ceil(PAGE).max(1);
    let number = paging.ok().and_then(|Query(paging)| paging.page).unwrap_or(1).clamp(1, pages);
    let (rows, _) = sandbox.newest(collection.slug, (number - 1) * PAGE, PAGE);
    let body = html! {
        header.top { h1 { (collection.title) " " span.count { (total) } } }
        (table(&sandbox, collection, &rows))
        @if pages > 1 { (pager(collection, number, pages)) }
    };
    page(collection.title, &collection.address(), &body).into_response()
}

fn pager(collection: &Collection, number: usize, pages: usize) -> Markup {
    let step = |label: &str, to: usize| {
        html! { a href={ (collection.address()) "?page=" (to) } { (label) } }
    };
    html! {
        nav.pager aria-label="Pages" {
            @if number > 1 { (step("Newer", number - 1)) }
            span { "Page " (number) " of " (pages) }
            @if number < pages { (step("Older", number + 1)) }
        }
    }
}

/// The objects as a table; on a narrow screen each row becomes a card that names its cells.
pub(super) fn table(sandbox: &Sandbox, collection: &'static Collection, objects: &[Value]) -> Markup {
    if objects.is_empty() {
        return html! {
            div.empty {
                p { b { "No " (collection.title.to_lowercase()) " yet" } }
                p { (collection.empty) }
            }
        };
    }
    let events = collection.slug == "events";
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Id" }
                    @for column in collection.columns {
                        th.num[column.numeric] scope="col" { (column.name) }
                    }
                    @if events { th scope="col" { "Delivery" } }
                }
            }
            tbody {
                @for object in objects {
                    tr {
                        th scope="row" { (own_link(collection, object)) }
                        (cells(sandbox, collection, object))
                        @if events { td data-label="Delivery" { (deliveries::state(sandbox, object)) } }
                    }
                }
            }
        }
    }
}

/// The object with its customer in place of the customer's id, so that people are shown by name.
pub(super) fn with_customer(sandbox: &Sandbox, object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(customer) = object["customer"].as_str().and_then(|id| sandbox.get("customers", id)) {
        object["customer"] = customer;
    }
    object
}

fn cells(sandbox: &Sandbox, collection: &Collection, object: &Value) -> Markup {
    let object = with_customer(sandbox, object);
    html! {
        @for column in collection.columns {
            td.num[column.numeric] data-label=(column.name) { ((column.cell)(&object)) }
        }
    }
}
