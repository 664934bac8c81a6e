//! Payment intents.

mod params;

use serde_json::{Value, json};

pub(super) use self::params::SHIPPING;
use self::params::{CANCEL, CAPTURE, CONFIRM, CREATE, LIST, UPDATE};
use crate::billing::{paying, prices};
use crate::engine::objects::{Intent, IntentStatus};
use crate::engine::{ApiError, Doc, Kind, Tx};
use crate::http::{
    Call, Role, Route, Shape, get, list, matches, merge_metadata, new_metadata, opt, page, post, set,
};
use crate::money;
use crate::payments::{ConfirmOptions, check_confirmation, check_secret, client_view, methods, payment};

const KIND: Kind = Kind::PaymentIntent;
/// Stripe's largest amount for a payment.
const MAX_AMOUNT: i64 = 99_999_999;

pub(super) const ROUTES: &[Route] = &[
    list("/v1/payment_intents", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/payment_intents", params, |doc| matches(&doc.object, params, "customer"))
    }),
    post("/v1/payment_intents", CREATE, create),
    get("/v1/payment_intents/{id}", &[opt("client_secret", Shape::Text)], |call| {
        let doc = find(call)?;
        check_secret(&doc, call.params, call.role == Role::Browser)?;
        Ok(seen(call, doc.id()))
    })
    .for_browsers(),
    post("/v1/payment_intents/{id}", UPDATE, update),
    post("/v1/payment_intents/{id}/confirm", CONFIRM, confirm).for_browsers(),
    post("/v1/payment_intents/{id}/cancel", CANCEL, |call| {
        let id = found(call)?;
        payment::cancel(call.tx, &id, call.params["cancellation_reason"].as_str())?;
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/payment_intents/{id}/capture", CAPTURE, |call| {
        let id = found(call)?;
        payment::capture(call.tx, &id, call.params["amount_to_capture"].as_i64())?;
        let params = call.params;
        call.tx.change(KIND, &id, |doc| {
            merge_metadata(&mut doc.object, params);
            set(&mut doc.object, params, "statement_descriptor");
            set(&mut doc.object, params, "statement_descriptor_suffix");
        });
        Ok(call.tx.shown(KIND, &id))
    }),
];

/// The intent in the address, which is missing with 404.
fn found(call: &Call) -> Result<String, ApiError> {
    find(call).map(|doc| doc.id().to_owned())
}

fn find(call: &Call) -> Result<std::sync::Arc<Doc>, ApiError> {
    call.tx.find(KIND, call.id(), "intent").map_err(|error| error.status(404))
}

fn seen(call: &Call, id: &str) -> Value {
    let intent = call.tx.shown(KIND, id);
    if call.role == Role::Browser { client_view(intent) } else { intent }
}

/// That an amount of a currency can be charged.
fn check_money(amount: i64, currency: &str) -> Result<(), ApiError> {
    prices::check_currency(currency, "currency")?;
    check_amount(amount)?;
    let least = money::minimum_charge(currency);
    if amount < least {
        let message = format!("Amount must be at least {} {currency}", money::with_sign(least, currency));
        return Err(ApiError::invalid(message).code("amount_too_small").param("amount"));
    }
    Ok(())
}

fn check_amount(amount: i64) -> Result<(), ApiError> {
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("amount"));
    }
    if amount > MAX_AMOUNT {
        let message = format!("Amount must be no more than {MAX_AMOUNT}.");
        return Err(ApiError::invalid(message).code("amount_too_large").param("amount"));
    }
    Ok(())
}

fn check_types(params: &Value) -> Result<(), ApiError> {
    let types = params["payment_method_types"].as_array();
    // `link` comes along wherever a dashboard's defaults do; it changes nothing for a card.
    if types.is_some_and(|types| !types.iter().any(|kind| *kind == "card")) {
        let message = "The Stripe sandbox takes payments by `card` only.";
        return Err(ApiError::invalid(message).param("payment_method_types"));
    }
    Ok(())
}

/// Gives an intent, of either kind, the method that an update names, or takes its own away where that is null: what was
/// asked of the customer before is void then.
pub(super) fn set_given_method(object: &mut Value, params: &Value, method: Option<&str>) {
    if method.is_none() && !params.get("payment_method").is_some_and(Value::is_null) {
        return;
    }
    object["status"] = json!(match method {
        Some(_) => IntentStatus::RequiresConfirmation,
        None => IntentStatus::RequiresPaymentMethod,
    });
    object["payment_method"] = json!(method);
    object["next_action"] = Value::Null;
}

