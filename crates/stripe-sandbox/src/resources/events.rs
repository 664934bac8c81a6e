//! Events.

use serde_json::Value;

use crate::engine::{ApiError, Kind};
use crate::http::{Call, Field, Route, Shape, get, list, opt, page_of, post, unsupported};
use crate::webhooks;

const KIND: Kind = Kind::Event;

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("delivery_success", Shape::Bool),
    opt("type", Shape::Text),
    opt("types", Shape::List(&Shape::Text)),
];

/// What Stripe's CLI sends for `stripe events resend`; Stripe doesn't publish this endpoint.
const RETRY: &[Field] =
    &[opt("for_stripecli", Shape::Bool), opt("webhook_endpoint", Shape::Text), unsupported(&["account"])];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/events", LIST, index),
    get("/v1/events/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/events/{id}/retry", RETRY, retry),
];

fn index(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&*call.tx, call.params);
    if params.get("type").is_some() && params.get("types").is_some() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(ApiError::invalid(message).param("types"));
    }
    let one = params["type"].as_str();
    let several = params["types"].as_array();
    let delivered = params["delivery_success"].as_bool();
    let wanted: Option<Vec<&str>> = match several {
        Some(several) => Some(several.iter().filter_map(Value::as_str).collect()),
        None => one.map(|one| vec![one]),
    };
    let mut types: Option<Vec<&str>> = wanted.map(|wanted| {
        tx.values(Kind::Event, "type")
            .filter(|kind| wanted.iter().any(|wanted| is_of(kind, wanted)))
            .collect()
    });
    if delivered == Some(false) && !webhooks::has_undelivered(tx) {
        types = Some(Vec::new());
    }
    page_of(tx, KIND, "/v1/events", params, types.map(|types| ("type", types)), |doc| {
        delivered.is_none_or(|success| {
            let all = webhooks::deliveries_of(tx, doc.id());
            all.iter().all(|delivery| delivery.state == webhooks::DeliveryState::Delivered) == success
        })
    })
}

/// Whether a type is the wanted one, or of the wanted family, as all are of `customer.*`.
fn is_of(kind: &str, wanted: &str) -> bool {
    wanted.strip_suffix('*').map_or(kind == wanted, |family| kind.starts_with(family))
}

fn retry(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let endpoint = call.params["webhook_endpoint"].as_str();
    if let Some(endpoint) = endpoint {
        call.tx.find(Kind::WebhookEndpoint, endpoint, "webhook_endpoint")?;
    }
    if call.params["for_stripecli"] == true {
        call.tx.tell_again(doc.id());
    } else {
        webhooks::send_again(call.tx, doc.id(), endpoint);
    }
    Ok(call.tx.shown(KIND, doc.id()))
}
