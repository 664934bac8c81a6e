//! The card form of these pages, and the conversation of its script with them.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::layout::notice;
use crate::engine::ApiError;

/// Any publishable key opens the sandbox; this is the one its own pages use.
const KEY: &str = "pk_test_StripeSandboxHostedPages";

/// A card form.
pub(super) struct CardForm<'a> {
    pub(super) action: &'a str,
    /// What Elements calls it: `payment`, `subscription` or `setup`.
    pub(super) mode: &'a str,
    /// In minor units.
    pub(super) amount: i64,
    pub(super) currency: &'a str,
    pub(super) button: &'a str,
    /// Fields above the card's.
    pub(super) fields: Markup,
}

impl CardForm<'_> {
    pub(super) fn markup(&self) -> Markup {
        html! {
            form.card-form method="post" action=(self.action) data-card data-key=(KEY) data-mode=(self.mode)
                data-amount=(self.amount) data-currency=(self.currency) {
                (self.fields)
                div #card role="group" aria-label="Card" {}
                noscript { p.muted { "Entering a card needs JavaScript." } }
                p.error #card-error role="alert" {}
                button.primary { (self.button) }
            }
        }
    }
}

/// What comes of a form that was sent.
pub(super) enum Outcome {
    /// It is done; the customer goes to this address.
    Done(String),
    /// 3D Secure comes first, for the intent with this client secret.
    Challenge(String),
}

/// The answer to a card form: for its script as JSON, or where there was no card to enter as a redirect.
pub(super) fn answer(headers: &HeaderMap, outcome: Result<Outcome, ApiError>) -> Response {
    let scripted = headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json");
    match outcome {
        Ok(Outcome::Done(url)) if !scripted => Redirect::to(&url).into_response(),
        Err(error) if !scripted => refused(&error),
        Ok(Outcome::Done(url)) => said(json!({"url": url})),
        Ok(Outcome::Challenge(secret)) => said(json!({"client_secret": secret})),
        Err(error) => said(json!({"error": {"message": error.message()}})),
    }
}

fn said(body: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], Json(body))
        .into_response()
}

/// The page that says why something wasn't done.
pub(super) fn refused(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    notice(status, "That didn’t work", &error.message())
}
