//! The overview, and the list of one kind.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use super::deliveries;
use super::html::{Html, html};
use super::kinds::{Kind, by_slug, link};
use super::layout::{notice, page};
use crate::engine::Sandbox;

/// Rows on a page of a list.
const PAGE: usize = 50;
/// Rows per kind on the overview.
const RECENT: usize = 5;

/// What the overview shows, most looked for first.
const OVERVIEW: [&str; 4] = ["subscriptions", "customers", "invoices", "events"];

#[derive(Deserialize)]
pub(super) struct Paging {
    /// From 1.
    page: Option<usize>,
}

/// `GET /`
pub(super) async fn overview(State(sandbox): State<Sandbox>) -> Html {
    let sections: Vec<Html> =
        OVERVIEW.iter().filter_map(|slug| by_slug(slug)).map(|kind| section(&sandbox, kind)).collect();
    let body = html! {
        "<header class=\"top\"><h1>Overview</h1>",
        "<p>A Stripe-compatible server for development, demos and tests. What the application asks of Stripe, ",
        "it asks of this; what happens here reaches it by webhook.</p></header>",
        sections
    };
    page("Overview", "/", body)
}

fn section(sandbox: &Sandbox, kind: &'static Kind) -> Html {
    let objects = sandbox.list(kind.slug);
    let rows = &objects[..objects.len().min(RECENT)];
    let all = (!objects.is_empty()).then(|| {
        html! {
            "<a href=\"/panel/", kind.slug, "\">All ", objects.len(),
            "<span class=\"sr\"> ", kind.title.to_lowercase(), "</span></a>"
        }
    });
    html! {
        "<section><header class=\"row\"><h2>", kind.title, "</h2>", all, "</header>",
        table(sandbox, kind, rows), "</section>"
    }
}

/// `GET /panel/{kind}?page=`
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    Path(slug): Path<String>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let Some(kind) = by_slug(&slug) else {
        let text = "The panel has no list of that name.";
        return (StatusCode::NOT_FOUND, notice("Not found", text)).into_response();
    };
    let objects = sandbox.list(kind.slug);
    let pages = objects.len().div_ceil(PAGE).max(1);
    let number = paging.ok().and_then(|Query(paging)| paging.page).unwrap_or(1).clamp(1, pages);
    let rows: Vec<Value> = objects.iter().skip((number - 1) * PAGE).take(PAGE).cloned().collect();
    let body = html! {
        "<header class=\"top\"><h1>", kind.title, " <span class=\"count\">", objects.len(), "</span></h1></header>",
        table(&sandbox, kind, &rows), pager(kind, number, pages)
    };
    page(kind.title, &format!("/panel/{}", kind.slug), body).into_response()
}

fn pager(kind: &Kind, number: usize, pages: usize) -> Option<Html> {
    let step =
        |label: &str, to: usize| html! { "<a href=\"/panel/", kind.slug, "?page=", to, "\">", label, "</a>" };
    (pages > 1).then(|| {
        html! {
            "<nav class=\"pager\" aria-label=\"Pages\">", (number > 1).then(|| step("Newer", number - 1)),
            "<span>Page ", number, " of ", pages, "</span>",
            (number < pages).then(|| step("Older", number + 1)), "</nav>"
        }
    })
}

/// The objects as a table; on a narrow screen each row becomes a card that names its cells.
pub(super) fn table(sandbox: &Sandbox, kind: &'static Kind, objects: &[Value]) -> Html {
    if objects.is_empty() {
        return html! {
            "<div class=\"empty\"><p><b>No ", kind.title.to_lowercase(), " yet</b></p><p>", kind.empty, "</p></div>"
        };
    }
    let events = kind.slug == "events";
    let heads: Vec<Html> = kind
        .columns
        .iter()
        .map(|column| html! { "<th scope=\"col\"", class(column.numeric), ">", column.name, "</th>" })
        .collect();
    let rows: Vec<Html> = objects
        .iter()
        .map(|object| {
            let delivered = events.then(|| {
                html! { "<td data-label=\"Delivery\">", deliveries::state(sandbox, object), "</td>" }
            });
            html! {
                "<tr><th scope=\"row\">", link(&object["id"]), "</th>", cells(sandbox, kind, object), delivered,
                "</tr>"
            }
        })
        .collect();
    html! {
        "<table><thead><tr><th scope=\"col\">Id</th>", heads,
        events.then(|| html! { "<th scope=\"col\">Delivery</th>" }),
        "</tr></thead><tbody>", rows, "</tbody></table>"
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

fn cells(sandbox: &Sandbox, kind: &Kind, object: &Value) -> Vec<Html> {
    let object = with_customer(sandbox, object);
    let cell = |column: &super::kinds::Column| {
        html! { "<td", class(column.numeric), " data-label=\"", column.name, "\">", (column.cell)(&object), "</td>" }
    };
    kind.columns.iter().map(cell).collect()
}

fn class(numeric: bool) -> Option<Html> {
    numeric.then(|| html! { " class=\"num\"" })
}
