//! The customer portal: its configurations, its sessions, and what customers are asked to do in one.
//!
//! Source: <https://docs.stripe.com/customer-management>

use serde_json::{Value, json};

use crate::engine::{ApiError, Doc, Kind, Tx, new_id, new_secret};
use crate::http::{new_metadata, set};

const CONFIGURATION: Kind = Kind::PortalConfiguration;
const SESSION: Kind = Kind::PortalSession;
/// How long a session's link is good for, in seconds.
const LIFE: i64 = 3600;

/// Keeps a new configuration and announces it. Returns its id.
pub(crate) fn add_configuration(tx: &mut Tx, params: &Value, is_default: bool) -> String {
    let id = new_id(CONFIGURATION);
    let now = tx.now();
    let mut object = json!({
        "id": id,
        "object": CONFIGURATION.object(),
        "active": true,
        "application": null,
        "business_profile": {"headline": null, "privacy_policy_url": null, "terms_of_service_url": null},
        "created": now,
        "default_return_url": null,
        "features": {
            "customer_update": {"allowed_updates": [], "enabled": false},
            "invoice_history": {"enabled": false},
            "payment_method_update": {"enabled": false, "payment_method_configuration": null},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": false, "options": []},
                "enabled": false,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_update": {
                "billing_cycle_anchor": null,
                "default_allowed_updates": [],
                "enabled": false,
                "products": [],
                "proration_behavior": "none",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": is_default,
        "livemode": false,
        "login_page": {"enabled": false, "url": null},
        "metadata": new_metadata(params),
        "name": null,
        "updated": now,
    });
    apply(&mut object, params, now);
    tx.insert(CONFIGURATION, object, Value::Null);
    tx.emit("billing_portal.configuration.created", CONFIGURATION, &id);
    id
}

/// Takes over into a configuration what a request gives of its business and its features, field by field.
pub(crate) fn apply(object: &mut Value, params: &Value, now: i64) {
    for field in ["default_return_url", "name"] {
        set(object, params, field);
    }
    for field in ["business_profile", "features"] {
        merge(&mut object[field], &params[field]);
    }
    let products = object["features"]["subscription_update"]["products"].as_array_mut();
    for product in products.into_iter().flatten() {
        product["adjustable_quantity"] = json!({"enabled": false, "maximum": null, "minimum": 1});
    }
    object["updated"] = json!(now);
}

/// Objects field by field; lists as a whole, and empty where they are cleared.
fn merge(object: &mut Value, given: &Value) {
    for (field, value) in given.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => merge(&mut object[field.as_str()], value),
            Value::Null if object[field.as_str()].is_array() => object[field.as_str()] = json!([]),
            value => object[field.as_str()] = value.clone(),
        }
    }
}

/// The configuration that a session has: the one that is asked for, or else the default. At Stripe that one is saved in the
/// dashboard first; here it is made when it is first needed, and lets customers do everything but choose another price.
///
/// # Errors
/// If there is none of that id, or it was deactivated.
fn configuration(tx: &mut Tx, wanted: Option<&str>) -> Result<String, ApiError> {
    if let Some(id) = wanted {
        let doc = tx.find(CONFIGURATION, id, "configuration")?;
        if doc.object["active"] != true {
            let message = format!("The configuration {id} is not active.");
            return Err(ApiError::invalid(message).param("configuration"));
        }
        return Ok(id.to_owned());
    }
    if let Some(default) = tx.all(CONFIGURATION).find(|doc| doc.object["is_default"] == true) {
        return Ok(default.id().to_owned());
    }
    let features = json!({
        "customer_update": {"allowed_updates": ["email", "name", "address", "phone", "tax_id"], "enabled": true},
        "invoice_history": {"enabled": true},
        "payment_method_update": {"enabled": true},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": true, "options": [
                "too_expensive", "missing_features", "switched_service", "unused", "customer_service", "too_complex",
                "low_quality", "other",
            ]},
            "enabled": true,
        },
    });
    Ok(add_configuration(tx, &json!({"features": features}), true))
}

