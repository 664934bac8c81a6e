//! Paying: confirming an intent, and what comes of that for its invoice and its subscription.

use serde_json::json;

use super::{checkout, invoices, pending_update, subscriptions};
use crate::engine::objects::{Intent, IntentStatus, Invoice};
use crate::engine::{ApiError, Cause, Kind, Sandbox, Tx};
use crate::payments::{ConfirmOptions, payment, setup};

/// Why a 3D Secure challenge could not be answered. Shown by the challenge's page.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    #[error("there is no such intent")]
    NoSuchIntent,
    #[error("the intent isn't waiting for authentication")]
    NotWaiting,
    #[error("the customer's test clock is being advanced")]
    ClockAdvancing,
    #[error("the sandbox's database could not be written")]
    Storage,
}

impl Sandbox {
    /// Answers the 3D Secure challenge of a payment or setup intent.
    ///
    /// # Errors
    /// If there is no such intent, or it isn't waiting for an answer (any more).
    pub async fn authenticate(&self, intent: &str, approve: bool) -> Result<(), ChallengeError> {
        self.transact(Cause::default(), |tx| {
            let outcome = authenticate(tx, intent, approve);
            (outcome.is_ok(), outcome)
        })
        .await
        .unwrap_or(Err(ChallengeError::Storage))
    }
}

fn authenticate(tx: &mut Tx, id: &str, approve: bool) -> Result<(), ChallengeError> {
    for kind in [Kind::PaymentIntent, Kind::SetupIntent] {
        let Some(intent) = tx.get(kind, id) else { continue };
        if tx.keep_time_of(id, true).is_err() {
            return Err(ChallengeError::ClockAdvancing);
        }
        if !Intent(&intent.object).is(IntentStatus::RequiresAction) {
            return Err(ChallengeError::NotWaiting);
        }
        let outcome = match kind {
            Kind::PaymentIntent => payment::answer_challenge(tx, id, approve),
            _ => setup::answer_challenge(tx, id, approve),
        };
        // A decline after the challenge stands on the intent; the challenge itself was answered.
        let _ = followed(tx, kind, id, outcome);
        return Ok(());
    }
    Err(ChallengeError::NoSuchIntent)
}

/// Confirms a payment or setup intent with the payment method it has.
///
/// # Errors
/// If its status doesn't allow that or it has no payment method; 402 if the card is declined, in which
/// case the intent and its invoice say so too.
pub(crate) fn confirm(tx: &mut Tx, kind: Kind, id: &str, options: &ConfirmOptions) -> Result<(), ApiError> {
    let outcome = match kind {
        Kind::PaymentIntent => payment::confirm(tx, id, options),
        _ => setup::confirm(tx, id, options),
    };
    followed(tx, kind, id, outcome)
}

/// Tries to pay an open invoice with a payment method.
///
/// # Errors
/// 402 if the card is declined; the invoice has noted the attempt.
pub(crate) fn pay(
    tx: &mut Tx,
    invoice: &str,
    method: &str,
    options: &ConfirmOptions,
) -> Result<(), ApiError> {
    let Some(intent) = invoices::intent_of(tx, invoice) else { return Ok(()) };
    tx.change(Kind::PaymentIntent, &intent, |doc| doc.object["payment_method"] = json!(method));
    let outcome = confirm(tx, Kind::PaymentIntent, &intent, options);
    // Without its customer there is nobody to ask, so the bank's question is a decline, and announced all the same.
    if outcome.as_ref().is_err_and(|error| error.is("authentication_required")) {
        tx.emit("invoice.payment_action_required", Kind::Invoice, invoice);
    }
    outcome
}

/// The error for a payment that had to succeed at once, and waits for 3D Secure.
pub(super) fn action_needed() -> ApiError {
    let message = "Payment for this subscription requires additional user action before it can be completed \
                   successfully. Payment can be completed using the PaymentIntent associated with \
                   `subscription.latest_invoice`.";
    ApiError::card("subscription_payment_intent_requires_action", message)
}

/// Pays an invoice without a payment: it was paid elsewhere.
pub(crate) fn paid_elsewhere(tx: &mut Tx, invoice: &str) {
    if let Some(intent) = invoices::intent_of(tx, invoice) {
        // One that is over already has nothing to cancel.
        let _ = payment::cancel(tx, &intent, Some("automatic"));
    }
    let Some(doc) = tx.get(Kind::Invoice, invoice) else { return };
    let view = Invoice(&doc.object);
    if let Some(subscription) = view.subscription() {
        subscriptions::paid_elsewhere(tx, subscription, invoice);
    }
    invoices::mark_paid(tx, invoice, view.amount_due());
    if let Some(subscription) = view.subscription() {
        pending_update::paid(tx, subscription, invoice);
    }
    tx.change(Kind::Invoice, invoice, |doc| {
        doc.object["amount_paid_off_stripe"] = doc.object["amount_due"].clone();
    });
}

/// Carries the outcome of an attempt over to the intent's invoice or subscription. What was refused before the
/// card was asked is no attempt.
fn followed(tx: &mut Tx, kind: Kind, id: &str, outcome: Result<(), ApiError>) -> Result<(), ApiError> {
    let attempted = outcome.as_ref().err().is_none_or(|error| error.keeps_changes);
    let Some(intent) = tx.get(kind, id).filter(|_| attempted) else { return outcome };
    let view = Intent(&intent.object);
    let (method, status) = (view.payment_method().unwrap_or_default(), view.status());
    if let Some(invoice) = intent.hidden["invoice"].as_str() {
        match status {
            Some(IntentStatus::Succeeded) => succeeded(tx, invoice, method),
            Some(IntentStatus::RequiresAction) => invoices::action_required(tx, invoice),
            Some(IntentStatus::RequiresPaymentMethod) => invoices::payment_failed(tx, invoice),
            _ => {}
        }
    }
    if let Some(subscription) = intent.hidden["subscription"].as_str()
        && status == Some(IntentStatus::Succeeded)
    {
        subscriptions::card_set_up(tx, subscription, method);
    }
    if let Some(session) = intent.hidden["checkout"].as_str()
        && matches!(status, Some(IntentStatus::Succeeded | IntentStatus::RequiresCapture))
    {
        checkout::complete(tx, session);
    }
    outcome
}

fn succeeded(tx: &mut Tx, invoice: &str, method: &str) {
    let Some(doc) = tx.get(Kind::Invoice, invoice) else { return };
    invoices::note_attempt(tx, invoice);
    let view = Invoice(&doc.object);
    if let Some(subscription) = view.subscription() {
        subscriptions::paid(tx, subscription, invoice, method);
    }
    invoices::mark_paid(tx, invoice, view.amount_due());
    if let Some(subscription) = view.subscription() {
        pending_update::paid(tx, subscription, invoice);
    }
}
