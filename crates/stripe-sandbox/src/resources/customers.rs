//! Customers.

use serde_json::{Value, json};

use super::tax_ids;
use crate::billing::customer_balance::{self, Entry};
use crate::billing::{discount_holders, invoices, subscriptions};
use crate::engine::objects::{Customer, Subscription, owner};
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, list, matches, merge_metadata, new_metadata, opt, page,
    post, req, set, unsupported,
};
use crate::payments::{methods, sources};

const KIND: Kind = Kind::Customer;

pub(super) const ADDRESS: &[Field] = &[
    opt("city", Shape::Clearable(&Shape::Text)),
    opt("country", Shape::Clearable(&Shape::Text)),
    opt("line1", Shape::Clearable(&Shape::Text)),
    opt("line2", Shape::Clearable(&Shape::Text)),
    opt("postal_code", Shape::Clearable(&Shape::Text)),
    opt("state", Shape::Clearable(&Shape::Text)),
];
pub(super) const ADDRESS_FIELDS: [&str; 6] = ["city", "country", "line1", "line2", "postal_code", "state"];
pub(super) const SHIPPING: &[Field] =
    &[req("address", Shape::Object(ADDRESS)), req("name", Shape::Text), opt("phone", Shape::Text)];
const INVOICE_SETTINGS: &[Field] = &[
    opt(
        "custom_fields",
        Shape::Clearable(&Shape::List(&Shape::Object(&[
            req("name", Shape::Text),
            req("value", Shape::Text),
        ]))),
    ),
    opt("default_payment_method", Shape::Clearable(&Shape::Text)),
    opt("footer", Shape::Clearable(&Shape::Text)),
    unsupported(&["rendering_options"]),
];

/// What creating and updating have in common.
macro_rules! fields {
    ($($more:expr),* $(,)?) => {
        &[
            opt("address", Shape::Clearable(&Shape::Object(ADDRESS))),
            opt("business_name", Shape::Clearable(&Shape::Text)),
            opt("description", Shape::Clearable(&Shape::Text)),
            opt("email", Shape::Clearable(&Shape::Text)),
            opt("individual_name", Shape::Clearable(&Shape::Text)),
            opt("invoice_prefix", Shape::Text),
            opt("invoice_settings", Shape::Object(INVOICE_SETTINGS)),
            METADATA,
            opt("name", Shape::Clearable(&Shape::Text)),
            opt("next_invoice_sequence", Shape::Int),
            opt("phone", Shape::Clearable(&Shape::Text)),
            opt("preferred_locales", Shape::Clearable(&Shape::List(&Shape::Text))),
            opt("shipping", Shape::Clearable(&Shape::Object(SHIPPING))),
            opt("tax_exempt", Shape::Clearable(&Shape::Enum(&["exempt", "none", "reverse"]))),
            opt("balance", Shape::Int),
            // As before version 2025-03-31.basil, and as Stripe's CLI still sends it (its fixtures `customer.discount.*`).
            // Source: <https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-singular-coupon-promotion-code>
            opt("coupon", Shape::Clearable(&Shape::Text)),
            opt("promotion_code", Shape::Clearable(&Shape::Text)),
            // The token of a card of the old kind, which Stripe's CLI still sends (its fixtures `subscription_schedule.*`).
            opt("source", Shape::Text),
            unsupported(&["cash_balance", "tax"]),
            $($more),*
        ]
    };
}

const CREATE: &[Field] = fields![
    opt("payment_method", Shape::Text),
    opt("test_clock", Shape::Text),
    opt("tax_id_data", Shape::List(&Shape::Object(tax_ids::DATA))),
];
const UPDATE: &[Field] = fields![
    opt("default_source", Shape::Text),
    unsupported(&["bank_account", "card", "default_alipay_account", "default_bank_account", "default_card",])
];
const LIST: &[Field] =
    &[opt("created", Shape::Range), opt("email", Shape::Text), opt("test_clock", Shape::Text)];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/customers", LIST, |call| {
        let params = call.params;
        // Those on a test clock are listed with it alone.
        page(call.tx, KIND, "/v1/customers", params, |doc| {
            matches(&doc.object, params, "email") && doc.test_clock() == params["test_clock"].as_str()
        })
    }),
    post("/v1/customers", CREATE, create),
    get("/v1/customers/{id}", &[], retrieve),
    post("/v1/customers/{id}", UPDATE, update),
    delete("/v1/customers/{id}", &[], remove),
];

