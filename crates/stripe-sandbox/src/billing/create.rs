//! Starting a subscription.

use serde_json::{Value, json};

use super::discounts::{self, On};
use super::invoices::Bill;
use super::items::{self, Wanted};
use super::shape::NewInvoice;
use super::timing::{self, Timing};
use super::{add_items, invoice_items, invoices, lines, paying, renewal, shape, subscriptions, tax_rates};
use crate::cards::{self, Purpose, Verdict};
use crate::engine::objects::{
    Customer, Invoice, InvoiceStatus, Price, Subscription, SubscriptionStatus, owner,
};
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::payments::{ConfirmOptions, methods, setup};

const KIND: Kind = Kind::Subscription;

/// Starts a subscription by the parameters of `POST /v1/subscriptions`. Returns its id.
///
/// # Errors
/// If the parameters don't fit; 402 if `error_if_incomplete` was asked for and the first payment fails.
pub(crate) fn create(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let started = start(tx, params)?;
    settle(tx, &started, params)?;
    Ok(started.id)
}

/// Starts the subscription of a schedule. As at Stripe, it is active at once, and its first invoice is a draft that finalizes
/// itself, as that of a renewal is. Returns its id.
///
/// # Errors
/// If the parameters don't fit.
pub(super) fn by_schedule(tx: &mut Tx, params: &Value, schedule: &str) -> Result<String, ApiError> {
    let Started { id, position, .. } = start(tx, params)?;
    tx.change(KIND, &id, |doc| {
        doc.object["status"] = json!(SubscriptionStatus::Active);
        doc.object["schedule"] = json!(schedule);
    });
    tx.emit_at(position, "customer.subscription.created", KIND, &id);
    Ok(id)
}

/// A subscription of which nothing is charged yet.
pub(super) struct Started {
    id: String,
    /// Its first invoice, a draft.
    pub(super) invoice: String,
    /// Where among the events its own belongs.
    position: usize,
    sent: bool,
    is_trial: bool,
}

/// Makes a subscription, with the draft of its first invoice.
///
/// # Errors
/// If the parameters don't fit.
pub(super) fn start(tx: &mut Tx, params: &Value) -> Result<Started, ApiError> {
    let customer = params["customer"].as_str().unwrap_or_default();
    tx.find(Kind::Customer, customer, "customer")?;
    let wanted = items::of_new(tx, &params["items"])?;
    let currency = common_currency(tx, customer, &wanted, params)?;
    let interval = items::common_interval(wanted.iter().map(|item| &item.price))?;
    let params = &with_trial_of_plan(params, &wanted)?;
    let timing = timing::of(params, tx.now(), interval)?;
    let method = params["default_payment_method"].as_str();
    if let Some(method) = method {
        check_owner(tx, method, customer)?;
    }
    let sent = params["collection_method"] == "send_invoice";
    if sent && params["days_until_due"].is_null() {
        let message = "If `collection_method` is set to `send_invoice`, `days_until_due` must be provided.";
        return Err(ApiError::invalid(message).param("days_until_due"));
    }

    let id = new_id(KIND);
    insert(tx, &id, params, &currency, &timing, &wanted)?;
    let begun = tx.shown(KIND, &id);
    add_items::add(tx, &begun, params)?;
    tx.update(Kind::Customer, customer, "customer.updated", |doc| doc.object["currency"] = json!(currency));
    let position = tx.mark();
    let invoice = first_invoice(tx, &id, &timing);
    Ok(Started { id, invoice, position, sent, is_trial: timing.trial.is_some() })
}

