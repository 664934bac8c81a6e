//! Payment methods.

use serde_json::{Value, json};

use super::customers::{ADDRESS, ADDRESS_FIELDS};
use crate::engine::objects::owner;
use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, merge_metadata, opt, page, post, req, set,
    unsupported,
};
use crate::payments::methods;

const KIND: Kind = Kind::PaymentMethod;

const CARD: &[Field] = &[
    opt("number", Shape::Text),
    opt("exp_month", Shape::Int),
    opt("exp_year", Shape::Int),
    opt("cvc", Shape::Text),
    opt("token", Shape::Text),
    unsupported(&["networks"]),
];
/// Whether an intent takes whatever method is switched on in the dashboard.
pub(super) const AUTOMATIC: Shape =
    Shape::Object(&[req("enabled", Shape::Bool), opt("allow_redirects", Shape::Enum(&["always", "never"]))]);
const BILLING_DETAILS: Shape = Shape::Object(&[
    opt("address", Shape::Clearable(&Shape::Object(ADDRESS))),
    opt("email", Shape::Clearable(&Shape::Text)),
    opt("name", Shape::Clearable(&Shape::Text)),
    opt("phone", Shape::Clearable(&Shape::Text)),
    opt("tax_id", Shape::Clearable(&Shape::Text)),
]);
const TYPE: Shape = Shape::Enum(&["card"]);
const REDISPLAY: Shape = Shape::Enum(&["always", "limited", "unspecified"]);

/// The types of payment method besides cards, each of which has parameters of its own.
pub(super) const OTHER_TYPES: &[&str] = &[
    "acss_debit",
    "affirm",
    "afterpay_clearpay",
    "alipay",
    "alma",
    "amazon_pay",
    "au_becs_debit",
    "bacs_debit",
    "bancontact",
    "billie",
    "bizum",
    "blik",
    "boleto",
    "cashapp",
    "crypto",
    "customer_balance",
    "eps",
    "fpx",
    "giropay",
    "grabpay",
    "ideal",
    "interac_present",
    "kakao_pay",
    "klarna",
    "konbini",
    "kr_card",
    "link",
    "mb_way",
    "mobilepay",
    "multibanco",
    "naver_pay",
    "nz_bank_account",
    "oxxo",
    "p24",
    "pay_by_bank",
    "payco",
    "paynow",
    "paypal",
    "payto",
    "pix",
    "promptpay",
    "revolut_pay",
    "samsung_pay",
    "satispay",
    "scalapay",
    "sepa_debit",
    "sofort",
    "sunbit",
    "swish",
    "twint",
    "upi",
    "us_bank_account",
    "wechat_pay",
    "zip",
];

/// A payment method described where an intent takes one.
pub(super) const DATA: &[Field] = &[
    req("type", TYPE),
    opt("card", Shape::Object(CARD)),
    opt("billing_details", BILLING_DETAILS),
    opt("allow_redisplay", REDISPLAY),
    METADATA,
    unsupported(&["radar_options"]),
    unsupported(OTHER_TYPES),
];

const CREATE: &[Field] = &[
    req("type", TYPE),
    opt("card", Shape::Object(CARD)),
    opt("billing_details", BILLING_DETAILS),
    opt("allow_redisplay", REDISPLAY),
    METADATA,
    unsupported(&["custom", "customer", "payment_method", "radar_options"]),
    unsupported(OTHER_TYPES),
];

const UPDATE: &[Field] = &[
    opt("allow_redisplay", REDISPLAY),
    opt("billing_details", BILLING_DETAILS),
    opt(
        "card",
        Shape::Object(&[
            opt("exp_month", Shape::Int),
            opt("exp_year", Shape::Int),
            unsupported(&["networks"]),
        ]),
    ),
    METADATA,
    unsupported(&["payto", "us_bank_account"]),
];

const OF_CUSTOMER: &[Field] = &[opt("allow_redisplay", REDISPLAY), opt("type", Shape::Text)];
const LIST: &[Field] = &[
    opt("allow_redisplay", REDISPLAY),
    opt("customer", Shape::Text),
    opt("type", Shape::Text),
    unsupported(&["customer_account"]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/payment_methods", LIST, |call| {
        index(call, call.params["customer"].as_str(), "/v1/payment_methods")
    }),
    list("/v1/customers/{customer}/payment_methods", OF_CUSTOMER, |call| {
        let customer = call.id();
        let url = format!("/v1/customers/{customer}/payment_methods");
        call.tx.find(Kind::Customer, customer, "customer")?;
        index(call, Some(customer), &url)
    }),
    get("/v1/customers/{customer}/payment_methods/{payment_method}", &[], |call| {
        let [customer, method] = call.ids else { return Err(ApiError::required("payment_method")) };
        let doc = call.tx.find(KIND, method, "id")?;
        if owner(&doc.object) != Some(customer) {
            return Err(ApiError::missing(KIND, method, "id"));
        }
        Ok(doc.object.clone())
    }),
    post("/v1/payment_methods", CREATE, |call| {
        let id = methods::from_data(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    })
    .for_browsers(),
    get("/v1/payment_methods/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/payment_methods/{id}", UPDATE, update),
    post(
        "/v1/payment_methods/{id}/attach",
        &[req("customer", Shape::Text), unsupported(&["customer_account"])],
        attach,
    ),
    post("/v1/payment_methods/{id}/detach", &[], |call| {
        methods::detach(call.tx, call.ids.first().map_or("", String::as_str))?;
        Ok(call.tx.shown(KIND, call.id()))
    }),
];

/// Of a customer, or of the account: then those that have no customer aren't listed either, as at Stripe.
fn index(call: &Call, customer: Option<&str>, url: &str) -> Result<Value, ApiError> {
    let params = call.params;
    if let Some(customer) = customer {
        call.tx.find(Kind::Customer, customer, "customer")?;
    }
    page(call.tx, KIND, url, params, |doc| {
        let owner = owner(&doc.object);
        customer.map_or(owner.is_some(), |customer| owner == Some(customer))
            && ["type", "allow_redisplay"].iter().all(|field| matches(&doc.object, params, field))
    })
}

fn attach(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let customer = params["customer"].as_str().unwrap_or_default();
    tx.find(Kind::Customer, customer, "customer")?;
    let id = methods::resolve(tx, call.ids.first().map_or("", String::as_str), "id")?;
    methods::attach(tx, &id, customer)?;
    Ok(tx.shown(KIND, &id))
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    if owner(&doc.object).is_none() {
        let message = "You must save this PaymentMethod to a customer before you can update it.";
        return Err(ApiError::invalid(message));
    }
    let (tx, params) = (&mut *call.tx, call.params);
    tx.update(KIND, doc.id(), "payment_method.updated", |doc| {
        let object = &mut doc.object;
        if let Some(given) = params.get("billing_details") {
            let mut merged = object["billing_details"].clone();
            for field in ["email", "name", "phone", "tax_id"] {
                set(&mut merged, given, field);
            }
            for field in ADDRESS_FIELDS {
                set(&mut merged["address"], &given["address"], field);
            }
            object["billing_details"] = methods::billing_details(&merged);
        }
        for field in ["exp_month", "exp_year"] {
            set(&mut object["card"], &params["card"], field);
        }
        if let Some(redisplay) = params.get("allow_redisplay") {
            object["allow_redisplay"] = json!(redisplay);
        }
        merge_metadata(object, params);
    });
    Ok(tx.shown(KIND, doc.id()))
}
