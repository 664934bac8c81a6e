//! Opening a Checkout session.

use serde_json::{Value, json};

use super::super::products;
use crate::billing::{amount, prices};
use crate::engine::objects::{Customer, Price};
use crate::engine::{ApiError, Kind, Tx, join, new_id, new_secret};
use crate::http::{check_address, new_metadata};
use crate::payments::setup;

const KIND: Kind = Kind::CheckoutSession;
/// How long a session may be open, in seconds: at least, and at most, which is also what it is where nothing is said.
const LIFE: (i64, i64) = (30 * 60, 24 * 3600);

/// Opens a session by the parameters of `POST /v1/checkout/sessions`. Returns its id.
///
/// # Errors
/// If the parameters don't fit each other, or name what isn't there.
pub(super) fn open(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let mode = params["mode"].as_str().ok_or_else(|| ApiError::required("mode"))?;
    check(tx, params, mode)?;
    let items = items(tx, params, mode)?;
    let currency = currency(&items, params, mode)?;
    let trial = &params["subscription_data"];
    let on_trial =
        !trial["trial_end"].is_null() || trial["trial_period_days"].as_i64().is_some_and(|days| days > 0);
    let later = !trial["billing_cycle_anchor"].is_null() || on_trial;
    let total: i64 = items.iter().map(|item| item["amount"].as_i64().unwrap_or_default()).sum();
    let total = if later { 0 } else { total };
    let id = new_id(KIND);
    let object = session(tx, &id, params, mode, &currency, (mode != "setup").then_some(total));
    let hidden = json!({
        "items": items, "payment_intent_data": params["payment_intent_data"],
        "subscription_data": params["subscription_data"], "customer_update": params["customer_update"],
        "on_trial": later,
    });
    tx.insert(KIND, object, hidden);
    if mode == "setup" {
        let new = setup::NewSetup {
            customer: params["customer"].as_str(),
            payment_method: None,
            usage: "off_session",
            subscription: None,
        };
        let given = &params["setup_intent_data"];
        let intent = setup::create(tx, &new, |intent| {
            intent["description"] = given["description"].clone();
            intent["metadata"] = new_metadata(given);
        });
        tx.change(Kind::SetupIntent, &intent, |doc| doc.hidden["checkout"] = json!(id));
        tx.change(KIND, &id, |doc| {
            doc.object["setup_intent"] = json!(intent);
            doc.hidden["intent"] = json!(intent);
        });
    }
    Ok(id)
}

fn check(tx: &Tx, params: &Value, mode: &str) -> Result<(), ApiError> {
    if params["success_url"].is_null() {
        return Err(ApiError::required("success_url"));
    }
    for field in ["success_url", "cancel_url"] {
        check_address(&params[field], field)?;
    }
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
        if params.get("customer_email").is_some() {
            let message = "You may only specify one of these parameters: customer, customer_email.";
            return Err(ApiError::invalid(message).param("customer_email"));
        }
        if params.get("customer_creation").is_some() {
            let message = "You may only specify one of these parameters: customer, customer_creation.";
            return Err(ApiError::invalid(message).param("customer_creation"));
        }
    } else if params.get("customer_update").is_some() {
        let message = "`customer_update` can only be used with `customer`.";
        return Err(ApiError::invalid(message).param("customer_update"));
    }
    for (field, only) in [
        ("payment_intent_data", "payment"),
        ("setup_intent_data", "setup"),
        ("subscription_data", "subscription"),
        ("payment_method_collection", "subscription"),
    ] {
        if params.get(field).is_some() && mode != only {
            let message = format!("You can not pass `{field}` in `{mode}` mode.");
            return Err(ApiError::invalid(message).param(field));
        }
    }
    if params.get("customer_creation").is_some() && mode == "subscription" {
        let message = "`customer_creation` can only be used in `payment` and `setup` mode.";
        return Err(ApiError::invalid(message).param("customer_creation"));
    }
    let (least, most) = (tx.wall() + LIFE.0, tx.wall() + LIFE.1);
    match params["expires_at"].as_i64() {
        Some(at) if at < least => {
            let message =
                "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.";
            Err(ApiError::invalid(message).param("expires_at"))
        }
        Some(at) if at > most => {
            let message =
                "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.";
            Err(ApiError::invalid(message).param("expires_at"))
        }
        _ => Ok(()),
    }
}

