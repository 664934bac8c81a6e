//! A change of a subscription that waits for its invoice to be paid, and what a change does once it takes effect.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/pending-updates>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::items::{self, Change, Wanted};
use super::{discount_holders, invoices, subscriptions};
use crate::engine::objects::{Subscription, SubscriptionStatus};
use crate::engine::{Doc, Kind, Tx};

const KIND: Kind = Kind::Subscription;
const UPDATED: &str = "customer.subscription.updated";
/// How long a change waits for its payment, in seconds.
const LIFE: i64 = 23 * 3600;

/// What a change makes of a subscription.
#[derive(Serialize, Deserialize)]
pub(super) struct Update {
    items: Vec<ItemUpdate>,
    /// The period that begins, if one does; Unix seconds.
    period: Option<(i64, i64)>,
    /// The end of the trial that begins or goes on, in Unix seconds.
    trial_end: Option<i64>,
    /// What the status becomes, if it changes.
    status: Option<SubscriptionStatus>,
}

#[derive(Serialize, Deserialize)]
struct ItemUpdate {
    id: String,
    is_new: bool,
    /// Price, quantity and metadata; `None` for an item that is removed.
    after: Option<(Value, i64, Value)>,
    /// The ids of its own discounts.
    #[serde(default)]
    discounts: Vec<String>,
}

impl Update {
    pub(super) fn new(changes: &[Change]) -> Self {
        let items = changes.iter().map(|change| ItemUpdate {
            id: change.id.clone(),
            is_new: change.before.is_none(),
            after: change
                .after
                .as_ref()
                .map(|wanted| (wanted.price["id"].clone(), wanted.quantity, wanted.metadata.clone())),
            discounts: change.after.as_ref().map(|wanted| wanted.discounts.clone()).unwrap_or_default(),
        });
        Self { items: items.collect(), period: None, trial_end: None, status: None }
    }

    pub(super) fn beginning(self, period: (i64, i64)) -> Self {
        Self { period: Some(period), ..self }
    }

    pub(super) fn trial(self, end: Option<i64>) -> Self {
        Self { trial_end: end, ..self }
    }

    pub(super) fn status(self, status: Option<SubscriptionStatus>) -> Self {
        Self { status, ..self }
    }

    /// Makes it so, without a word.
    pub(super) fn apply(&self, tx: &mut Tx, id: &str) {
        let Some(doc) = tx.get(KIND, id) else { return };
        let current = subscriptions::items(tx, id);
        let first = current.first();
        let time = |field: &str| first.and_then(|item| item[field].as_i64()).unwrap_or_default();
        let period = self.period.unwrap_or((time("current_period_start"), time("current_period_end")));
        let mut ids: Vec<Value> = doc.hidden["items"].as_array().cloned().unwrap_or_default();
        for item in &self.items {
            match &item.after {
                None => {
                    ids.retain(|id| *id != item.id);
                    tx.mark_deleted(Kind::SubscriptionItem, &item.id);
                }
                Some((price, quantity, metadata)) if item.is_new => {
                    let price = tx.shown(Kind::Price, price.as_str().unwrap_or_default());
                    let discounts = item.discounts.clone();
                    let wanted = Wanted { price, quantity: *quantity, metadata: metadata.clone(), discounts };
                    items::insert(tx, &item.id, id, &wanted, period);
                    ids.push(json!(item.id));
                }
                Some((price, quantity, metadata)) => {
                    tx.change(Kind::SubscriptionItem, &item.id, |doc| {
                        doc.object["price"] = price.clone();
                        doc.object["quantity"] = json!(quantity);
                        doc.object["metadata"] = metadata.clone();
                        doc.object["current_period_start"] = json!(period.0);
                        doc.object["current_period_end"] = json!(period.1);
                    });
                    discount_holders::replace(tx, Kind::SubscriptionItem, &item.id, &item.discounts);
                }
            }
        }
        tx.change(KIND, id, |doc| {
            doc.hidden["items"] = json!(ids);
            if let Some((start, end)) = self.period {
                doc.hidden["renews_at"] = json!(end);
                doc.object["billing_cycle_anchor"] = json!(self.trial_end.unwrap_or(start));
                if Subscription(&doc.object).is_trial() && self.trial_end.is_none() {
                    doc.object["trial_end"] = json!(start);
                }
            }
            if let Some(end) = self.trial_end {
                doc.object["trial_end"] = json!(end);
                doc.hidden["trial_end_announced"] = json!(false);
                if doc.object["trial_start"].is_null() {
                    doc.object["trial_start"] = json!(period.0);
                }
            }
            if let Some(status) = self.status {
                doc.object["status"] = json!(status);
            }
        });
    }

