//! Sessions of the customer portal.

use crate::billing::portal;
use crate::engine::Kind;
use crate::http::{Field, Route, Shape, check_address, opt, post, req, unsupported};

#[rustfmt::skip]
const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-AU", "en-CA", "en-GB", "en-IE", "en-IN", "en-NZ",
    "en-SG", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt",
    "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh",
    "zh-HK", "zh-TW",
];
const FLOW: &[Field] = &[
    req(
        "type",
        Shape::Enum(&[
            "customer_update",
            "payment_method_update",
            "subscription_cancel",
            "subscription_update",
        ]),
    ),
    opt(
        "after_completion",
        Shape::Object(&[
            req("type", Shape::Enum(&["hosted_confirmation", "portal_homepage", "redirect"])),
            opt("hosted_confirmation", Shape::Object(&[opt("custom_message", Shape::Text)])),
            opt("redirect", Shape::Object(&[req("return_url", Shape::Text)])),
        ]),
    ),
    opt(
        "subscription_cancel",
        Shape::Object(&[req("subscription", Shape::Text), unsupported(&["retention"])]),
    ),
    opt("subscription_update", Shape::Object(&[req("subscription", Shape::Text)])),
    unsupported(&["subscription_update_confirm"]),
];
const CREATE: &[Field] = &[
    opt("configuration", Shape::Text),
    opt("customer", Shape::Text),
    opt("flow_data", Shape::Object(FLOW)),
    opt("locale", Shape::Enum(LOCALES)),
    opt("return_url", Shape::Text),
    unsupported(&["customer_account", "on_behalf_of"]),
];

pub(super) const ROUTES: &[Route] = &[post("/v1/billing_portal/sessions", CREATE, |call| {
    let params = call.params;
    check_address(&params["return_url"], "return_url")?;
    let redirect = &params["flow_data"]["after_completion"]["redirect"]["return_url"];
    check_address(redirect, "flow_data[after_completion][redirect][return_url]")?;
    let id = portal::open(call.tx, params)?;
    Ok(call.tx.shown(Kind::PortalSession, &id))
})];