/// Opens the portal to a customer and announces it. Returns the session's id.
///
/// # Errors
/// If the customer or the configuration isn't there, or the flow is one that the configuration doesn't have.
pub(crate) fn open(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let customer = params["customer"].as_str().ok_or_else(|| ApiError::required("customer"))?;
    tx.find(Kind::Customer, customer, "customer")?;
    let configuration = configuration(tx, params["configuration"].as_str())?;
    let doc = tx.find(CONFIGURATION, &configuration, "configuration")?;
    let flow = match params.get("flow_data") {
        Some(data) => flow(tx, customer, &doc, data)?,
        None => Value::Null,
    };
    let return_url = params.get("return_url").unwrap_or(&doc.object["default_return_url"]);
    let id = new_id(SESSION);
    let url = format!("{}/p/session/{}", tx.base_url(), new_secret(&format!("{id}_")));
    let object = json!({
        "id": id,
        "object": SESSION.object(),
        "configuration": configuration,
        "created": tx.wall(),
        "customer": customer,
        "customer_account": null,
        "flow": flow,
        "livemode": false,
        "locale": params["locale"],
        "on_behalf_of": null,
        "return_url": return_url,
        "url": url,
    });
    let hidden = json!({"expires_at": tx.wall() + LIFE});
    tx.insert(SESSION, object, hidden);
    tx.emit("billing_portal.session.created", SESSION, &id);
    Ok(id)
}

/// What the customer is to do, as the session shows it.
fn flow(tx: &Tx, customer: &str, configuration: &Doc, data: &Value) -> Result<Value, ApiError> {
    let kind = data["type"].as_str().unwrap_or_default();
    let (feature, of_subscription) = match kind {
        "subscription_cancel" => ("subscription_cancel", true),
        "subscription_update" => ("subscription_update", true),
        other => (other, false),
    };
    if configuration.object["features"][feature]["enabled"] != true {
        let message = format!(
            "This flow cannot be used because the {feature} feature in the portal configuration is disabled."
        );
        return Err(ApiError::invalid(message).param("flow_data[type]"));
    }
    if of_subscription {
        let at = format!("flow_data[{kind}][subscription]");
        let id = data[kind]["subscription"].as_str().ok_or_else(|| ApiError::required(&at))?;
        check_subscription(tx, customer, id, &at, kind == "subscription_cancel")?;
    }
    let after = &data["after_completion"];
    let how = after["type"].as_str().unwrap_or("portal_homepage");
    if how == "redirect" && after["redirect"].is_null() {
        return Err(ApiError::required("flow_data[after_completion][redirect]"));
    }
    let mut flow = json!({
        "type": kind,
        "after_completion": {
            "type": how,
            "hosted_confirmation": (how == "hosted_confirmation")
                .then(|| json!({"custom_message": after["hosted_confirmation"]["custom_message"]})),
            "redirect": after["redirect"],
        },
        "customer_update": null,
        "subscription_cancel": null,
        "subscription_update": null,
        "subscription_update_confirm": null,
    });
    match kind {
        "subscription_cancel" => {
            flow[kind] = json!({"retention": null, "subscription": data[kind]["subscription"]});
        }
        "subscription_update" => flow[kind] = json!({"subscription": data[kind]["subscription"]}),
        _ => {}
    }
    Ok(flow)
}

fn check_subscription(tx: &Tx, customer: &str, id: &str, param: &str, ending: bool) -> Result<(), ApiError> {
    use crate::engine::objects::Subscription;
    let doc = tx.find(Kind::Subscription, id, param)?;
    let subscription = Subscription(&doc.object);
    if subscription.customer() != customer {
        return Err(ApiError::missing(Kind::Subscription, id, param));
    }
    if subscription.is_over() {
        let message = format!("The subscription {id} has ended, so this flow cannot be used with it.");
        return Err(ApiError::invalid(message).param(param));
    }
    if ending && subscription.cancel_at().is_some() {
        let message = format!("The subscription {id} is already set to be canceled.");
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(())
}
