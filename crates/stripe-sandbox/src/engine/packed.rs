//! How documents are kept: those that are at work as they are, the others packed.
//!
//! A document that is looked at once in a while, as events, charges and paid invoices are, takes a tenth of the room as
//! compressed text, and is read again in some ten microseconds.

use std::sync::Arc;

use lz4_flex::block;

use super::kind::Kind;
use super::objects::{Intent, Invoice, InvoiceStatus};
use super::state::Doc;

/// What most documents have in common, so that packed ones needn't have it: some of them, one a line. Others do as well.
const DICTIONARY: &[u8] = include_bytes!("dictionary.jsonl");

/// A document in memory.
pub(super) enum Kept {
    Whole(Arc<Doc>),
    /// JSON, compressed, its length before it.
    Packed {
        json: Box<[u8]>,
        created: Option<i64>,
    },
}

impl Kept {
    pub(super) fn new(kind: Kind, doc: Arc<Doc>) -> Self {
        if !is_at_rest(kind, &doc) {
            return Self::Whole(doc);
        }
        match serde_json::to_vec(&doc) {
            Ok(json) => Self::Packed {
                json: block::compress_prepend_size_with_dict(&json, DICTIONARY).into_boxed_slice(),
                created: doc.created(),
            },
            Err(_) => Self::Whole(doc),
        }
    }

    pub(super) fn open(&self, seq: i64) -> Arc<Doc> {
        match self {
            Self::Whole(doc) => Arc::clone(doc),
            Self::Packed { json, .. } => {
                // It was packed here, and nothing else writes it.
                let json = block::decompress_size_prepended_with_dict(json, DICTIONARY).unwrap_or_default();
                let doc = serde_json::from_slice::<Doc>(&json).unwrap_or_default();
                Arc::new(Doc { seq, ..doc })
            }
        }
    }

    /// When the object was made, in Unix seconds.
    pub(super) fn created(&self) -> Option<i64> {
        match self {
            Self::Whole(doc) => doc.created(),
            Self::Packed { created, .. } => *created,
        }
    }
}

/// Whether a document isn't likely to be needed soon.
fn is_at_rest(kind: Kind, doc: &Doc) -> bool {
    match kind {
        Kind::Event
        | Kind::Replay
        | Kind::BalanceTransaction
        | Kind::Token
        | Kind::SetupAttempt
        | Kind::Customer
        | Kind::PaymentMethod
        | Kind::InvoicePayment
        | Kind::CreditNote
        | Kind::Charge => true,
        Kind::Delivery => !doc.is_pending(),
        Kind::PaymentIntent | Kind::SetupIntent => Intent(&doc.object).is_over(),
        Kind::Invoice => {
            let invoice = Invoice(&doc.object);
            !invoice.is(InvoiceStatus::Draft) && !invoice.is(InvoiceStatus::Open)
        }
        _ => doc.is_deleted(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_packed_is_the_same_when_it_is_opened() {
        let object = json!({"id": "evt_1", "object": "event", "created": 5, "data": {"object": {"a": [1, null, "é"]}}});
        let doc = Doc { seq: 7, object, hidden: json!({"endpoints": ["we_1"]}) };
        let kept = Kept::new(Kind::Event, Arc::new(doc.clone()));
        assert!(matches!(kept, Kept::Packed { created: Some(5), .. }));
        let opened = kept.open(7);
        assert_eq!((&opened.object, &opened.hidden, opened.seq), (&doc.object, &doc.hidden, 7));
    }
}