/// The payment method that a request names or describes, if any.
pub(super) fn given_method(tx: &mut Tx, params: &Value) -> Result<Option<String>, ApiError> {
    match (params["payment_method"].as_str(), params.get("payment_method_data")) {
        (Some(_), Some(_)) => {
            let message =
                "You may only specify one of these parameters: payment_method, payment_method_data.";
            Err(ApiError::invalid(message).param("payment_method_data"))
        }
        (Some(id), None) => methods::resolve(tx, id, "payment_method").map(Some),
        (None, Some(data)) => methods::from_data(tx, data).map(Some),
        (None, None) => Ok(None),
    }
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let amount = params["amount"].as_i64().unwrap_or_default();
    let currency = params["currency"].as_str().unwrap_or_default().to_lowercase();
    check_money(amount, &currency)?;
    check_types(params)?;
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
    }
    if params["confirm"] != true {
        for field in ["off_session", "return_url", "error_on_requires_action", "use_stripe_sdk"] {
            if params[field] != Value::Null && params[field] != json!(false) {
                let message = format!("You can only set `{field}` when you also set `confirm` to true.");
                return Err(ApiError::invalid(message).param(field));
            }
        }
    }
    let method = given_method(tx, params)?;
    if let Some(method) = &method {
        methods::check_usable(tx, method, params["customer"].as_str())?;
    }
    let plan = payment::NewPayment {
        amount,
        currency: &currency,
        customer: params["customer"].as_str(),
        payment_method: method.as_deref(),
        setup_future_usage: params["setup_future_usage"].as_str(),
        description: params["description"].as_str(),
        invoice: None,
    };
    let id = payment::create(tx, &plan, |object| {
        object["metadata"] = new_metadata(params);
        if params["payment_method_types"].is_null() {
            object["automatic_payment_methods"] = json!({"allow_redirects": "always", "enabled": true});
        }
        if let Some(automatic) = params.get("automatic_payment_methods") {
            let redirects = automatic["allow_redirects"].as_str().unwrap_or("always");
            object["automatic_payment_methods"] =
                json!({"allow_redirects": redirects, "enabled": automatic["enabled"]});
        }
        for field in [
            "capture_method",
            "confirmation_method",
            "payment_method_types",
            "receipt_email",
            "shipping",
            "statement_descriptor",
            "statement_descriptor_suffix",
        ] {
            set(object, params, field);
        }
        apply_options(object, params);
    });
    if params["confirm"] == true {
        check_confirmation(&*tx.find(KIND, &id, "intent")?, params, false)?;
        paying::confirm(tx, KIND, &id, &ConfirmOptions::of(params))?;
    }
    Ok(tx.shown(KIND, &id))
}

fn apply_options(object: &mut Value, params: &Value) {
    match params["payment_method_options"].get("card") {
        Some(Value::Null) => object["payment_method_options"]["card"] = payment::default_card_options(),
        Some(given) => {
            let options = &mut object["payment_method_options"]["card"];
            set(options, given, "request_three_d_secure");
            for field in ["capture_method", "setup_future_usage"] {
                match given.get(field) {
                    // The intent's own holds again.
                    Some(Value::Null) => drop(options.as_object_mut().and_then(|all| all.remove(field))),
                    Some(value) => options[field] = value.clone(),
                    None => {}
                }
            }
        }
        None => {}
    }
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = find(call)?;
    let (tx, params) = (&mut *call.tx, call.params);
    let status = doc.object["status"].as_str().unwrap_or_default();
    let money = ["amount", "currency", "customer", "payment_method", "payment_method_data"];
    if !Intent(&doc.object).is_open() && money.iter().any(|field| params.get(field).is_some()) {
        return Err(ApiError::invalid(format!(
            "This PaymentIntent's {} could not be updated because it has a status of {status}.",
            money.iter().find(|field| params.get(**field).is_some()).copied().unwrap_or("amount")
        ))
        .code("payment_intent_unexpected_state"));
    }
    if params.get("amount").is_some() || params.get("currency").is_some() {
        let amount = params["amount"].as_i64().unwrap_or(Intent(&doc.object).amount());
        let own = doc.object["currency"].as_str().unwrap_or_default();
        check_money(amount, &params["currency"].as_str().unwrap_or(own).to_lowercase())?;
    }
    check_types(params)?;
    let customer = params["customer"].as_str().or(Intent(&doc.object).customer());
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
    }
    let method = given_method(tx, params)?;
    if let Some(method) = &method {
        methods::check_usable(tx, method, customer)?;
    }
    tx.change(KIND, doc.id(), |doc| {
        let object = &mut doc.object;
        for field in [
            "amount",
            "capture_method",
            "customer",
            "description",
            "receipt_email",
            "setup_future_usage",
            "shipping",
            "statement_descriptor",
            "statement_descriptor_suffix",
            "payment_method_types",
        ] {
            set(object, params, field);
        }
        if let Some(currency) = params["currency"].as_str() {
            object["currency"] = json!(currency.to_lowercase());
        }
        apply_options(object, params);
        merge_metadata(object, params);
        set_given_method(object, params, method.as_deref());
    });
    Ok(tx.shown(KIND, doc.id()))
}

fn confirm(call: &mut Call) -> Result<Value, ApiError> {
    let doc = find(call)?;
    let browser = call.role == Role::Browser;
    check_secret(&doc, call.params, browser)?;
    let (tx, params) = (&mut *call.tx, call.params);
    check_types(params)?;
    let method = given_method(tx, params)?;
    tx.change(KIND, doc.id(), |doc| {
        let object = &mut doc.object;
        for field in
            ["capture_method", "receipt_email", "setup_future_usage", "shipping", "payment_method_types"]
        {
            set(object, params, field);
        }
        apply_options(object, params);
        if let Some(method) = method {
            object["payment_method"] = json!(method);
        }
    });
    check_confirmation(&*tx.find(KIND, doc.id(), "intent")?, params, browser)?;
    paying::confirm(tx, KIND, doc.id(), &ConfirmOptions::of(params))
        .map_err(|error| if browser { error.mapping("payment_intent", client_view) } else { error })?;
    Ok(seen(call, doc.id()))
}
