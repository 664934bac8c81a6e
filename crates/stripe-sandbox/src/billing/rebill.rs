//! Changing what a subscription is of, in the middle of its period.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/change-price>

use serde_json::{Value, json};

use super::amount::amount;
use super::invoices::Bill;
use super::items::{self, Change};
use super::lines::Line;
use super::pending_update::{self, Update};
use super::proration::{self, Rest};
use super::shape::NewInvoice;
use super::{Interval, collection, invoice_items, invoices, paying, subscriptions};
use crate::engine::objects::{Invoice, InvoiceStatus, Price, Subscription, SubscriptionStatus};
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::payments::ConfirmOptions;

const KIND: Kind = Kind::Subscription;

/// What a request asks for, worked out.
pub(super) struct Rebilling {
    changes: Vec<Change>,
    update: Update,
    /// The draft for what is due now, where something is.
    pub(super) invoice: Option<String>,
}

/// Works out what the parameters `items`, `billing_cycle_anchor` and `trial_end` ask for, and makes the invoice items and
/// the draft that they need; the subscription itself isn't changed yet. `None` if they ask for nothing.
///
/// # Errors
/// If the parameters don't fit each other or the subscription.
pub(super) fn prepare(tx: &mut Tx, id: &str, params: &Value) -> Result<Option<Rebilling>, ApiError> {
    let asked = ["items", "billing_cycle_anchor", "trial_end"];
    if asked.iter().all(|param| params[*param].is_null()) {
        return Ok(None);
    }
    let shown = tx.shown(KIND, id);
    let subscription = Subscription(&shown);
    if subscription.is(SubscriptionStatus::Incomplete) || subscription.is(SubscriptionStatus::Paused) {
        let status = shown["status"].as_str().unwrap_or_default();
        let message = format!(
            "A subscription with the status `{status}` cannot have its items, billing cycle or trial changed."
        );
        return Err(ApiError::invalid(message).param("items"));
    }
    let changes = items::changes(tx, id, &params["items"])?;
    let kept: Vec<&Value> = changes.iter().filter_map(|change| Some(&change.after.as_ref()?.price)).collect();
    check_currency(&shown, &kept)?;
    let interval = items::common_interval(kept.into_iter())?;
    let rest = rest(tx, id, params)?;
    let now = tx.now();
    let trial = trial_end(params, now)?;
    let anew = match trial {
        Some(Some(_)) => true,
        Some(None) if subscription.is_trial() => true,
        _ if subscription.is_trial() => false,
        _ => params["billing_cycle_anchor"] == "now" || begins_anew(&changes, interval),
    };
    let trial_end = trial.flatten();
    let period = (now, trial_end.unwrap_or_else(|| interval.nth(now, 1)));

    let behavior = params["proration_behavior"].as_str().unwrap_or("create_prorations");
    let prorated = behavior != "none" && !subscription.is_trial();
    let rows = if prorated { proration::of(tx, &shown, &changes, rest, anew) } else { Vec::new() };
    let made: Vec<String> = rows.iter().map(|row| invoice_items::insert(tx, row)).collect();
    let invoice = (anew || behavior == "always_invoice" && !made.is_empty()).then(|| {
        let lines = if anew { whole_period(&changes, id, period, trial_end.is_some()) } else { Vec::new() };
        let lines: Vec<Line> =
            lines.iter().map(|(item, free)| Line { subscription: id, item, period, free: *free }).collect();
        let started = if anew && trial_end.is_none() { now } else { rest.period.0 };
        let new = NewInvoice::of_subscription(&shown, "subscription_update", (started, now));
        let waiting = invoice_items::pending(tx, new.customer, new.currency, Some(id), false);
        invoices::draft(tx, &new, &Bill { items: waiting, lines })
    });
    let status = match (trial_end, subscription.is_trial()) {
        (Some(_), _) => Some(SubscriptionStatus::Trialing),
        (None, true) if anew => Some(SubscriptionStatus::Active),
        _ => None,
    };
    let mut update = Update::new(&changes).trial(trial_end).status(status);
    if anew {
        update = update.beginning(period);
    }
    Ok(Some(Rebilling { changes, update, invoice }))
}

