//! Payment intents: from a card to the money.
//!
//! Source: <https://docs.stripe.com/payments/paymentintents/lifecycle>

use serde_json::{Value, json};

use super::charge;
use super::intent::{ConfirmOptions, authentication_failed, next_action, unexpected_state};
use super::methods::{self, card_of};
use crate::cards::{self, Purpose, Verdict};
use crate::engine::objects::{Intent, IntentStatus, owner};
use crate::engine::{ApiError, Doc, Kind, Tx, join, new_id, new_secret};

const KIND: Kind = Kind::PaymentIntent;

/// What a new payment intent is for.
pub(crate) struct NewPayment<'a> {
    pub(crate) amount: i64,
    pub(crate) currency: &'a str,
    pub(crate) customer: Option<&'a str>,
    pub(crate) payment_method: Option<&'a str>,
    pub(crate) setup_future_usage: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    /// The invoice that it pays.
    pub(crate) invoice: Option<&'a str>,
}

/// What is asked of a card where a request says nothing about it.
pub(crate) fn default_card_options() -> Value {
    json!({
        "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic",
    })
}

/// Makes a payment intent and announces it.
pub(crate) fn create(tx: &mut Tx, new: &NewPayment, with: impl FnOnce(&mut Value)) -> String {
    let id = new_id(KIND);
    let status = match new.payment_method {
        Some(_) => IntentStatus::RequiresConfirmation,
        None => IntentStatus::RequiresPaymentMethod,
    };
    let mut object = join([
        json!({
            "id": id,
            "object": "payment_intent",
            "allowed_payment_method_types": null,
            "amount": new.amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": null,
            "canceled_at": null,
            "cancellation_reason": null,
            "capture_method": "automatic_async",
            "client_secret": new_secret(&format!("{id}_secret_")),
            "confirmation_method": "automatic",
            "created": tx.now(),
            "currency": new.currency,
            "customer": new.customer,
            "customer_account": null,
            "description": new.description,
            "excluded_payment_method_types": null,
        }),
        json!({
            "last_payment_error": null,
            "latest_charge": null,
            "livemode": false,
            "managed_payments": {"enabled": false},
            "metadata": {},
            "next_action": null,
            "on_behalf_of": null,
            "payment_method": new.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": {"card": default_card_options(), "link": {"persistent_token": null}},
            "payment_method_types": ["card", "link"],
            "processing": null,
            "receipt_email": null,
            "review": null,
            "setup_future_usage": new.setup_future_usage,
            "shipping": null,
            "source": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": status,
            "transfer_data": null,
            "transfer_group": null,
        }),
    ]);
    with(&mut object);
    tx.insert(KIND, object, json!({"invoice": new.invoice}));
    tx.emit("payment_intent.created", KIND, &id);
    id
}

/// Confirms a payment intent with the payment method it has.
///
/// # Errors
/// If its status doesn't allow that or it has no payment method; 402 if the card is declined, in which
/// case the intent says so too.
pub(crate) fn confirm(tx: &mut Tx, id: &str, options: &ConfirmOptions) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    let view = Intent(&intent.object);
    if !view.is_open() {
        return Err(unexpected_state(&intent, "confirm"));
    }
    let Some(method) = view.payment_method() else {
        return Err(ApiError::invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the \
             PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a \
             payment method or ConfirmationToken.",
        )
        .code("payment_intent_unexpected_state")
        .with("payment_intent", intent.object.clone()));
    };
    methods::check_usable(tx, method, view.customer())?;
    let authenticated = intent.hidden["authenticated"] == method;
    attempt(tx, &intent, options, authenticated)
}

/// Goes on after the customer answered the challenge.
pub(crate) fn answer_challenge(tx: &mut Tx, id: &str, approve: bool) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    if approve && Intent(&intent.object).is_confirmed_by_hand() {
        tx.change(KIND, id, |doc| {
            doc.hidden["authenticated"] = doc.object["payment_method"].clone();
            doc.object["status"] = json!(IntentStatus::RequiresConfirmation);
            doc.object["next_action"] = Value::Null;
        });
        Ok(())
    } else if approve {
        attempt(tx, &intent, &ConfirmOptions::default(), true)
    } else {
        Err(fail(tx, &intent, authentication_failed("payment_intent"), None))
    }
}

