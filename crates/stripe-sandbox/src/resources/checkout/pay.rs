//! What a checkout's page does once its customer sends it.

use serde_json::{Value, json};

use super::super::customers;
use crate::billing::{checkout, create, invoices, paying};
use crate::engine::objects::{Intent, IntentStatus};
use crate::engine::{ApiError, Doc, Kind, Tx};
use crate::http::new_metadata;
use crate::payments::{ConfirmOptions, methods, payment};

const KIND: Kind = Kind::CheckoutSession;

/// What the customer has entered.
#[derive(Default)]
pub(crate) struct Submitted {
    pub(crate) payment_method: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    /// By the fields of an address; null where none is asked for.
    pub(crate) address: Value,
}

/// Pays a session, or sets its card up. `Some` is the client secret of an intent that asks for 3D Secure first.
///
/// # Errors
/// If it isn't open (any more), or something is missing; 402 if the card is declined, after which nothing has happened.
pub(crate) fn pay(tx: &mut Tx, id: &str, given: &Submitted) -> Result<Option<String>, ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    if doc.object["status"] != "open" {
        return Err(ApiError::invalid("This Checkout Session is no longer open."));
    }
    take_details(tx, &doc, given)?;
    let doc = tx.find(KIND, id, "id")?;
    let method = match &given.payment_method {
        Some(method) => Some(methods::resolve(tx, method, "payment_method")?),
        None if needs_card(&doc) => return Err(ApiError::required("payment_method")),
        None => None,
    };
    let started = doc.hidden["intent"].as_str().map(str::to_owned);
    let (intent, begun_now) = match (started, doc.object["mode"].as_str().unwrap_or_default()) {
        (Some(intent), _) => (Some(intent), false),
        (None, "subscription") => (subscribe(tx, &doc, method.as_deref())?, true),
        (None, _) => (Some(charge(tx, &doc)), true),
    };
    let Some(intent) = intent else {
        checkout::complete(tx, id);
        return Ok(None);
    };
    let kind = Kind::of_id(&intent).unwrap_or(Kind::PaymentIntent);
    tx.change(kind, &intent, |doc| doc.hidden["checkout"] = json!(id));
    tx.change(KIND, id, |doc| doc.hidden["intent"] = json!(intent));
    let open = tx.get(kind, &intent).is_some_and(|doc| Intent(&doc.object).is_open());
    if open {
        tx.change(kind, &intent, |doc| doc.object["payment_method"] = json!(method));
        let options = ConfirmOptions { use_stripe_sdk: true, ..ConfirmOptions::default() };
        paying::confirm(tx, kind, &intent, &options).map_err(|mut error| {
            // A first attempt that is declined leaves nothing behind; a later one is noted on what there is.
            error.keeps_changes &= !begun_now;
            error
        })?;
    } else {
        checkout::complete(tx, id);
    }
    let after = tx.find(kind, &intent, "intent")?;
    let after = Intent(&after.object);
    Ok(after.is(IntentStatus::RequiresAction).then(|| after.client_secret().to_owned()))
}

/// Whether the page asks for a card.
fn needs_card(session: &Doc) -> bool {
    session.object["amount_total"] != 0 || session.object["payment_method_collection"] != "if_required"
}

/// Keeps who the customer is, in the session and with the customer, who may have to be made first.
fn take_details(tx: &mut Tx, doc: &Doc, given: &Submitted) -> Result<(), ApiError> {
    let object = &doc.object;
    let email = object["customer_details"]["email"].as_str().or(given.email.as_deref());
    let email = email.filter(|email| email.contains('@')).ok_or_else(|| {
        ApiError::invalid("Please enter your e-mail address.").code("email_invalid").param("email")
    })?;
    let update = &doc.hidden["customer_update"];
    let mut changes = json!({});
    let made = match object["customer"].as_str() {
        Some(customer) => {
            if update["name"] == "auto" && given.name.is_some() {
                changes["name"] = json!(given.name);
            }
            if update["address"] == "auto" && given.address.is_object() {
                changes["address"] = given.address.clone();
            }
            customers::change(tx, customer, &changes)?;
            None
        }
        None if object["mode"] == "subscription" || object["customer_creation"] == "always" => {
            changes = json!({"email": email, "name": given.name, "address": given.address});
            Some(customers::add(tx, &changes)?)
        }
        None => None,
    };
    tx.change(KIND, doc.id(), |doc| {
        if let Some(customer) = made {
            doc.object["customer"] = json!(customer);
        }
        let exempt = doc.object["customer_details"]["tax_exempt"].as_str().unwrap_or("none").to_owned();
        doc.object["customer_details"] = json!({
            "address": given.address, "business_name": null, "email": email, "individual_name": null,
            "name": given.name, "phone": null, "tax_exempt": exempt, "tax_ids": [],
        });
    });
    Ok(())
}

/// Starts the subscription, unpaid. Returns the intent that pays for it or sets its card up, if it takes one.
fn subscribe(tx: &mut Tx, session: &Doc, method: Option<&str>) -> Result<Option<String>, ApiError> {
    let customer = session.object["customer"].as_str().unwrap_or_default();
    if let Some(method) = method {
        methods::attach(tx, method, customer)?;
    }
    let items = session.hidden["items"].as_array().into_iter().flatten();
    let items: Vec<Value> = items
        .map(|item| json!({"price": item["price"], "quantity": item["quantity"], "metadata": item["metadata"]}))
        .collect();
    let mut params = json!({
        "customer": customer, "items": items, "payment_behavior": "default_incomplete",
        "payment_settings": {"payment_method_options": {"card": {
            "request_three_d_secure": session.object["payment_method_options"]["card"]["request_three_d_secure"],
        }}},
    });
    if let Some(method) = method {
        params["default_payment_method"] = json!(method);
    }
    for (field, value) in session.hidden["subscription_data"].as_object().into_iter().flatten() {
        params[field.as_str()] = value.clone();
    }
    let subscription = create::create(tx, &params)?;
    tx.change(KIND, session.id(), |doc| doc.hidden["subscription"] = json!(subscription));
    let object = tx.shown(Kind::Subscription, &subscription);
    let invoice = object["latest_invoice"].as_str().unwrap_or_default();
    let setup = object["pending_setup_intent"].as_str().filter(|_| method.is_some()).map(str::to_owned);
    Ok(invoices::intent_of(tx, invoice).or(setup))
}

/// Makes the payment.
fn charge(tx: &mut Tx, session: &Doc) -> String {
    let given = &session.hidden["payment_intent_data"];
    let object = &session.object;
    let new = payment::NewPayment {
        amount: object["amount_total"].as_i64().unwrap_or_default(),
        currency: object["currency"].as_str().unwrap_or_default(),
        customer: object["customer"].as_str(),
        payment_method: None,
        setup_future_usage: given["setup_future_usage"].as_str(),
        description: given["description"].as_str(),
        invoice: None,
    };
    payment::create(tx, &new, |intent| {
        intent["metadata"] = new_metadata(given);
        intent["payment_method_options"]["card"]["request_three_d_secure"] =
            object["payment_method_options"]["card"]["request_three_d_secure"].clone();
        for field in [
            "capture_method",
            "receipt_email",
            "shipping",
            "statement_descriptor",
            "statement_descriptor_suffix",
        ] {
            crate::http::set(intent, given, field);
        }
    })
}