impl Rebilling {
    /// Carries it out, and charges for it as `payment_behavior` says.
    ///
    /// # Errors
    /// With `error_if_incomplete`, if the charge isn't paid at once.
    pub(super) fn carry_out(
        &self,
        tx: &mut Tx,
        id: &str,
        before: &Value,
        params: &Value,
    ) -> Result<(), ApiError> {
        const UPDATED: &str = "customer.subscription.updated";
        pending_update::drop_waiting(tx, id);
        let waits = params["payment_behavior"] == "pending_if_incomplete";
        let Some(invoice) = &self.invoice else {
            self.update.apply(tx, id);
            tx.emit_changes(before, UPDATED, KIND, id);
            return Ok(());
        };
        let sent = !Subscription(before).charges_automatically();
        tx.change(KIND, id, |doc| doc.object["latest_invoice"] = json!(invoice));
        if waits && !sent {
            self.update.keep(tx, id, invoice);
        } else {
            self.update.apply(tx, id);
        }
        let position = tx.mark();
        if !sent {
            self.charge(tx, id, invoice, params)?;
        }
        tx.emit_changes_at(position, before, UPDATED, KIND, id);
        Ok(())
    }

    fn charge(&self, tx: &mut Tx, id: &str, invoice: &str, params: &Value) -> Result<(), ApiError> {
        let is_paid = |tx: &Tx| {
            tx.get(Kind::Invoice, invoice).is_some_and(|doc| Invoice(&doc.object).is(InvoiceStatus::Paid))
        };
        invoices::finalize(tx, invoice);
        if is_paid(tx) {
            pending_update::paid(tx, id, invoice);
            return Ok(());
        }
        let behavior = params["payment_behavior"].as_str().unwrap_or("allow_incomplete");
        let method = tx.get(Kind::Invoice, invoice).and_then(|doc| invoices::default_method(tx, &doc));
        let options =
            ConfirmOptions { off_session: params["off_session"] == true, ..ConfirmOptions::default() };
        let outcome = match (behavior, method) {
            ("default_incomplete", _) => Ok(()),
            (_, Some(method)) => paying::pay(tx, invoice, &method, &options),
            (_, None) => {
                invoices::payment_failed(tx, invoice);
                Ok(())
            }
        };
        if is_paid(tx) {
            return Ok(());
        }
        match (behavior, outcome) {
            ("pending_if_incomplete", _) => {
                tx.change(Kind::Invoice, invoice, |doc| doc.object["auto_advance"] = json!(false));
                pending_update::show(tx, id);
            }
            ("error_if_incomplete", Err(mut error)) => {
                error.keeps_changes = false;
                return Err(error);
            }
            ("error_if_incomplete", Ok(())) => return Err(paying::action_needed()),
            ("default_incomplete", _) => subscriptions::payment_failed(tx, id),
            _ => collection::failed(tx, invoice),
        }
        Ok(())
    }

    /// How many items the subscription will have.
    pub(super) fn items(&self) -> usize {
        self.changes.iter().filter(|change| change.after.is_some()).count()
    }
}

/// The most items that Stripe allows.
pub(super) const MAX_ITEMS: usize = 20;

/// Lines for the whole of a period that begins: the items as they will be, and why they are free if they are.
fn whole_period(
    changes: &[Change],
    subscription: &str,
    period: (i64, i64),
    is_trial: bool,
) -> Vec<(Value, Option<&'static str>)> {
    let after = changes.iter().filter_map(|change| Some((change, change.after.as_ref()?)));
    let items = after.map(|(change, wanted)| {
        let item = json!({
            "id": change.id,
            "price": wanted.price,
            "quantity": wanted.quantity,
            "metadata": wanted.metadata,
            "discounts": wanted.discounts,
            "subscription": subscription,
            "current_period_start": period.0,
            "current_period_end": period.1,
        });
        (item, is_trial.then_some("Trial period for"))
    });
    items.collect()
}

fn check_currency(subscription: &Value, prices: &[&Value]) -> Result<(), ApiError> {
    let expected = subscription["currency"].as_str().unwrap_or_default();
    match prices.iter().map(|price| Price(price).currency()).find(|own| *own != expected) {
        Some(other) => Err(ApiError::invalid(format!(
            "The price specified only supports `{other}`. This doesn't match the expected currency: `{expected}`."
        ))
        .param("items")),
        None => Ok(()),
    }
}

/// Where the current period is cut.
fn rest(tx: &Tx, id: &str, params: &Value) -> Result<Rest, ApiError> {
    let items = subscriptions::items(tx, id);
    let time = |field: &str| items.first().and_then(|item| item[field].as_i64()).unwrap_or_default();
    let period = (time("current_period_start"), time("current_period_end"));
    let at = params["proration_date"].as_i64().unwrap_or(tx.now());
    if params["proration_date"].is_null() {
        // A period that is over but not renewed yet has nothing left.
        return Ok(Rest { at: at.clamp(period.0, period.1), period });
    }
    if (period.0..=period.1).contains(&at) {
        return Ok(Rest { at, period });
    }
    let message = "Cannot specify a `proration_date` outside of the subscription's current period.";
    Err(ApiError::invalid(message).param("proration_date"))
}

