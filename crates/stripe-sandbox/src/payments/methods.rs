//! Payment methods: made from cards, kept with customers.

use serde_json::{Value, json};

use crate::cards::{self, Entered, Purpose, TestCard, Verdict};
use crate::engine::objects::{Subscription, owner};
use crate::engine::{ApiError, Doc, Kind, Tx, new_id};

/// The card behind a payment method.
pub(crate) fn card_of(method: &Doc) -> Option<&'static TestCard> {
    cards::kept_as(method.hidden["card"].as_str()?)
}

/// The details an entered card shows, in a payment method as in a token.
pub(crate) fn entered_in(tx: &mut Tx, card: &Value) -> Result<Entered, ApiError> {
    let Some(token) = card["token"].as_str() else {
        return cards::read(card, tx.now());
    };
    if let Some(card) = cards::named(token).filter(|_| token.starts_with("tok_")) {
        return Ok(Entered::named(card, tx.now()));
    }
    let doc = tx.find(Kind::Token, token, "card[token]")?;
    if doc.object["used"] == true {
        let message = format!("You cannot use a Stripe token more than once: {token}.");
        return Err(ApiError::invalid(message).code("token_already_used").param("card[token]"));
    }
    let card = doc.hidden["card"].as_str().and_then(cards::kept_as);
    let card = card.ok_or_else(|| ApiError::missing(Kind::Token, token, "card[token]"))?;
    tx.change(Kind::Token, token, |doc| doc.object["used"] = json!(true));
    Ok(Entered {
        card,
        exp_month: doc.object["card"]["exp_month"].as_i64().unwrap_or_default(),
        exp_year: doc.object["card"]["exp_year"].as_i64().unwrap_or_default(),
        has_cvc: !doc.object["card"]["cvc_check"].is_null(),
    })
}

/// Makes a payment method from `{type, card, billing_details, metadata, allow_redisplay}`.
///
/// # Errors
/// If the card isn't in order, or something else than a card is asked for.
pub(crate) fn from_data(tx: &mut Tx, data: &Value) -> Result<String, ApiError> {
    match data["type"].as_str() {
        Some("card") | None if data["card"].is_object() => {}
        Some("card") | None => return Err(ApiError::required("card")),
        Some(_) => {
            return Err(ApiError::invalid("The Stripe sandbox has payment methods of type `card` only.")
                .param("type"));
        }
    }
    let entered = entered_in(tx, &data["card"])?;
    Ok(create(tx, &entered, data))
}

fn create(tx: &mut Tx, entered: &Entered, data: &Value) -> String {
    let id = new_id(Kind::PaymentMethod);
    create_as(tx, &id, entered, data);
    id
}

/// Makes a payment method of this id.
pub(super) fn create_as(tx: &mut Tx, id: &str, entered: &Entered, data: &Value) {
    let details = &data["billing_details"];
    let object = json!({
        "id": id,
        "object": "payment_method",
        "allow_redisplay": data.get("allow_redisplay").cloned().unwrap_or(json!("unspecified")),
        "billing_details": billing_details(details),
        "card": card_details(entered, details),
        "created": tx.now(),
        "customer": null,
        "customer_account": null,
        "livemode": false,
        "metadata": data.get("metadata").filter(|data| data.is_object()).cloned().unwrap_or(json!({})),
        "type": "card",
    });
    tx.insert(Kind::PaymentMethod, object, json!({"card": entered.card.name()}));
}

