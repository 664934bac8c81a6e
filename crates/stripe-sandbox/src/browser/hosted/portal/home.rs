//! The portal's first page.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::super::format::{day, sum};
use super::{Portal, cards, details, subscriptions};
use crate::engine::{Kind, Sandbox};

/// Invoices that are listed, newest first.
const HISTORY: usize = 24;

/// `GET /p/session/{token}/`
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let portal = match Portal::open(&sandbox, &token) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    if let Some(address) = portal.flow_address() {
        return Redirect::to(&address).into_response();
    }
    let body = html! {
        h1 { "Your billing" }
        (subscriptions::section(&sandbox, &portal))
        (cards::section(&sandbox, &portal))
        (details::section(&sandbox, &portal))
        @if portal.may("invoice_history") { (history(&sandbox, &portal)) }
    };
    portal.page("Customer portal", false, false, &body)
}

/// `GET /p/session/{token}/done`, which follows what the session was for.
pub(super) async fn done(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let portal = match Portal::open(&sandbox, &token) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let message = &portal.session["flow"]["after_completion"]["hosted_confirmation"]["custom_message"];
    let body = html! {
        section.card {
            h1 { "Done" }
            p { (message.as_str().unwrap_or("Your changes are saved.")) }
            @if let Some(address) = portal.session["return_url"].as_str() {
                p { a.button href=(address) { "Return to the shop" } }
            }
        }
    };
    portal.page("Done", false, true, &body)
}

fn history(sandbox: &Sandbox, portal: &Portal) -> Markup {
    let invoices: Vec<Value> = sandbox.read(|tx| {
        let mine = tx.all(Kind::Invoice).filter(|doc| {
            doc.object["customer"] == portal.customer_id() && doc.object["hosted_invoice_url"].is_string()
        });
        mine.take(HISTORY).map(|doc| doc.object.clone()).collect()
    });
    html! {
        section {
            h2 { "Invoices" }
            @if invoices.is_empty() { p.muted { "There are no invoices yet." } }
            @else {
                ul.rows {
                    @for invoice in &invoices {
                        li {
                            a.grow href=(invoice["hosted_invoice_url"].as_str().unwrap_or_default()) {
                                (day(&invoice["created"]))
                                span.muted { " · " (invoice["number"].as_str().unwrap_or_default()) }
                            }
                            span.amount { (sum(&invoice["total"], invoice)) }
                            (state(invoice))
                        }
                    }
                }
            }
        }
    }
}

fn state(invoice: &Value) -> Markup {
    let (text, tone) = match invoice["status"].as_str() {
        Some("paid") => ("Paid", "good"),
        Some("open") => ("Open", "waiting"),
        Some("uncollectible") => ("Uncollectible", "bad"),
        Some("void") => ("Void", "plain"),
        _ => ("Draft", "plain"),
    };
    html! { span class={ "badge badge-" (tone) } { (text) } }
}