/// `Some(None)`: the trial ends now.
#[allow(clippy::option_option, reason = "not asked for, ended now, and ending later are three things")]
fn trial_end(params: &Value, now: i64) -> Result<Option<Option<i64>>, ApiError> {
    match (&params["trial_end"], params["trial_end"].as_i64()) {
        (Value::Null, _) => Ok(None),
        (_, Some(end)) if end <= now => {
            let message = "Invalid timestamp: must be an integer Unix timestamp in the future.";
            Err(ApiError::invalid(message).param("trial_end"))
        }
        (_, Some(_)) if !params["billing_cycle_anchor"].is_null() => {
            let message = "You may only specify one of these parameters: billing_cycle_anchor, trial_end.";
            Err(ApiError::invalid(message).param("billing_cycle_anchor"))
        }
        (_, end) => Ok(Some(end)),
    }
}

/// Whether a change begins a new period whatever was asked: with another interval, and where something that cost nothing
/// is to be paid for from now on.
fn begins_anew(changes: &[Change], interval: Interval) -> bool {
    let before: Vec<&Value> = changes.iter().filter_map(|change| change.before.as_ref()).collect();
    let other = before.iter().any(|item| Interval::of(Price(&item["price"]).recurring()) != interval);
    let was_free =
        before.iter().all(|item| amount(&item["price"], item["quantity"].as_i64().unwrap_or(1)) == 0);
    let costs = changes
        .iter()
        .filter_map(|change| change.after.as_ref())
        .any(|wanted| amount(&wanted.price, wanted.quantity) > 0);
    other || was_free && costs
}

/// Goes on with a subscription that was paused at the end of a trial: a period begins once it is paid for.
///
/// # Errors
/// If it isn't paused.
pub(crate) fn resume(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let before = tx.shown(KIND, id);
    let subscription = Subscription(&before);
    if subscription.is(SubscriptionStatus::Canceled) {
        return Err(ApiError::missing(KIND, id, "id"));
    }
    if !subscription.is(SubscriptionStatus::Paused) {
        let message = "Only paused subscriptions can be resumed.";
        return Err(ApiError::invalid(message).param("id"));
    }
    let changes = items::changes(tx, id, &Value::Null)?;
    let interval =
        items::common_interval(changes.iter().filter_map(|change| Some(&change.after.as_ref()?.price)))?;
    let now = tx.now();
    let period = if params["billing_cycle_anchor"] == "unchanged" {
        (now, interval.after(subscription.anchor().unwrap_or(now), now))
    } else {
        (now, interval.nth(now, 1))
    };
    let owned = whole_period(&changes, id, period, false);
    let lines =
        owned.iter().map(|(item, free)| Line { subscription: id, item, period, free: *free }).collect();
    let new = NewInvoice::of_subscription(&before, "subscription_update", (now, now));
    let waiting = invoice_items::pending(tx, new.customer, new.currency, Some(id), false);
    let invoice = invoices::draft(tx, &new, &Bill { items: waiting, lines });
    let update = Update::new(&changes).beginning(period).status(Some(SubscriptionStatus::Active));
    let rebilling = Rebilling { changes, update, invoice: Some(invoice) };
    let waits = json!({"payment_behavior": "pending_if_incomplete"});
    rebilling.carry_out(tx, id, &before, &waits)
}

/// Credits what isn't used of a subscription that ends now.
pub(crate) fn credit_unused(tx: &mut Tx, id: &str) {
    let shown = tx.shown(KIND, id);
    let Ok(rest) = rest(tx, id, &Value::Null) else { return };
    if Subscription(&shown).is_trial() {
        return;
    }
    let gone: Vec<Change> = subscriptions::items(tx, id)
        .into_iter()
        .map(|item| Change { id: new_id(Kind::SubscriptionItem), before: Some(item), after: None })
        .collect();
    for row in proration::of(tx, &shown, &gone, rest, false) {
        invoice_items::insert(tx, &row);
    }
}

/// Bills what still waits for a subscription that is over. Nothing is given back for what it is credited.
pub(crate) fn bill_rest(tx: &mut Tx, id: &str) {
    let shown = tx.shown(KIND, id);
    let started = subscriptions::items(tx, id).first().and_then(|item| item["current_period_start"].as_i64());
    let new =
        NewInvoice::of_subscription(&shown, "subscription_cycle", (started.unwrap_or(tx.now()), tx.now()));
    let items = invoice_items::pending(tx, new.customer, new.currency, Some(id), false);
    if items.is_empty() {
        return;
    }
    let invoice = invoices::draft(tx, &new, &Bill { items, lines: Vec::new() });
    tx.change(KIND, id, |doc| doc.object["latest_invoice"] = json!(invoice));
}