/// Charges for a subscription that has started, or sees that it can be charged later.
fn settle(tx: &mut Tx, started: &Started, params: &Value) -> Result<(), ApiError> {
    let Started { id, invoice, position, sent, is_trial } = started;
    let drafted = tx.get(Kind::Invoice, invoice);
    let nothing = drafted.is_some_and(|doc| Invoice(&doc.object).total() == 0);
    if nothing || !sent {
        invoices::finalize(tx, invoice);
    }
    let paid = tx.get(Kind::Invoice, invoice).is_some_and(|doc| Invoice(&doc.object).is(InvoiceStatus::Paid));
    if paid || *sent {
        let status = if *is_trial { SubscriptionStatus::Trialing } else { SubscriptionStatus::Active };
        tx.change(KIND, id, |doc| doc.object["status"] = json!(status));
        if !sent {
            set_up_later(tx, id, params["customer"].as_str().unwrap_or_default())?;
        }
        tx.emit_at(*position, "customer.subscription.created", KIND, id);
        renewal::announce_trial_end(tx, id);
        return Ok(());
    }
    tx.emit_at(*position, "customer.subscription.created", KIND, id);
    if params["payment_behavior"] != "default_incomplete" {
        pay(tx, id, invoice, params)?;
    }
    Ok(())
}

/// The parameters with the days of trial that the first price has, if they ask for those.
fn with_trial_of_plan(params: &Value, wanted: &[Wanted]) -> Result<Value, ApiError> {
    let mut params = params.clone();
    if params["trial_from_plan"] != true {
        return Ok(params);
    }
    if let Some(other) = ["trial_end", "trial_period_days"].iter().find(|other| !params[**other].is_null()) {
        let message = format!("You may only specify one of these parameters: trial_from_plan, {other}.");
        return Err(ApiError::invalid(message).param("trial_from_plan"));
    }
    let recurring = wanted.first().map(|item| Price(&item.price).recurring());
    if let Some(days) =
        recurring.map(|recurring| &recurring["trial_period_days"]).filter(|days| days.is_i64())
    {
        params["trial_period_days"] = days.clone();
    }
    Ok(params)
}

fn common_currency(tx: &Tx, customer: &str, wanted: &[Wanted], params: &Value) -> Result<String, ApiError> {
    let first = wanted.first().map(|item| Price(&item.price).currency()).unwrap_or_default();
    let customer = tx.get(Kind::Customer, customer);
    let customers = customer.as_ref().and_then(|doc| Customer(&doc.object).currency());
    let expected = params["currency"].as_str().or(customers).unwrap_or(first);
    let other = wanted.iter().map(|item| Price(&item.price).currency()).find(|own| *own != expected);
    match other {
        Some(other) => Err(ApiError::invalid(format!(
            "The price specified only supports `{other}`. This doesn't match the expected currency: `{expected}`."
        ))
        .param("items")),
        None => Ok(expected.to_owned()),
    }
}

/// That a payment method is the customer's.
///
/// # Errors
/// `resource_missing`.
pub(super) fn check_owner(tx: &Tx, method: &str, customer: &str) -> Result<(), ApiError> {
    let doc = tx.find(Kind::PaymentMethod, method, "default_payment_method")?;
    if owner(&doc.object) == Some(customer) {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "The customer does not have a payment method with the ID {method}. The payment method must be attached to \
         the customer."
    ))
    .code("resource_missing")
    .param("default_payment_method"))
}

fn insert(
    tx: &mut Tx,
    id: &str,
    params: &Value,
    currency: &str,
    timing: &Timing,
    wanted: &[Wanted],
) -> Result<(), ApiError> {
    let mut object = shape::subscription(tx, id, params, currency, timing);
    if params["cancel_at_period_end"] == true {
        subscriptions::schedule_end(tx, &mut object, Some(timing.period.1), true)?;
    } else if let Some(at) = params["cancel_at"].as_i64() {
        subscriptions::schedule_end(tx, &mut object, Some(at), false)?;
    }
    let mut items = Vec::new();
    for (index, item) in wanted.iter().enumerate() {
        let item_id = new_id(Kind::SubscriptionItem);
        let own = items::redeem(tx, &params["items"][index], &object, &item_id, index)?;
        let item = Wanted { discounts: own.unwrap_or_default(), ..item.clone() };
        items::insert(tx, &item_id, id, &item, timing.period);
        items.push(item_id);
    }
    let rates = tax_rates::of(tx, &params["default_tax_rates"], "default_tax_rates")?;
    object["default_tax_rates"] = json!(rates);
    tx.insert(KIND, object, json!({"items": items, "renews_at": timing.period.1}));
    let customer = params["customer"].as_str().unwrap_or_default();
    let on = On { customer, subscription: Some(id), ..On::default() };
    let given = discounts::redeem_all(tx, &params["discounts"], currency, on)?;
    tx.change(KIND, id, |doc| doc.object["discounts"] = json!(given));
    Ok(())
}

