//! Pages that an application sends its customers to: the customer portal, an invoice's page, the checkout.
//!
//! They are forms that work without scripts, but for card entry, which goes through the stand-in for Stripe.js as in any
//! application's page. What leads to a page is a secret in its address.

mod assets;
mod card;
mod checkout;
mod credit_note;
mod document;
mod format;
mod invoice;
mod layout;
mod pdf;
mod portal;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use subtle::ConstantTimeEq;

use crate::engine::{ApiError, Cause, Doc, Kind, Sandbox, Tx};
use crate::http::same_origin;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .nest("/p/session/{token}", portal::router())
        .route("/i/{token}", get(invoice::show).post(invoice::pay))
        .route("/i/{token}/pdf", get(invoice::pdf))
        .route("/credit_notes/pdf/{token}", get(credit_note::pdf))
        .route("/c/pay/{session}", get(checkout::show).post(checkout::pay))
        .layer(from_fn(own_pages_only))
        .route("/hosted/{asset}", get(assets::asset))
}

/// Refuses requests that may change something, unless one of the sandbox's own pages sent them.
async fn own_pages_only(request: Request, next: Next) -> Response {
    if request.method().is_safe() || same_origin(request.headers()) {
        return next.run(request).await;
    }
    let text = "This can be done from the sandbox’s own pages only. Programs use the API.";
    layout::notice(StatusCode::FORBIDDEN, "Refused", text).into_response()
}

/// The document whose `field` is the address that ends with this token: an id, and a secret behind it.
fn find_by_token(tx: &Tx, kind: Kind, field: &str, token: &str) -> Option<Arc<Doc>> {
    let (id, _) = token.rsplit_once('_')?;
    let doc = tx.get(kind, id)?;
    let address = doc.object[field].as_str()?;
    let own = address.rsplit('/').next()?;
    bool::from(own.as_bytes().ct_eq(token.as_bytes())).then_some(doc)
}

/// Changes something of a customer's, at the time of its clock.
///
/// # Errors
/// What `work` refuses; 429 while the clock is being advanced; 500 if the change can't be written.
async fn change<T>(
    sandbox: &Sandbox,
    of: &str,
    work: impl FnOnce(&mut Tx) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let outcome =
        sandbox.transact(Cause::default(), |tx| match tx.keep_time_of(of, true).and_then(|()| work(tx)) {
            Ok(done) => (true, Ok(done)),
            Err(error) => (error.keeps_changes, Err(error)),
        });
    outcome.await.unwrap_or_else(|_| Err(ApiError::internal()))
}
