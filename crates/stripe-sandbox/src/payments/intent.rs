//! What payment intents and setup intents have in common.

use serde_json::{Value, json};

use crate::engine::objects::Intent;
use crate::engine::{ApiError, Doc, Tx};

/// How an intent is confirmed.
#[derive(Clone, Default)]
pub(crate) struct ConfirmOptions {
    /// Without the customer.
    pub(crate) off_session: bool,
    /// Fail instead of asking for 3D Secure.
    pub(crate) refuse_action: bool,
    /// Where the customer goes after 3D Secure, if it is a page of its own.
    pub(crate) return_url: Option<String>,
    /// Stripe.js is there to show the challenge.
    pub(crate) use_stripe_sdk: bool,
}

impl ConfirmOptions {
    pub(crate) fn of(params: &Value) -> Self {
        Self {
            // `one_off` and `recurring` are ways of being off session.
            off_session: params["off_session"] == true || params["off_session"].is_string(),
            refuse_action: params["error_on_requires_action"] == true,
            return_url: params["return_url"].as_str().map(str::to_owned),
            use_stripe_sdk: params["use_stripe_sdk"] == true,
        }
    }
}

/// What the customer has to do for a challenge.
pub(super) fn next_action(tx: &Tx, intent: &Doc, options: &ConfirmOptions) -> Value {
    let secret = Intent(&intent.object).client_secret();
    let page = format!("{}/3d_secure/{}?client_secret={secret}", tx.base_url(), intent.id());
    match &options.return_url {
        Some(back) if !options.use_stripe_sdk => {
            json!({"type": "redirect_to_url", "redirect_to_url": {"url": page, "return_url": back}})
        }
        _ => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }),
    }
}

/// That a browser holds the intent's secret. A server needn't.
///
/// # Errors
/// 400 if the secret is missing or another's.
pub(crate) fn check_secret(intent: &Doc, params: &Value, browser: bool) -> Result<(), ApiError> {
    let intent = Intent(&intent.object);
    let (name, code) = if intent.is_setup() {
        ("SetupIntent", "setup_intent_invalid_parameter")
    } else {
        ("PaymentIntent", "payment_intent_invalid_parameter")
    };
    match params["client_secret"].as_str() {
        Some(secret) if intent.client_secret() == secret => Ok(()),
        Some(_) => Err(ApiError::invalid(format!(
            "The client_secret provided does not match the client_secret associated with the {name}."
        ))
        .code(code)
        .param("client_secret")),
        None if browser => Err(ApiError::required("client_secret")),
        None => Ok(()),
    }
}

/// That a confirmation is one that the intent allows; `params` are the request's.
///
/// # Errors
/// 400 as at Stripe.
pub(crate) fn check_confirmation(intent: &Doc, params: &Value, browser: bool) -> Result<(), ApiError> {
    let view = Intent(&intent.object);
    let (options, name) =
        (ConfirmOptions::of(params), if view.is_setup() { "SetupIntent" } else { "PaymentIntent" });
    if browser && view.is_confirmed_by_hand() {
        return Err(ApiError::invalid(
            "This PaymentIntent cannot be confirmed using your publishable key because its `confirmation_method` is \
             set to `manual`. Please use your secret key to confirm this PaymentIntent on your server.",
        ));
    }
    if browser && options.off_session {
        let message = "You cannot confirm with `off_session=true` when using a publishable key.";
        return Err(ApiError::invalid(message).param("off_session"));
    }
    // Stripe documents that this is refused, and not the words.
    if options.off_session && view.setup_future_usage().is_some() {
        let message = "You cannot confirm with `off_session=true` when `setup_future_usage` is set on the PaymentIntent.";
        return Err(ApiError::invalid(message).param("off_session"));
    }
    // Stripe.js sees to redirects itself.
    let of_stripe_js = browser || options.use_stripe_sdk;
    if view.allows_redirects() && options.return_url.is_none() && !of_stripe_js {
        return Err(ApiError::invalid(format!(
            "This {name} is configured to accept payment methods enabled in your Dashboard. Because some of these \
             payment methods might redirect your customer off of your page, you must provide a `return_url`. If you \
             don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` \
             and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment \
             Intents."
        )));
    }
    Ok(())
}

/// Of an intent only what a publishable key may see.
pub(crate) fn client_view(mut intent: Value) -> Value {
    const SEEN: &[&str] = &[
        "id",
        "object",
        "amount",
        "amount_details",
        "automatic_payment_methods",
        "canceled_at",
        "cancellation_reason",
        "capture_method",
        "client_secret",
        "confirmation_method",
        "created",
        "currency",
        "description",
        "excluded_payment_method_types",
        "last_payment_error",
        "last_setup_error",
        "livemode",
        "next_action",
        "payment_method",
        "payment_method_configuration_details",
        "payment_method_types",
        "processing",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "source",
        "status",
        "usage",
    ];
    if let Some(fields) = intent.as_object_mut() {
        fields.retain(|field, _| SEEN.contains(&field.as_str()));
    }
    intent
}

/// The error for an intent in a state in which this can't be done.
pub(crate) fn unexpected_state(intent: &Doc, verb: &str) -> ApiError {
    let status = intent.object["status"].as_str().unwrap_or_default();
    let (name, field) = if Intent(&intent.object).is_setup() {
        ("SetupIntent", "setup_intent")
    } else {
        ("PaymentIntent", "payment_intent")
    };
    ApiError::invalid(format!("You cannot {verb} this {name} because it has a status of {status}."))
        .code(&format!("{field}_unexpected_state"))
        .with(field, intent.object.clone())
}

/// The error for a challenge that was refused.
pub(super) fn authentication_failed(kind: &str) -> ApiError {
    let (code, name) = match kind {
        "setup_intent" => ("setup_intent_authentication_failure", "SetupIntent"),
        _ => ("payment_intent_authentication_failure", "PaymentIntent"),
    };
    ApiError::invalid(format!(
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new \
         PaymentMethod to attempt to fulfill this {name} again."
    ))
    .code(code)
}