fn attempt(tx: &mut Tx, intent: &Doc, options: &ConfirmOptions, authenticated: bool) -> Result<(), ApiError> {
    let view = Intent(&intent.object);
    let method_id = view.payment_method().unwrap_or_default();
    let method = tx.find(Kind::PaymentMethod, method_id, "payment_method")?;
    let card = card_of(&method)
        .ok_or_else(|| ApiError::missing(Kind::PaymentMethod, method_id, "payment_method"))?;
    let purpose = Purpose::Charge { off_session: options.off_session };
    let demanded = view.demands_three_d_secure();
    match cards::judge(card, purpose, method.hidden["set_up"] == true, authenticated, demanded) {
        Verdict::Approved => {
            succeed(tx, intent, &method, authenticated);
            Ok(())
        }
        Verdict::Challenged if options.refuse_action => {
            let error = ApiError::card(
                "authentication_required",
                "This payment required an authentication action to complete, but `error_on_requires_action` was set.",
            );
            Err(fail(tx, intent, error, None))
        }
        Verdict::Challenged => {
            let next = next_action(tx, intent, options);
            tx.change(KIND, intent.id(), |doc| {
                doc.object["status"] = json!(IntentStatus::RequiresAction);
                doc.object["next_action"] = next;
                doc.object["last_payment_error"] = Value::Null;
            });
            tx.emit("payment_intent.requires_action", KIND, intent.id());
            Ok(())
        }
        Verdict::Declined(decline) => {
            let charge = charge::make(tx, intent, &method, Some(decline), authenticated);
            tx.emit("charge.failed", Kind::Charge, &charge);
            Err(fail(tx, intent, cards::declined(decline), Some(&charge)))
        }
    }
}

fn succeed(tx: &mut Tx, intent: &Doc, method: &Doc, authenticated: bool) {
    let view = Intent(&intent.object);
    let (amount, manual, reusable) = (view.amount(), view.is_captured_by_hand(), view.setup_future_usage());
    let charge = charge::make(tx, intent, method, None, authenticated);
    if let Some(customer) = view.customer().filter(|_| reusable.is_some()) {
        if owner(&method.object).is_none() {
            methods::keep_with(tx, method.id(), customer);
        }
    } else if owner(&method.object).is_none() {
        tx.change(Kind::PaymentMethod, method.id(), |doc| doc.hidden["used_up"] = json!(true));
    }
    if reusable == Some("off_session") {
        tx.change(Kind::PaymentMethod, method.id(), |doc| doc.hidden["set_up"] = json!(true));
    }
    tx.change(KIND, intent.id(), |doc| {
        let object = &mut doc.object;
        object["status"] =
            json!(if manual { IntentStatus::RequiresCapture } else { IntentStatus::Succeeded });
        object[if manual { "amount_capturable" } else { "amount_received" }] = json!(amount);
        object["latest_charge"] = json!(charge);
        object["next_action"] = Value::Null;
        object["last_payment_error"] = Value::Null;
    });
    tx.emit("charge.succeeded", Kind::Charge, &charge);
    if manual {
        tx.emit("payment_intent.amount_capturable_updated", KIND, intent.id());
        return;
    }
    tx.emit("payment_intent.succeeded", KIND, intent.id());
}

/// Notes a failed attempt, and returns its error to be answered.
fn fail(tx: &mut Tx, intent: &Doc, error: ApiError, charge: Option<&str>) -> ApiError {
    let method = Intent(&intent.object).payment_method().and_then(|id| tx.view(Kind::PaymentMethod, id));
    let error = match charge {
        Some(charge) => error.with("charge", json!(charge)),
        None => error,
    };
    let error = error.with("payment_method", method.unwrap_or_default());
    tx.change(KIND, intent.id(), |doc| {
        let object = &mut doc.object;
        object["status"] = json!(IntentStatus::RequiresPaymentMethod);
        object["payment_method"] = Value::Null;
        object["next_action"] = Value::Null;
        object["last_payment_error"] = error.clone().into_object();
        if let Some(charge) = charge {
            object["latest_charge"] = json!(charge);
        }
    });
    tx.emit("payment_intent.payment_failed", KIND, intent.id());
    error.with("payment_intent", tx.shown(KIND, intent.id())).keeping_changes()
}

/// Captures up to `amount` of an authorized payment; what is left over is released.
///
/// # Errors
/// If nothing is authorized, or less than that.
pub(crate) fn capture(tx: &mut Tx, id: &str, amount: Option<i64>) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    let view = Intent(&intent.object);
    if !view.is(IntentStatus::RequiresCapture) {
        return Err(unexpected_state(&intent, "capture"));
    }
    let most = view.amount_capturable();
    let amount = amount.unwrap_or(most);
    if !(1..=most).contains(&amount) {
        let message = format!("The amount to capture must be between 1 and {most}.");
        return Err(ApiError::invalid(message).code("amount_too_large").param("amount_to_capture"));
    }
    if let Some(charge) = view.latest_charge() {
        charge::capture(tx, charge, amount);
        tx.emit("charge.captured", Kind::Charge, charge);
    }
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(IntentStatus::Succeeded);
        doc.object["amount_capturable"] = json!(0);
        doc.object["amount_received"] = json!(amount);
    });
    tx.emit("payment_intent.succeeded", KIND, id);
    Ok(())
}

/// Cancels a payment intent.
///
/// # Errors
/// If it is over already.
pub(crate) fn cancel(tx: &mut Tx, id: &str, reason: Option<&str>) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    if Intent(&intent.object).is_over() {
        return Err(unexpected_state(&intent, "cancel"));
    }
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(IntentStatus::Canceled);
        doc.object["canceled_at"] = json!(now);
        doc.object["cancellation_reason"] = json!(reason);
        doc.object["amount_capturable"] = json!(0);
        doc.object["next_action"] = Value::Null;
    });
    tx.emit("payment_intent.canceled", KIND, id);
    Ok(())
}
