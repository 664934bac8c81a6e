//! An invoice's page, on which it can be paid, and its PDF.

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::card::{self, CardForm, Outcome};
use super::document::Document;
use super::layout::{Page, notice};
use super::{change, find_by_token, pdf};
use crate::billing::{invoices, paying};
use crate::engine::objects::{Intent, IntentStatus, Invoice, InvoiceStatus};
use crate::engine::{ApiError, Kind, Sandbox, Tx};
use crate::payments::{ConfirmOptions, methods};

const KIND: Kind = Kind::Invoice;

/// The invoice behind a token, and what it says. A draft has no page.
fn find(sandbox: &Sandbox, token: &str) -> Option<(Value, Document)> {
    sandbox.read(|tx| {
        let doc = find_by_token(tx, KIND, "hosted_invoice_url", token)?;
        let draft = Invoice(&doc.object).is(InvoiceStatus::Draft);
        (!draft).then(|| (doc.object.clone(), Document::of(tx, &doc.object)))
    })
}

fn unknown() -> Response {
    let text = "There is no such invoice. It may be from before the sandbox was restarted.";
    notice(StatusCode::NOT_FOUND, "Not found", text)
}

fn can_be_paid(invoice: &Value) -> bool {
    matches!(Invoice(invoice).status(), Some(InvoiceStatus::Open | InvoiceStatus::Uncollectible))
        && invoice["amount_remaining"].as_i64().is_some_and(|left| left > 0)
}

/// `GET /i/{token}`
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let Some((invoice, document)) = find(&sandbox, &token) else { return unknown() };
    let payable = can_be_paid(&invoice);
    let (state, tone, said) = match Invoice(&invoice).status() {
        Some(InvoiceStatus::Paid) => ("Paid", "good", "This invoice is paid. Thank you."),
        Some(InvoiceStatus::Void) => ("Void", "plain", "This invoice was voided. There is nothing to pay."),
        Some(InvoiceStatus::Uncollectible) => {
            ("Uncollectible", "bad", "This invoice was given up on. It can still be paid.")
        }
        _ => ("Open", "waiting", ""),
    };
    let shown = if payable { &document.due } else { &document.total };
    let action = format!("/i/{token}");
    let button = format!("Pay {}", document.due);
    let form = CardForm {
        action: &action,
        mode: "payment",
        amount: invoice["amount_remaining"].as_i64().unwrap_or_default(),
        currency: Invoice(&invoice).currency(),
        button: &button,
        fields: html! {},
    };
    let body = html! {
        section.card.stack {
            header {
                p.muted { "Invoice " (document.number) " " span class={ "badge badge-" (tone) } { (state) } }
                h1.amount { (shown) }
                @if let Some(due) = document.facts.iter().find(|(name, _)| name == "Date due").filter(|_| payable) {
                    p.muted { "Due on " (due.1) }
                }
                @if !said.is_empty() { p { (said) } }
            }
            (details(&document))
            p { a.button href={ (action) "/pdf" } { "Download invoice" } }
        }
        @if payable {
            section.card.stack aria-label="Payment" {
                h2 { "Pay with a card" }
                (form.markup())
            }
        }
    };
    let title = format!("Invoice {}", document.number);
    let shape = if payable { "split" } else { "narrow" };
    Page { title: &title, card: payable, leads_to: None, shape }.around(&body)
}

fn details(document: &Document) -> Markup {
    html! {
        dl.facts {
            div { dt { "From" } dd { (document.from.first().map(String::as_str).unwrap_or_default()) } }
            div { dt { "To" } dd { @for line in &document.to { (line) br; } } }
            @for (name, value) in &document.facts { div { dt { (name) } dd { (value) } } }
        }
        ul.rows {
            @for line in &document.lines {
                li {
                    span.grow {
                        (line.description)
                        @if let Some(period) = &line.period { br; span.muted { (period) } }
                    }
                    span.amount { (line.amount) }
                }
            }
        }
        dl.totals {
            @for (name, amount) in &document.totals { div { dt { (name) } dd { (amount) } } }
        }
        @for text in [&document.memo, &document.footer].into_iter().flatten() { p.muted { (text) } }
    }
}

#[derive(Deserialize)]
pub(super) struct Submitted {
    payment_method: Option<String>,
}

/// `POST /i/{token}`: with a payment method, or without one after its 3D Secure.
pub(super) async fn pay(
    State(sandbox): State<Sandbox>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(Submitted { payment_method }): Form<Submitted>,
) -> Response {
    let Some((invoice, _)) = find(&sandbox, &token) else { return unknown() };
    let id = invoice["id"].as_str().unwrap_or_default();
    let outcome = change(&sandbox, id, |tx| {
        if let Some(method) = &payment_method {
            attempt(tx, id, method)?;
        }
        let doc = tx.find(KIND, id, "id")?;
        if Invoice(&doc.object).is(InvoiceStatus::Paid) {
            return Ok(Outcome::Done(format!("/i/{token}")));
        }
        let intent = invoices::intent_of(tx, id).and_then(|id| tx.get(Kind::PaymentIntent, &id));
        match intent
            .as_ref()
            .map(|doc| Intent(&doc.object))
            .filter(|intent| intent.is(IntentStatus::RequiresAction))
        {
            Some(intent) => Ok(Outcome::Challenge(intent.client_secret().to_owned())),
            None => Err(ApiError::invalid("The invoice could not be paid. Please try another card.")),
        }
    });
    card::answer(&headers, outcome.await)
}

fn attempt(tx: &mut Tx, id: &str, method: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    if !can_be_paid(&doc.object) {
        return Err(ApiError::invalid("This invoice can’t be paid any more."));
    }
    let method = methods::resolve(tx, method, "payment_method")?;
    let options = ConfirmOptions { use_stripe_sdk: true, ..ConfirmOptions::default() };
    paying::pay(tx, id, &method, &options)
}

/// `GET /i/{token}/pdf`
pub(super) async fn pdf(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let Some((_, document)) = find(&sandbox, &token) else { return unknown() };
    pdf::download(&document)
}
