//! Configurations of the customer portal: what customers may do in it.

use serde_json::Value;

use crate::billing::portal;
use crate::engine::{ApiError, Kind, Tx};
use crate::http::{
    Call, Field, METADATA, Route, Shape, check_address, get, list, matches, merge_metadata, opt, page, post,
    req, set, unsupported,
};

const KIND: Kind = Kind::PortalConfiguration;
const PATH: &str = "/v1/billing_portal/configurations";

const UPDATES: Shape = Shape::Clearable(&Shape::List(&Shape::Enum(&[
    "address", "email", "name", "phone", "shipping", "tax_id",
])));
const REASONS: Shape = Shape::Clearable(&Shape::List(&Shape::Enum(&[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
])));
const PRORATION: Shape = Shape::Enum(&["always_invoice", "create_prorations", "none"]);
const PRODUCT: &[Field] = &[
    req("prices", Shape::List(&Shape::Text)),
    req("product", Shape::Text),
    unsupported(&["adjustable_quantity"]),
];
const BUSINESS: &[Field] = &[
    opt("headline", Shape::Clearable(&Shape::Text)),
    opt("privacy_policy_url", Shape::Clearable(&Shape::Text)),
    opt("terms_of_service_url", Shape::Clearable(&Shape::Text)),
];
/// The addresses of a new one can't be cleared: there is nothing to clear.
const NEW_BUSINESS: &[Field] = &[
    opt("headline", Shape::Clearable(&Shape::Text)),
    opt("privacy_policy_url", Shape::Text),
    opt("terms_of_service_url", Shape::Text),
];

/// The features of a new configuration need what those of one that is changed may leave out.
macro_rules! features {
    ($needed:ident) => {
        Shape::Object(&[
            opt(
                "customer_update",
                Shape::Object(&[opt("allowed_updates", UPDATES), $needed("enabled", Shape::Bool)]),
            ),
            opt("invoice_history", Shape::Object(&[req("enabled", Shape::Bool)])),
            opt(
                "payment_method_update",
                Shape::Object(&[req("enabled", Shape::Bool), unsupported(&["payment_method_configuration"])]),
            ),
            opt(
                "subscription_cancel",
                Shape::Object(&[
                    opt(
                        "cancellation_reason",
                        Shape::Object(&[
                            req("enabled", Shape::Bool),
                            $needed("options", REASONS),
                            unsupported(&["feedback_options"]),
                        ]),
                    ),
                    $needed("enabled", Shape::Bool),
                    opt("mode", Shape::Enum(&["at_period_end", "immediately"])),
                    opt("proration_behavior", PRORATION),
                ]),
            ),
            opt(
                "subscription_update",
                Shape::Object(&[
                    opt("default_allowed_updates", Shape::Clearable(&Shape::List(&Shape::Enum(&["price"])))),
                    $needed("enabled", Shape::Bool),
                    opt("products", Shape::Clearable(&Shape::List(&Shape::Object(PRODUCT)))),
                    opt("proration_behavior", PRORATION),
                    unsupported(&["billing_cycle_anchor", "schedule_at_period_end", "trial_update_behavior"]),
                ]),
            ),
        ])
    };
}

const CREATE: &[Field] = &[
    opt("business_profile", Shape::Object(NEW_BUSINESS)),
    opt("default_return_url", Shape::Clearable(&Shape::Text)),
    req("features", features!(req)),
    opt("metadata", Shape::Map),
    opt("name", Shape::Clearable(&Shape::Text)),
    unsupported(&["login_page"]),
];
const UPDATE: &[Field] = &[
    opt("active", Shape::Bool),
    opt("business_profile", Shape::Object(BUSINESS)),
    opt("default_return_url", Shape::Clearable(&Shape::Text)),
    opt("features", features!(opt)),
    METADATA,
    opt("name", Shape::Clearable(&Shape::Text)),
    unsupported(&["login_page"]),
];

pub(super) const ROUTES: &[Route] = &[
    list(PATH, &[opt("active", Shape::Bool), opt("is_default", Shape::Bool)], |call| {
        let params = call.params;
        page(call.tx, KIND, PATH, params, |doc| {
            ["active", "is_default"].iter().all(|field| matches(&doc.object, params, field))
        })
    }),
    post(PATH, CREATE, |call| {
        check(call.tx, call.params)?;
        let id = portal::add_configuration(call.tx, call.params, false);
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/billing_portal/configurations/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/billing_portal/configurations/{id}", UPDATE, update),
];

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    check(tx, params)?;
    if params["active"] == false && doc.object["is_default"] == true {
        let message = "You cannot deactivate the default configuration.";
        return Err(ApiError::invalid(message).param("active"));
    }
    let now = tx.now();
    tx.update(KIND, doc.id(), "billing_portal.configuration.updated", |doc| {
        set(&mut doc.object, params, "active");
        merge_metadata(&mut doc.object, params);
        portal::apply(&mut doc.object, params, now);
    });
    Ok(tx.shown(KIND, doc.id()))
}

fn check(tx: &Tx, params: &Value) -> Result<(), ApiError> {
    check_address(&params["default_return_url"], "default_return_url")?;
    for field in ["privacy_policy_url", "terms_of_service_url"] {
        check_address(&params["business_profile"][field], &format!("business_profile[{field}]"))?;
    }
    let products = &params["features"]["subscription_update"]["products"];
    for (index, product) in products.as_array().into_iter().flatten().enumerate() {
        let at = format!("features[subscription_update][products][{index}]");
        let id = product["product"].as_str().unwrap_or_default();
        tx.find(Kind::Product, id, &format!("{at}[product]"))?;
        let prices = product["prices"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for (index, price) in prices.enumerate() {
            let at = format!("{at}[prices][{index}]");
            let price = tx.find(Kind::Price, price, &at)?;
            if price.object["product"] != id || price.object["type"] != "recurring" {
                let message =
                    format!("The price {} is not a recurring price of the product {id}.", price.id());
                return Err(ApiError::invalid(message).param(&at));
            }
        }
    }
    Ok(())
}