/// A list of nothing.
pub(super) fn none(url: &str) -> Value {
    json!({"object": "list", "data": [], "has_more": false, "url": url})
}

/// A deleted customer is still there, and says so.
fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    let id = call.id();
    call.tx.view(KIND, id).ok_or_else(|| ApiError::missing(KIND, id, "id"))
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let id = add(call.tx, call.params)?;
    Ok(call.tx.shown(KIND, &id))
}

/// Makes a customer and announces it. Returns its id.
///
/// # Errors
/// If the parameters name what isn't there; 402 if the card is declined.
pub(crate) fn add(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    if let Some(clock) = params["test_clock"].as_str() {
        tx.find(Kind::TestClock, clock, "test_clock")?;
    }
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": tx.now(),
        "currency": null,
        "customer_account": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "discount": null,
        "email": null,
        "invoice_prefix": invoices::new_prefix(),
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
        },
        "livemode": false,
        "metadata": new_metadata(params),
        "name": null,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": params["test_clock"],
    });
    tx.insert(KIND, object, Value::Null);
    let position = tx.mark();
    let attached = match params["payment_method"].as_str() {
        Some(given) => {
            let method = methods::resolve(tx, given, "payment_method")?;
            methods::attach(tx, &method, &id)?;
            Some((given, method))
        }
        None => None,
    };
    let default = match params["invoice_settings"]["default_payment_method"].as_str() {
        // The one just attached, by whichever name it was given.
        Some(given) if attached.as_ref().is_some_and(|(name, _)| *name == given) => {
            attached.map(|(_, method)| method)
        }
        Some(given) => Some(owned(tx, given, &id)?),
        None => None,
    };
    tx.change(KIND, &id, |doc| {
        apply(&mut doc.object, params);
        doc.object["invoice_settings"]["default_payment_method"] = json!(default);
    });
    set_balance(tx, &id, params);
    discount(tx, &id, params)?;
    if let Some(source) = params["source"].as_str() {
        sources::add(tx, &id, source, &json!({}))?;
    }
    tx.emit_at(position, "customer.created", KIND, &id);
    tax_ids::create_all(tx, &id, &params["tax_id_data"])?;
    Ok(id)
}

/// Gives a customer the discount that is asked for, or takes it away.
fn discount(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let given = |param: &str| params.get(param).map(Value::as_str);
    let (coupon, code) = (given("coupon"), given("promotion_code"));
    if coupon.flatten().is_none() && code.flatten().is_none() {
        if coupon.or(code).is_some() {
            discount_holders::take_from_customer(tx, id);
        }
        return Ok(());
    }
    discount_holders::give_to_customer(tx, id, coupon.flatten(), code.flatten())
}

/// Brings the balance to what was asked for, by a transaction.
fn set_balance(tx: &mut Tx, id: &str, params: &Value) {
    let Some(wanted) = params["balance"].as_i64() else { return };
    let change = wanted - customer_balance::of(tx, id);
    if change != 0 {
        let doc = tx.get(KIND, id);
        let currency = doc.as_ref().and_then(|doc| Customer(&doc.object).currency()).unwrap_or("usd");
        customer_balance::post(tx, id, Entry::new("adjustment", change, currency));
    }
}

/// A payment method that must be the customer's.
fn owned(tx: &Tx, method: &str, customer: &str) -> Result<String, ApiError> {
    let param = "invoice_settings[default_payment_method]";
    let doc = tx.find(Kind::PaymentMethod, method, param)?;
    if owner(&doc.object) == Some(customer) {
        return Ok(method.to_owned());
    }
    Err(ApiError::invalid(format!(
        "The customer does not have a payment method with the ID {method}. The payment method must be attached to \
         the customer."
    ))
    .code("resource_missing")
    .param(param))
}