fn first_invoice(tx: &mut Tx, id: &str, timing: &Timing) -> String {
    let subscription = tx.shown(KIND, id);
    let items = subscriptions::items(tx, id);
    let free = match (timing.charged, timing.trial) {
        (true, _) => None,
        (false, Some(_)) => Some("Trial period for"),
        (false, None) => Some("Not charged:"),
    };
    let lines = lines::licensed(id, &items, timing.period, free);
    let new = NewInvoice::of_subscription(&subscription, "subscription_create", (tx.now(), tx.now()));
    let waiting = invoice_items::pending(tx, new.customer, new.currency, Some(id), true);
    let invoice = invoices::draft(tx, &new, &Bill { items: waiting, lines });
    tx.change(KIND, id, |doc| doc.object["latest_invoice"] = json!(invoice));
    invoice
}

/// Where nothing is due now, a setup intent for the card that will be charged later, unless there is one
/// that can be.
fn set_up_later(tx: &mut Tx, id: &str, customer: &str) -> Result<(), ApiError> {
    let doc = tx.get(KIND, id);
    let method = doc.and_then(|doc| subscriptions::payment_method(tx, Subscription(&doc.object)));
    if let Some(doc) = method.as_deref().and_then(|method| tx.get(Kind::PaymentMethod, method)) {
        let set_up = doc.hidden["set_up"] == true;
        let ready = methods::card_of(&doc).is_some_and(|card| {
            cards::judge(card, Purpose::SetUp, set_up, false, false) != Verdict::Challenged
        });
        if set_up || ready {
            return Ok(());
        }
    }
    let plan = setup::NewSetup {
        customer: Some(customer),
        payment_method: method.as_deref(),
        usage: "off_session",
        subscription: Some(id),
    };
    let intent = setup::create(tx, &plan, |_| {});
    tx.change(KIND, id, |doc| doc.object["pending_setup_intent"] = json!(intent));
    if method.is_some() {
        paying::confirm(tx, Kind::SetupIntent, &intent, &ConfirmOptions::default())?;
    }
    Ok(())
}

/// Takes the first payment now.
fn pay(tx: &mut Tx, id: &str, invoice: &str, params: &Value) -> Result<(), ApiError> {
    let all_or_nothing = params["payment_behavior"] == "error_if_incomplete";
    let method = tx.get(Kind::Invoice, invoice).and_then(|doc| invoices::default_method(tx, &doc));
    let Some(method) = method else {
        return Err(ApiError::invalid(
            "This customer has no attached payment source or default payment method. Please consider adding a \
             default payment method. For more information, visit \
             https://stripe.com/docs/billing/subscriptions/payment-methods-setting#subscription-payment-methods-override.",
        )
        .code("resource_missing"));
    };
    let options = ConfirmOptions { off_session: params["off_session"] == true, ..ConfirmOptions::default() };
    match paying::pay(tx, invoice, &method, &options) {
        Err(mut error) if all_or_nothing => {
            error.keeps_changes = false;
            Err(error)
        }
        // The subscription is incomplete; its invoice says why.
        Err(_) => Ok(()),
        Ok(())
            if all_or_nothing
                && tx
                    .get(KIND, id)
                    .is_some_and(|doc| Subscription(&doc.object).is(SubscriptionStatus::Incomplete)) =>
        {
            Err(paying::action_needed())
        }
        Ok(()) => Ok(()),
    }
}