/// What a payment method shows of its card, which is billed to these details.
pub(super) fn card_details(entered: &Entered, billed: &Value) -> Value {
    let card = entered.card;
    json!({
        "brand": card.brand,
        "checks": {
            "address_line1_check": check_of(&billed["address"]["line1"]),
            "address_postal_code_check": check_of(&billed["address"]["postal_code"]),
            "cvc_check": if entered.has_cvc { json!("unchecked") } else { Value::Null },
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": entered.exp_month,
        "exp_year": entered.exp_year,
        "fingerprint": card.fingerprint(),
        "funding": card.funding,
        "generated_from": null,
        "last4": card.last4(),
        "networks": {"available": [card.brand], "preferred": null},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": true},
        "wallet": null,
    })
}

fn check_of(line: &Value) -> Value {
    if line.is_string() { json!("unchecked") } else { Value::Null }
}

/// Billing details with every field there, given or null.
pub(crate) fn billing_details(given: &Value) -> Value {
    let address = &given["address"];
    json!({
        "address": {
            "city": address["city"], "country": address["country"], "line1": address["line1"],
            "line2": address["line2"], "postal_code": address["postal_code"], "state": address["state"],
        },
        "email": given["email"], "name": given["name"], "phone": given["phone"], "tax_id": given["tax_id"],
    })
}

/// The payment method a parameter names: one that is kept, or a new one for `pm_card_…`.
///
/// # Errors
/// `resource_missing`.
pub(crate) fn resolve(tx: &mut Tx, id: &str, param: &str) -> Result<String, ApiError> {
    if let Some(card) = cards::named(id).filter(|_| id.starts_with("pm_card_")) {
        let entered = Entered { has_cvc: true, ..Entered::named(card, tx.now()) };
        return Ok(create(tx, &entered, &Value::Null));
    }
    tx.find(Kind::PaymentMethod, id, param).map(|doc| doc.id().to_owned())
}

/// That `method` may be used for a payment or set-up of `customer`.
///
/// # Errors
/// If it is another customer's, or was used up without one.
pub(crate) fn check_usable(tx: &Tx, method: &str, customer: Option<&str>) -> Result<(), ApiError> {
    let doc = tx.find(Kind::PaymentMethod, method, "payment_method")?;
    match (owner(&doc.object), customer) {
        (Some(owner), Some(customer)) if owner == customer => Ok(()),
        (Some(owner), Some(_)) => Err(ApiError::invalid(format!(
            "The provided PaymentMethod is attached to another customer ({owner}). Use a PaymentMethod of the \
             customer this is for."
        ))
        .param("payment_method")),
        (Some(_), None) => Err(ApiError::invalid(
            "The provided PaymentMethod is attached to a customer. Provide that customer in the `customer` parameter.",
        )
        .param("payment_method")),
        (None, _) if doc.hidden["used_up"] == true => Err(ApiError::invalid(
            "The provided PaymentMethod was previously used without being attached to a Customer, or was detached \
             from a Customer, and may not be used again. To use a PaymentMethod multiple times, you must attach it \
             to a Customer first.",
        )
        .param("payment_method")),
        (None, _) => Ok(()),
    }
}

/// Keeps a payment method with a customer, if the bank lets it.
///
/// # Errors
/// If it is another customer's or used up; 402 if the card is declined.
pub(crate) fn attach(tx: &mut Tx, method: &str, customer: &str) -> Result<(), ApiError> {
    let doc = tx.find(Kind::PaymentMethod, method, "payment_method")?;
    match owner(&doc.object) {
        Some(owner) if owner == customer => return Ok(()),
        Some(_) => {
            let message = "The payment method you provided has already been attached to a customer.";
            return Err(ApiError::invalid(message).code("payment_method_unexpected_state"));
        }
        None => check_usable(tx, method, None)?,
    }
    if let Some(card) = card_of(&doc)
        && let Verdict::Declined(decline) = cards::judge(card, Purpose::Attach, false, false, false)
    {
        return Err(cards::declined(decline));
    }
    keep_with(tx, method, customer);
    Ok(())
}

/// Keeps a payment method with a customer, the bank having agreed.
pub(super) fn keep_with(tx: &mut Tx, method: &str, customer: &str) {
    note_owner(tx, method, customer);
    tx.emit("payment_method.attached", Kind::PaymentMethod, method);
}

/// As [`keep_with`], without a word.
pub(super) fn note_owner(tx: &mut Tx, method: &str, customer: &str) {
    tx.change(Kind::PaymentMethod, method, |doc| {
        doc.object["customer"] = json!(customer);
        let checks =
            doc.object["card"]["checks"].as_object_mut().into_iter().flat_map(|checks| checks.values_mut());
        for check in checks.filter(|check| *check == "unchecked") {
            *check = json!("pass");
        }
    });
}

/// Takes a payment method from its customer, for good.
///
/// # Errors
/// If it isn't attached.
pub(crate) fn detach(tx: &mut Tx, method: &str) -> Result<(), ApiError> {
    let doc = tx.find(Kind::PaymentMethod, method, "id")?;
    let Some(customer) = owner(&doc.object) else {
        let message =
            "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(ApiError::invalid(message).code("payment_method_unexpected_state"));
    };
    tx.update(Kind::PaymentMethod, method, "payment_method.detached", |doc| {
        doc.object["customer"] = Value::Null;
        doc.hidden["used_up"] = json!(true);
    });
    tx.update(Kind::Customer, customer, "customer.updated", |doc| {
        let default = &mut doc.object["invoice_settings"]["default_payment_method"];
        if default == method {
            *default = Value::Null;
        }
    });
    let subscriptions: Vec<String> = tx
        .all_with(Kind::Subscription, "customer", customer)
        .filter(|doc| Subscription(&doc.object).default_payment_method() == Some(method))
        .map(|doc| doc.id().to_owned())
        .collect();
    for subscription in subscriptions {
        tx.update(Kind::Subscription, &subscription, "customer.subscription.updated", |doc| {
            doc.object["default_payment_method"] = Value::Null;
        });
    }
    Ok(())
}
