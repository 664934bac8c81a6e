//! A credit note's PDF.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::document::Document;
use super::layout::notice;
use super::{find_by_token, pdf};
use crate::engine::objects::CreditNote;
use crate::engine::{Kind, Sandbox};

/// `GET /credit_notes/pdf/{token}`
pub(super) async fn pdf(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let document = sandbox.read(|tx| {
        let note = find_by_token(tx, Kind::CreditNote, "pdf", &token)?;
        let invoice = tx.get(Kind::Invoice, CreditNote(&note.object).invoice())?;
        Some(Document::of_credit_note(tx, &note.object, &invoice.object))
    });
    match document {
        Some(document) => pdf::download(&document),
        None => {
            let text = "There is no such credit note. It may be from before the sandbox was restarted.";
            notice(StatusCode::NOT_FOUND, "Not found", text)
        }
    }
}
