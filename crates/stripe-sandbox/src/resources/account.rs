//! The account: there is one, and it may do everything that the sandbox can.

use serde_json::{Value, json};

use crate::engine::{ACCOUNT, ApiError};
use crate::http::{Route, get, list};

pub(super) const ROUTES: &[Route] = &[
    get("/v1/account", &[], |_| Ok(account())),
    // Connected accounts, of which there are none.
    list("/v1/accounts", &[], |_| Ok(super::customers::none("/v1/accounts"))),
    get("/v1/accounts/{id}", &[], |call| {
        if call.id() == ACCOUNT { Ok(account()) } else { Err(not_here(call.id())) }
    }),
];

fn not_here(id: &str) -> ApiError {
    ApiError::invalid(format!("No such account: '{id}'"))
        .status(404)
        .code("resource_missing")
        .param("account")
}

fn account() -> Value {
    let no_requirements = json!({
        "alternatives": [], "current_deadline": null, "currently_due": [], "disabled_reason": null, "errors": [],
        "eventually_due": [], "past_due": [], "pending_verification": [],
    });
    json!({
        "id": ACCOUNT,
        "object": "account",
        "business_profile": null,
        "business_type": null,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": true,
        "controller": {"type": "account"},
        "country": "US",
        "created": 0,
        "default_currency": "usd",
        "details_submitted": true,
        "email": "sandbox@stripe-sandbox.test",
        "external_accounts": {
            "object": "list", "data": [], "has_more": false, "url": format!("/v1/accounts/{ACCOUNT}/external_accounts"),
        },
        "future_requirements": no_requirements,
        "metadata": {},
        "payouts_enabled": true,
        "requirements": no_requirements,
        "settings": null,
        "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
        "type": "standard",
    })
}
