//! Setup intents: a card kept for later.
//!
//! Source: <https://docs.stripe.com/payments/setupintents/lifecycle>

use serde_json::{Value, json};

use super::intent::{ConfirmOptions, authentication_failed, next_action, unexpected_state};
use super::methods::{self, card_of};
use crate::cards::{self, Purpose, Verdict};
use crate::engine::objects::{Intent, IntentStatus, owner};
use crate::engine::{ApiError, Doc, Kind, Tx, join, new_id, new_secret};

const KIND: Kind = Kind::SetupIntent;

/// What a new setup intent is for.
pub(crate) struct NewSetup<'a> {
    pub(crate) customer: Option<&'a str>,
    pub(crate) payment_method: Option<&'a str>,
    pub(crate) usage: &'a str,
    /// The subscription whose card it sets up.
    pub(crate) subscription: Option<&'a str>,
}

/// Makes a setup intent and announces it.
pub(crate) fn create(tx: &mut Tx, new: &NewSetup, with: impl FnOnce(&mut Value)) -> String {
    let id = new_id(KIND);
    let status = match new.payment_method {
        Some(_) => IntentStatus::RequiresConfirmation,
        None => IntentStatus::RequiresPaymentMethod,
    };
    let mut object = join([
        json!({
        "id": id,
        "object": "setup_intent",
            "application": null,
            "automatic_payment_methods": null,
            "cancellation_reason": null,
            "client_secret": new_secret(&format!("{id}_secret_")),
            "created": tx.now(),
            "customer": new.customer,
            "customer_account": null,
            "description": null,
            "excluded_payment_method_types": null,
            "flow_directions": null,
            "last_setup_error": null,
            "latest_attempt": null,
        }),
        json!({
            "livemode": false,
            "mandate": null,
            "metadata": {},
            "next_action": null,
            "on_behalf_of": null,
            "payment_method": new.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": {
                "card": {"mandate_options": null, "network": null, "request_three_d_secure": "automatic"},
                "link": {"persistent_token": null},
            },
            "payment_method_types": ["card", "link"],
            "single_use_mandate": null,
            "status": status,
            "usage": new.usage,
        }),
    ]);
    with(&mut object);
    tx.insert(KIND, object, json!({"subscription": new.subscription}));
    tx.emit("setup_intent.created", KIND, &id);
    id
}

/// Confirms a setup intent with the payment method it has.
///
/// # Errors
/// If its status doesn't allow that or it has no payment method; 402 if the card is declined.
pub(crate) fn confirm(tx: &mut Tx, id: &str, options: &ConfirmOptions) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    let view = Intent(&intent.object);
    if !view.is_open() {
        return Err(unexpected_state(&intent, "confirm"));
    }
    let Some(method) = view.payment_method() else {
        return Err(ApiError::invalid(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with \
             a payment method and then confirm it again.",
        )
        .code("setup_intent_unexpected_state")
        .with("setup_intent", intent.object.clone()));
    };
    methods::check_usable(tx, method, view.customer())?;
    attempt(tx, &intent, options, false)
}

/// Goes on after the customer answered the challenge.
pub(crate) fn answer_challenge(tx: &mut Tx, id: &str, approve: bool) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    if approve {
        attempt(tx, &intent, &ConfirmOptions::default(), true)
    } else {
        Err(fail(tx, &intent, authentication_failed("setup_intent")))
    }
}