/// Takes over everything but the payment methods and the metadata.
fn apply(object: &mut Value, params: &Value) {
    for field in ["description", "email", "invoice_prefix", "name", "next_invoice_sequence", "phone"] {
        set(object, params, field);
    }
    for field in ["business_name", "individual_name"] {
        match params.get(field) {
            Some(Value::Null) => {
                object.as_object_mut().and_then(|fields| fields.remove(field));
            }
            Some(name) => object[field] = name.clone(),
            None => {}
        }
    }
    if let Some(address) = params.get("address") {
        object["address"] = full_address(address);
    }
    if let Some(shipping) = params.get("shipping") {
        object["shipping"] = match shipping {
            Value::Null => Value::Null,
            given => {
                json!({"address": full_address(&given["address"]), "name": given["name"], "phone": given["phone"]})
            }
        };
    }
    if let Some(locales) = params.get("preferred_locales") {
        object["preferred_locales"] = if locales.is_null() { json!([]) } else { locales.clone() };
    }
    if let Some(exempt) = params.get("tax_exempt") {
        object["tax_exempt"] = if exempt.is_null() { json!("none") } else { exempt.clone() };
    }
    for field in ["custom_fields", "footer"] {
        set(&mut object["invoice_settings"], &params["invoice_settings"], field);
    }
}

fn full_address(given: &Value) -> Value {
    if given.is_null() {
        Value::Null
    } else {
        methods::billing_details(&json!({"address": given}))["address"].take()
    }
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let id = call.id().to_owned();
    change(call.tx, &id, call.params)?;
    Ok(call.tx.shown(KIND, &id))
}

/// Changes a customer by the parameters of `POST /v1/customers/{id}`.
///
/// # Errors
/// If there is none, or the parameters name what isn't there.
pub(crate) fn change(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    tx.find(KIND, id, "id")?;
    let default = match params["invoice_settings"].get("default_payment_method") {
        Some(Value::String(method)) => Some(json!(owned(tx, method, id)?)),
        other => other.cloned(),
    };
    let before = tx.shown(KIND, id);
    tx.change(KIND, id, |doc| {
        apply(&mut doc.object, params);
        merge_metadata(&mut doc.object, params);
        if let Some(default) = default {
            doc.object["invoice_settings"]["default_payment_method"] = default;
        }
    });
    discount(tx, id, params)?;
    // A new card takes the place of the default one.
    let new = params["source"].as_str().map(|source| sources::add(tx, id, source, &json!({}))).transpose()?;
    if let Some(card) = new.as_deref().or(params["default_source"].as_str()) {
        sources::prefer(tx, id, card)?;
    }
    tx.emit_changes(&before, "customer.updated", KIND, id);
    set_balance(tx, id, params);
    Ok(())
}

fn remove(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    delete_with_all(call.tx, doc.id())
}

/// With the customer go the subscriptions, the payment methods and the tax ids.
pub(super) fn delete_with_all(tx: &mut Tx, id: &str) -> Result<Value, ApiError> {
    let mine = |tx: &Tx, kind: Kind| -> Vec<String> {
        tx.all_with(kind, "customer", id).map(|doc| doc.id().to_owned()).collect()
    };
    for subscription in mine(tx, Kind::Subscription) {
        if tx.get(Kind::Subscription, &subscription).is_some_and(|doc| !Subscription(&doc.object).is_over()) {
            subscriptions::end(tx, &subscription);
        }
    }
    for method in mine(tx, Kind::PaymentMethod) {
        methods::detach(tx, &method)?;
    }
    for tax_id in mine(tx, Kind::TaxId) {
        tx.mark_deleted(Kind::TaxId, &tax_id);
    }
    tx.emit("customer.deleted", KIND, id);
    Ok(tx.mark_deleted(KIND, id))
}
