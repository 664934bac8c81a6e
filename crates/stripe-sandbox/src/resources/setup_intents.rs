//! Setup intents, and their attempts.

use serde_json::{Value, json};

use super::payment_intents::{given_method, set_given_method};
use super::payment_methods::{AUTOMATIC, DATA};
use crate::billing::paying;
use crate::engine::objects::Intent;
use crate::engine::{ApiError, Doc, Kind};
use crate::http::{
    Call, Field, METADATA, Role, Route, Shape, get, list, matches, merge_metadata, new_metadata, opt, page,
    post, req, set, unsupported,
};
use crate::payments::{ConfirmOptions, check_confirmation, check_secret, client_view, methods, setup};

const KIND: Kind = Kind::SetupIntent;

const OPTIONS: Shape = Shape::Object(&[
    opt(
        "card",
        Shape::Object(&[
            opt("request_three_d_secure", Shape::Enum(&["any", "automatic", "challenge"])),
            unsupported(&["mandate_options", "network", "three_d_secure"]),
        ]),
    ),
    unsupported(&[
        "acss_debit",
        "amazon_pay",
        "bacs_debit",
        "bizum",
        "card_present",
        "klarna",
        "link",
        "paypal",
        "payto",
        "pix",
        "sepa_debit",
        "upi",
        "us_bank_account",
    ]),
]);

const CREATE: &[Field] = &[
    opt("automatic_payment_methods", AUTOMATIC),
    opt("confirm", Shape::Bool),
    opt("customer", Shape::Text),
    opt("description", Shape::Text),
    METADATA,
    opt("payment_method", Shape::Text),
    opt("payment_method_data", Shape::Object(DATA)),
    opt("payment_method_options", OPTIONS),
    opt("payment_method_types", Shape::List(&Shape::Text)),
    opt("return_url", Shape::Text),
    opt("usage", Shape::Enum(&["off_session", "on_session"])),
    opt("use_stripe_sdk", Shape::Bool),
    unsupported(&[
        "allowed_payment_method_types",
        "attach_to_self",
        "confirmation_token",
        "customer_account",
        "excluded_payment_method_types",
        "flow_directions",
        "mandate_data",
        "on_behalf_of",
        "payment_method_configuration",
        "single_use",
    ]),
];

const UPDATE: &[Field] = &[
    opt("customer", Shape::Text),
    opt("description", Shape::Text),
    METADATA,
    opt("payment_method", Shape::Clearable(&Shape::Text)),
    opt("payment_method_data", Shape::Object(DATA)),
    opt("payment_method_options", OPTIONS),
    opt("payment_method_types", Shape::List(&Shape::Text)),
    unsupported(&[
        "allowed_payment_method_types",
        "attach_to_self",
        "customer_account",
        "excluded_payment_method_types",
        "flow_directions",
        "payment_method_configuration",
    ]),
];

const CONFIRM: &[Field] = &[
    opt("client_secret", Shape::Text),
    opt("payment_method", Shape::Text),
    opt("payment_method_data", Shape::Object(DATA)),
    opt("payment_method_options", OPTIONS),
    opt("return_url", Shape::Text),
    opt("use_stripe_sdk", Shape::Bool),
    unsupported(&["allowed_payment_method_types", "confirmation_token", "mandate_data"]),
];

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("payment_method", Shape::Text),
    unsupported(&["attach_to_self", "customer_account"]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/setup_intents", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/setup_intents", params, |doc| {
            ["customer", "payment_method"].iter().all(|field| matches(&doc.object, params, field))
        })
    }),
    post("/v1/setup_intents", CREATE, create),
    get("/v1/setup_intents/{id}", &[opt("client_secret", Shape::Text)], |call| {
        let doc = find(call)?;
        check_secret(&doc, call.params, call.role == Role::Browser)?;
        Ok(seen(call, doc.id()))
    })
    .for_browsers(),
    post("/v1/setup_intents/{id}", UPDATE, update),
    post("/v1/setup_intents/{id}/confirm", CONFIRM, confirm).for_browsers(),
    post(
        "/v1/setup_intents/{id}/cancel",
        &[opt("cancellation_reason", Shape::Enum(&["abandoned", "requested_by_customer", "duplicate"]))],
        |call| {
            let doc = find(call)?;
            setup::cancel(call.tx, doc.id(), call.params["cancellation_reason"].as_str())?;
            Ok(call.tx.shown(KIND, doc.id()))
        },
    ),
    list("/v1/setup_attempts", &[req("setup_intent", Shape::Text), opt("created", Shape::Range)], |call| {
        let params = call.params;
        call.tx.find(KIND, params["setup_intent"].as_str().unwrap_or_default(), "setup_intent")?;
        page(call.tx, Kind::SetupAttempt, "/v1/setup_attempts", params, |doc| {
            matches(&doc.object, params, "setup_intent")
        })
    }),
];

fn find(call: &Call) -> Result<std::sync::Arc<Doc>, ApiError> {
    call.tx.find(KIND, call.id(), "intent").map_err(|error| error.status(404))
}

fn seen(call: &Call, id: &str) -> Value {
    let intent = call.tx.shown(KIND, id);
    if call.role == Role::Browser { client_view(intent) } else { intent }
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let customer = params["customer"].as_str();
    if let Some(customer) = customer {
        tx.find(Kind::Customer, customer, "customer")?;
    }
    let method = given_method(tx, params)?;
    if let Some(method) = &method {
        methods::check_usable(tx, method, customer)?;
    }
    let plan = setup::NewSetup {
        customer,
        payment_method: method.as_deref(),
        usage: params["usage"].as_str().unwrap_or("off_session"),
        subscription: None,
    };
    let id = setup::create(tx, &plan, |object| {
        object["metadata"] = new_metadata(params);
        if params["payment_method_types"].is_null() {
            let given = &params["automatic_payment_methods"];
            object["automatic_payment_methods"] = json!({
                "allow_redirects": given["allow_redirects"].as_str().unwrap_or("always"),
                "enabled": given["enabled"].as_bool().unwrap_or(true),
            });
        }
        for field in ["description", "payment_method_types"] {
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
    let given = &params["payment_method_options"]["card"];
    set(&mut object["payment_method_options"]["card"], given, "request_three_d_secure");
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = find(call)?;
    let (tx, params) = (&mut *call.tx, call.params);
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
        for field in ["customer", "description", "payment_method_types"] {
            set(object, params, field);
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
    let method = given_method(tx, params)?;
    tx.change(KIND, doc.id(), |doc| {
        apply_options(&mut doc.object, params);
        if let Some(method) = method {
            doc.object["payment_method"] = json!(method);
        }
    });
    check_confirmation(&*tx.find(KIND, doc.id(), "intent")?, params, browser)?;
    paying::confirm(tx, KIND, doc.id(), &ConfirmOptions::of(params))
        .map_err(|error| if browser { error.mapping("setup_intent", client_view) } else { error })?;
    Ok(seen(call, doc.id()))
}