/// What is bought: each with its id, price, quantity and amount.
fn items(tx: &mut Tx, params: &Value, mode: &str) -> Result<Vec<Value>, ApiError> {
    let given = params["line_items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if mode == "setup" {
        let message = "You can not pass `line_items` in `setup` mode.";
        let error = ApiError::invalid(message).param("line_items");
        return if given.is_empty() { Ok(Vec::new()) } else { Err(error) };
    }
    if given.is_empty() {
        return Err(ApiError::required("line_items"));
    }
    let mut items = Vec::new();
    for (index, item) in given.iter().enumerate() {
        let at = |field: &str| format!("line_items[{index}][{field}]");
        let price = match (item["price"].as_str(), item.get("price_data")) {
            (Some(_), Some(_)) => {
                let message = "You may only specify one of these parameters: price, price_data.";
                return Err(ApiError::invalid(message).param(&at("price_data")));
            }
            (Some(id), None) => tx.find(Kind::Price, id, &at("price"))?.object.clone(),
            (None, Some(data)) => price_of(tx, data, &at("price_data"))?,
            (None, None) => return Err(ApiError::required(&at("price"))),
        };
        if item["price"].is_string() && !Price(&price).is_active() {
            let message = "The price specified is inactive. This field only accepts active prices.";
            return Err(ApiError::invalid(message).param(&at("price")));
        }
        let recurring = Price(&price).is_recurring();
        if recurring && mode == "payment" {
            let message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` \
                           mode or use only one-time prices.";
            return Err(ApiError::invalid(message).param(&at("price")));
        }
        if !recurring && mode == "subscription" {
            let message = "The Stripe sandbox takes recurring prices only in `subscription` mode.";
            return Err(ApiError::invalid(message).param(&at("price")));
        }
        let quantity = item["quantity"].as_i64().ok_or_else(|| ApiError::required(&at("quantity")))?;
        if quantity < 1 {
            return Err(
                ApiError::invalid("This value must be greater than or equal to 1.").param(&at("quantity"))
            );
        }
        items.push(json!({
            "id": new_secret("li_"), "price": price["id"], "quantity": quantity, "currency": price["currency"],
            "amount": amount(&price, quantity), "metadata": new_metadata(item),
        }));
    }
    Ok(items)
}

/// A price described in place, of a product that is there or is described too.
fn price_of(tx: &mut Tx, data: &Value, inside: &str) -> Result<Value, ApiError> {
    let product = match (data["product"].as_str(), data.get("product_data")) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::invalid(message).param(&format!("{inside}[product_data]")));
        }
        (Some(id), None) => tx.find(Kind::Product, id, &format!("{inside}[product]"))?.id().to_owned(),
        (None, Some(product)) => products::create(tx, product)?,
        (None, None) => return Err(ApiError::required(&format!("{inside}[product]"))),
    };
    // It is of use to this session only.
    let mut data = data.clone();
    data["active"] = json!(false);
    prices::create(tx, &data, &product, inside)
}

fn currency(items: &[Value], params: &Value, mode: &str) -> Result<Value, ApiError> {
    let Some(first) = items.first() else {
        return Ok(if mode == "setup" { params["currency"].clone() } else { Value::Null });
    };
    let expected = params.get("currency").unwrap_or(&first["currency"]);
    if items.iter().any(|item| item["currency"] != *expected) {
        let message = "All line items must have the same currency, which is that of the session.";
        return Err(ApiError::invalid(message).param("line_items"));
    }
    Ok(expected.clone())
}

fn session(tx: &Tx, id: &str, params: &Value, mode: &str, currency: &Value, total: Option<i64>) -> Value {
    let customer = params["customer"].as_str().map(|id| tx.shown(Kind::Customer, id));
    let email = customer.as_ref().map_or(&params["customer_email"], |customer| &customer["email"]);
    let details = (customer.is_some() || email.is_string()).then(|| {
        json!({
            "address": null, "business_name": null, "email": email, "individual_name": null, "name": null, "phone": null,
            "tax_exempt": customer.as_ref().map_or("none", |customer| Customer(customer).tax_exempt()), "tax_ids": null,
        })
    });
    let created = (mode == "payment").then(|| params["customer_creation"].as_str().unwrap_or("if_required"));
    let created = created.filter(|_| customer.is_none());
    let collected =
        (mode == "subscription").then(|| params["payment_method_collection"].as_str().unwrap_or("always"));
    let total_details = total.map(|_| json!({"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}));
    join([
        json!({
            "id": id,
            "object": KIND.object(),
            "adaptive_pricing": {"enabled": false},
            "after_expiration": null,
            "allow_promotion_codes": null,
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
            "billing_address_collection": params["billing_address_collection"],
            "cancel_url": params["cancel_url"],
            "client_reference_id": params["client_reference_id"],
            "client_secret": null,
            "collected_information": null,
            "consent": null,
            "consent_collection": null,
            "created": tx.wall(),
            "currency": currency,
            "currency_conversion": null,
            "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
            },
            "customer": params["customer"],
            "customer_account": null,
            "customer_creation": created,
            "customer_details": details,
            "customer_email": params["customer_email"],
            "discounts": [],
        }),
        json!({
            "expires_at": params["expires_at"].as_i64().unwrap_or(tx.wall() + LIFE.1),
            "invoice": null,
            "invoice_creation": null,
            "livemode": false,
            "locale": params["locale"],
            "managed_payments": {"enabled": false},
            "metadata": new_metadata(params),
            "mode": mode,
            "origin_context": null,
            "payment_intent": null,
            "payment_link": null,
            "payment_method_collection": collected,
            "payment_method_configuration_details": null,
            "payment_method_options": {"card": {
                "request_three_d_secure":
                    params["payment_method_options"]["card"]["request_three_d_secure"].as_str().unwrap_or("automatic"),
            }},
            "payment_method_types": params.get("payment_method_types").cloned().unwrap_or(json!(["card"])),
            "payment_status": if total == Some(0) || mode == "setup" { "no_payment_required" } else { "unpaid" },
            "permissions": null,
            "phone_number_collection": {"enabled": false},
            "recovered_from": null,
            "saved_payment_method_options": null,
            "setup_intent": null,
            "shipping_address_collection": null,
            "shipping_cost": null,
            "shipping_options": [],
            "status": "open",
            "submit_type": params["submit_type"],
            "subscription": null,
            "success_url": params["success_url"],
            "total_details": total_details,
            "ui_mode": "hosted_page",
            "url": format!("{}/c/pay/{id}", tx.base_url()),
            "wallet_options": null,
        }),
    ])
}
