//! The announcement of a renewal, some days before.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/webhooks>, where `invoice.upcoming` comes "a few days" before: how many
//! is a setting of the account, and what accounts begin with isn't documented. Assumed: seven, or as soon as the period has
//! begun where it is shorter.

use serde_json::json;

use super::{preview, renewal};
use crate::engine::objects::Subscription;
use crate::engine::{Doc, Kind, Tx};

const KIND: Kind = Kind::Subscription;
/// How long before a renewal it is announced, in seconds.
const NOTICE: i64 = 7 * 86_400;

/// When the next renewal is to be announced, in Unix seconds; `None` where it was, or there is none.
pub(super) fn at(doc: &Doc) -> Option<i64> {
    let renewal = renewal::at(doc)?;
    let ends = Subscription(&doc.object).cancel_at().is_some_and(|end| end <= renewal);
    (!ends && doc.hidden["announced_renewal"] != renewal).then_some(renewal - NOTICE)
}

/// Announces the next renewal, with the invoice that it would bring as things are.
pub(super) fn announce(tx: &mut Tx, id: &str) {
    let Some(renewal) = tx.get(KIND, id).and_then(|doc| renewal::at(&doc)) else { return };
    tx.change(KIND, id, |doc| doc.hidden["announced_renewal"] = json!(renewal));
    // Where none would come, there is nothing to announce.
    if let Ok(invoice) = preview::upcoming(tx, id) {
        tx.emit_object("invoice.upcoming", invoice);
    }
}