fn attempt(tx: &mut Tx, intent: &Doc, options: &ConfirmOptions, authenticated: bool) -> Result<(), ApiError> {
    let view = Intent(&intent.object);
    let method_id = view.payment_method().unwrap_or_default();
    let method = tx.find(Kind::PaymentMethod, method_id, "payment_method")?;
    let card = card_of(&method)
        .ok_or_else(|| ApiError::missing(Kind::PaymentMethod, method_id, "payment_method"))?;
    let demanded = view.demands_three_d_secure();
    let set_up = method.hidden["set_up"] == true;
    match cards::judge(card, Purpose::SetUp, set_up, authenticated, demanded) {
        Verdict::Approved => {
            succeed(tx, intent, &method, authenticated);
            Ok(())
        }
        Verdict::Challenged => {
            let next = next_action(tx, intent, options);
            note_attempt(tx, intent, "requires_action", Value::Null, false);
            tx.change(KIND, intent.id(), |doc| {
                doc.object["status"] = json!(IntentStatus::RequiresAction);
                doc.object["next_action"] = next;
                doc.object["last_setup_error"] = Value::Null;
            });
            tx.emit("setup_intent.requires_action", KIND, intent.id());
            Ok(())
        }
        Verdict::Declined(decline) => Err(fail(tx, intent, cards::declined(decline))),
    }
}

fn succeed(tx: &mut Tx, intent: &Doc, method: &Doc, authenticated: bool) {
    tx.change(Kind::PaymentMethod, method.id(), |doc| doc.hidden["set_up"] = json!(true));
    if let Some(customer) = Intent(&intent.object).customer()
        && owner(&method.object).is_none()
    {
        methods::keep_with(tx, method.id(), customer);
    }
    note_attempt(tx, intent, "succeeded", Value::Null, authenticated);
    tx.change(KIND, intent.id(), |doc| {
        doc.object["status"] = json!(IntentStatus::Succeeded);
        doc.object["next_action"] = Value::Null;
        doc.object["last_setup_error"] = Value::Null;
    });
    tx.emit("setup_intent.succeeded", KIND, intent.id());
}

fn fail(tx: &mut Tx, intent: &Doc, error: ApiError) -> ApiError {
    let method = Intent(&intent.object).payment_method().and_then(|id| tx.view(Kind::PaymentMethod, id));
    let error = error.with("payment_method", method.unwrap_or_default());
    note_attempt(tx, intent, "failed", error.clone().into_object(), false);
    tx.change(KIND, intent.id(), |doc| {
        doc.object["status"] = json!(IntentStatus::RequiresPaymentMethod);
        doc.object["payment_method"] = Value::Null;
        doc.object["next_action"] = Value::Null;
        doc.object["last_setup_error"] = error.clone().into_object();
    });
    tx.emit("setup_intent.setup_failed", KIND, intent.id());
    error.with("setup_intent", tx.shown(KIND, intent.id())).keeping_changes()
}

fn note_attempt(tx: &mut Tx, intent: &Doc, status: &str, error: Value, authenticated: bool) {
    let id = new_id(Kind::SetupAttempt);
    let three_d_secure = authenticated.then(|| {
        json!({
            "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "result": "authenticated",
            "result_reason": null, "transaction_id": null, "version": "2.2.0",
        })
    });
    let object = json!({
        "id": id,
        "object": "setup_attempt",
        "application": null,
        "created": tx.now(),
        "customer": intent.object["customer"],
        "customer_account": null,
        "flow_directions": null,
        "livemode": false,
        "on_behalf_of": null,
        "payment_method": intent.object["payment_method"],
        "payment_method_details": {"type": "card", "card": {"three_d_secure": three_d_secure}},
        "setup_error": error,
        "setup_intent": intent.id(),
        "status": status,
        "usage": intent.object["usage"],
    });
    tx.insert(Kind::SetupAttempt, object, Value::Null);
    tx.change(KIND, intent.id(), |doc| doc.object["latest_attempt"] = json!(id));
}

/// Cancels a setup intent.
///
/// # Errors
/// If it is over already.
pub(crate) fn cancel(tx: &mut Tx, id: &str, reason: Option<&str>) -> Result<(), ApiError> {
    let intent = tx.find(KIND, id, "intent")?;
    if Intent(&intent.object).is_over() {
        return Err(unexpected_state(&intent, "cancel"));
    }
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(IntentStatus::Canceled);
        doc.object["cancellation_reason"] = json!(reason);
        doc.object["next_action"] = Value::Null;
    });
    tx.emit("setup_intent.canceled", KIND, id);
    Ok(())
}