    /// Keeps it until `invoice` is paid.
    pub(super) fn keep(&self, tx: &mut Tx, id: &str, invoice: &str) {
        let kept = json!({"invoice": invoice, "update": self});
        tx.change(KIND, id, |doc| doc.hidden["pending_update"] = kept);
    }

    /// How the API shows it while it waits.
    fn shown(&self, tx: &Tx, id: &str) -> Value {
        let now = tx.now();
        let shown = tx_items(tx, id, self);
        // It doesn't outlive the period that it was worked out for.
        let end = subscriptions::period_end(tx, id).filter(|end| *end > now);
        let expires_at = (now + LIFE).min(end.unwrap_or(i64::MAX));
        json!({
            "billing_cycle_anchor": self.period.map(|(start, _)| start),
            "discounts": null,
            "expires_at": expires_at,
            "metadata": null,
            "subscription_items": shown,
            "trial_end": self.trial_end,
            "trial_from_plan": null,
        })
    }
}

/// The items as they would be.
fn tx_items(tx: &Tx, id: &str, update: &Update) -> Vec<Value> {
    let current = subscriptions::items(tx, id);
    let after = update.items.iter().filter_map(|item| Some((item, item.after.as_ref()?)));
    let shown = after.map(|(item, (price, quantity, metadata))| {
        let existing = current.iter().find(|existing| existing["id"] == item.id).or(current.first());
        let mut shown = existing.cloned().unwrap_or_default();
        let price = tx.shown(Kind::Price, price.as_str().unwrap_or_default());
        shown["id"] = json!(item.id);
        shown["plan"] = crate::engine::plan(&price);
        shown["price"] = price;
        shown["quantity"] = json!(quantity);
        shown["metadata"] = metadata.clone();
        shown["discounts"] = json!(item.discounts);
        shown
    });
    shown.collect()
}

fn kept(doc: &Doc) -> Option<(String, Update)> {
    let invoice = doc.hidden["pending_update"]["invoice"].as_str()?;
    let update = Update::deserialize(&doc.hidden["pending_update"]["update"]).ok()?;
    Some((invoice.to_owned(), update))
}

/// The first attempt to pay for a change is over: where it wasn't paid, the change is shown to wait.
pub(super) fn show(tx: &mut Tx, id: &str) {
    let Some((_, update)) = tx.get(KIND, id).and_then(|doc| kept(&doc)) else { return };
    let shown = update.shown(tx, id);
    tx.change(KIND, id, |doc| doc.object["pending_update"] = shown);
}

/// An invoice was paid: the change that waited for it takes effect.
pub(super) fn paid(tx: &mut Tx, id: &str, invoice: &str) {
    let waiting = tx.get(KIND, id).and_then(|doc| kept(&doc)).filter(|(own, _)| own == invoice);
    let Some((_, update)) = waiting else { return };
    let before = tx.shown(KIND, id);
    let was_paused = Subscription(&before).is(SubscriptionStatus::Paused);
    update.apply(tx, id);
    forget(tx, id);
    tx.emit_changes(&before, UPDATED, KIND, id);
    if was_paused {
        tx.emit("customer.subscription.resumed", KIND, id);
    }
    if !before["pending_update"].is_null() {
        tx.emit("customer.subscription.pending_update_applied", KIND, id);
    }
}

fn forget(tx: &mut Tx, id: &str) {
    tx.change(KIND, id, |doc| {
        doc.object["pending_update"] = Value::Null;
        if let Some(hidden) = doc.hidden.as_object_mut() {
            hidden.remove("pending_update");
        }
    });
}

/// Gives up the change that waits, if one does, and voids its invoice.
pub(super) fn drop_waiting(tx: &mut Tx, id: &str) {
    let Some((invoice, _)) = tx.get(KIND, id).and_then(|doc| kept(&doc)) else { return };
    forget(tx, id);
    // One that isn't open any more has nothing to void.
    let _ = invoices::void(tx, &invoice);
}

/// The change has waited for too long.
pub(super) fn expire(tx: &mut Tx, id: &str) {
    let before = tx.shown(KIND, id);
    drop_waiting(tx, id);
    tx.emit_changes(&before, UPDATED, KIND, id);
    tx.emit("customer.subscription.pending_update_expired", KIND, id);
}

/// An invoice won't be paid: the change that waited for it won't happen.
pub(crate) fn voided(tx: &mut Tx, id: &str, invoice: &str) {
    if tx.get(KIND, id).and_then(|doc| kept(&doc)).is_some_and(|(own, _)| own == invoice) {
        let before = tx.shown(KIND, id);
        forget(tx, id);
        tx.emit_changes(&before, UPDATED, KIND, id);
    }
}
