//! The end of a period: the next one begins, and is billed.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/overview>; the order of events and the times of the draft as Stripe's
//! test mode was seen to have them.

use serde_json::{Value, json};

use super::invoices::Bill;
use super::{Interval, invoice_items, invoices, lines, meters, schedule_run, subscriptions};
use crate::engine::objects::{Price, Subscription, SubscriptionStatus};
use crate::engine::{Doc, Kind, Tx};

const KIND: Kind = Kind::Subscription;
const UPDATED: &str = "customer.subscription.updated";
/// How long before its end a trial's end is announced, in seconds; a shorter one's at once.
const NOTICE: i64 = 3 * 86_400;

/// When the current period ends and another begins, in Unix seconds; `None` where none does.
pub(super) fn at(doc: &Doc) -> Option<i64> {
    use SubscriptionStatus::{Active, PastDue, Trialing, Unpaid};
    let runs = matches!(Subscription(&doc.object).status(), Some(Trialing | Active | PastDue | Unpaid));
    doc.hidden["renews_at"].as_i64().filter(|_| runs)
}

/// When the end of its trial is to be announced, in Unix seconds; `None` where it was, or there is none to announce.
pub(super) fn trial_notice_at(doc: &Doc) -> Option<i64> {
    let subscription = Subscription(&doc.object);
    let waits = subscription.is_trial() && doc.hidden["trial_end_announced"] != true;
    subscription.trial_end().filter(|_| waits).map(|end| end - NOTICE)
}

/// Announces the end of a trial, if it is time to.
pub(super) fn announce_trial_end(tx: &mut Tx, id: &str) {
    let Some(at) = tx.get(KIND, id).and_then(|doc| trial_notice_at(&doc)) else { return };
    if at <= tx.now() {
        tx.change(KIND, id, |doc| doc.hidden["trial_end_announced"] = json!(true));
        tx.emit("customer.subscription.trial_will_end", KIND, id);
    }
}

/// Begins the next period with a draft for it; at the end of a trial without a payment method, what was asked for.
pub(super) fn renew(tx: &mut Tx, id: &str) {
    if end_trial_unpaid(tx, id) {
        return;
    }
    begin_period(tx, id);
    let Some(doc) = tx.get(KIND, id) else { return };
    let subscription = Subscription(&doc.object);
    let Some(invoice) = subscription.latest_invoice() else { return };
    match subscription.paused_collection() {
        Some("void") => {
            invoices::finalize(tx, invoice);
            // One of nothing is paid already.
            let _ = invoices::void(tx, invoice);
        }
        Some("mark_uncollectible") => {
            invoices::finalize(tx, invoice);
            let _ = invoices::mark_uncollectible(tx, invoice);
        }
        _ => {}
    }
}

/// Where a trial ends without a payment method and the subscription isn't to be charged then: cancels or pauses it.
/// Returns whether that was so.
pub(super) fn end_trial_unpaid(tx: &mut Tx, id: &str) -> bool {
    let Some(doc) = tx.get(KIND, id) else { return false };
    let subscription = Subscription(&doc.object);
    if !subscription.is_trial() || subscriptions::payment_method(tx, subscription).is_some() {
        return false;
    }
    match subscription.without_payment_method() {
        "cancel" => subscriptions::end(tx, id),
        "pause" => pause(tx, id),
        _ => return false,
    }
    true
}

/// Begins the next period now, with a draft for it.
pub(super) fn begin_period(tx: &mut Tx, id: &str) {
    let before = tx.shown(KIND, id);
    let was = interval(&subscriptions::items(tx, id));
    schedule_run::enter_phase(tx, id);
    let (Some(doc), items) = (tx.get(KIND, id), subscriptions::items(tx, id)) else { return };
    let subscription = Subscription(&doc.object);
    let (Some(first), Some(interval)) = (items.first(), interval(&items)) else { return };
    let start = tx.now();
    let begins_anew = was != Some(interval);
    let anchor = subscription.anchor().filter(|_| !begins_anew).unwrap_or(start);
    let end = interval.after(anchor, start);
    for item in items.iter().filter_map(|item| item["id"].as_str()) {
        tx.change(Kind::SubscriptionItem, item, |doc| {
            doc.object["current_period_start"] = json!(start);
            doc.object["current_period_end"] = json!(end);
        });
    }
    let mut lines = lines::licensed(id, &items, (start, end), None);
    lines.extend(meters::lines(tx, subscription, &items, start));
    // A cycle's invoice tells of the period that is over; its lines are of the one that begins.
    let over = (first["current_period_start"].as_i64().unwrap_or(start), start);
    let position = tx.mark();
    let (customer, currency) = (subscription.customer(), before["currency"].as_str().unwrap_or_default());
    let waiting = invoice_items::pending(tx, customer, currency, Some(id), true);
    let bill = Bill { items: waiting, lines };
    let invoice = invoices::draft_of_cycle(tx, &before, over, &bill);
    let was_trial = subscription.is_trial();
    tx.change(KIND, id, |doc| {
        doc.hidden["renews_at"] = json!(end);
        doc.object["billing_cycle_anchor"] = json!(anchor);
        doc.object["latest_invoice"] = json!(invoice);
        if was_trial {
            doc.object["status"] = json!(SubscriptionStatus::Active);
        }
    });
    tx.emit_changes_at(position, &before, UPDATED, KIND, id);
}

/// How often it is billed, which all of its items have in common.
fn interval(items: &[Value]) -> Option<Interval> {
    items.first().map(|item| Interval::of(Price(&item["price"]).recurring()))
}

/// The trial is over, and nothing goes on.
fn pause(tx: &mut Tx, id: &str) {
    let now = tx.now();
    let before = tx.shown(KIND, id);
    for item in subscriptions::items(tx, id).iter().filter_map(|item| item["id"].as_str()) {
        tx.change(Kind::SubscriptionItem, item, |doc| doc.object["current_period_end"] = json!(now));
    }
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(SubscriptionStatus::Paused);
        doc.object["trial_end"] = json!(now);
    });
    tx.emit_changes(&before, UPDATED, KIND, id);
    tx.emit("customer.subscription.paused", KIND, id);
}
