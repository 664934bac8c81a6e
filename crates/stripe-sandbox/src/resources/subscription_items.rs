//! Subscription items.

use serde_json::{Map, Value, json};

use super::discounts::DISCOUNTS;
use super::price_data::INLINE_ITEM;
use super::subscriptions::{PAYMENT_BEHAVIOR, PRORATION_BEHAVIOR};
use crate::billing::update;
use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, list, opt, page_of_values, post, req, unsupported,
};

const KIND: Kind = Kind::SubscriptionItem;

/// What creating and updating have in common.
macro_rules! fields {
    ($($more:expr),* $(,)?) => {
        &[
            METADATA,
            PAYMENT_BEHAVIOR,
            opt("price", Shape::Text),
            opt("price_data", Shape::Object(INLINE_ITEM)),
            PRORATION_BEHAVIOR,
            opt("proration_date", Shape::Int),
            opt("quantity", Shape::Int),
            DISCOUNTS,
            unsupported(&["billing_thresholds", "tax_rates"]),
            $($more),*
        ]
    };
}
const CREATE: &[Field] = fields![req("subscription", Shape::Text)];
const UPDATE: &[Field] = fields![opt("off_session", Shape::Bool)];
const DELETE: &[Field] =
    &[unsupported(&["clear_usage"]), PAYMENT_BEHAVIOR, PRORATION_BEHAVIOR, opt("proration_date", Shape::Int)];
/// What of an item's parameters is the subscription's.
const SUBSCRIPTIONS: [&str; 4] = ["off_session", "payment_behavior", "proration_behavior", "proration_date"];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/subscription_items", &[req("subscription", Shape::Text)], |call| {
        let params = call.params;
        let subscription = params["subscription"].as_str().unwrap_or_default();
        let doc = call.tx.find(Kind::Subscription, subscription, "subscription")?;
        let items = call.tx.items_of(&doc);
        page_of_values(&items, KIND, &format!("/v1/subscription_items?subscription={subscription}"), params)
    }),
    post("/v1/subscription_items", CREATE, |call| {
        let subscription = call.params["subscription"].as_str().unwrap_or_default().to_owned();
        let doc = call.tx.find(Kind::Subscription, &subscription, "subscription")?;
        let before = ids(&call.tx.items_of(&doc));
        change(call, &subscription, None)?;
        let doc = call.tx.find(Kind::Subscription, &subscription, "subscription")?;
        let after = ids(&call.tx.items_of(&doc));
        // One that waits for its payment isn't there yet.
        let pending =
            ids(doc.object["pending_update"]["subscription_items"].as_array().map_or(&[], Vec::as_slice));
        let new = after.iter().chain(&pending).find(|id| !before.contains(id)).cloned().unwrap_or_default();
        Ok(call.tx.view(KIND, &new).unwrap_or_else(|| waiting(&doc.object, &new)))
    }),
    get("/v1/subscription_items/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/subscription_items/{id}", UPDATE, |call| {
        let id = call.tx.find(KIND, call.id(), "id")?.id().to_owned();
        let subscription = owner(call, &id);
        change(call, &subscription, Some(json!({"id": id})))?;
        Ok(call.tx.shown(KIND, &id))
    }),
    delete("/v1/subscription_items/{id}", DELETE, |call| {
        let id = call.tx.find(KIND, call.id(), "id")?.id().to_owned();
        let subscription = owner(call, &id);
        change(call, &subscription, Some(json!({"id": id, "deleted": true})))?;
        Ok(json!({"id": id, "object": KIND.object(), "deleted": true}))
    }),
];

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

/// An item that waits for its payment, as the subscription's `pending_update` has it.
fn waiting(subscription: &Value, id: &str) -> Value {
    let items = subscription["pending_update"]["subscription_items"].as_array();
    items.into_iter().flatten().find(|item| item["id"] == id).cloned().unwrap_or_default()
}

fn owner(call: &Call, item: &str) -> String {
    let doc = call.tx.get(KIND, item);
    doc.and_then(|doc| doc.object["subscription"].as_str().map(str::to_owned)).unwrap_or_default()
}

/// Changes the subscription in this one item.
fn change(call: &mut Call, subscription: &str, item: Option<Value>) -> Result<(), ApiError> {
    let mut item = item.unwrap_or(json!({}));
    let mut params = Map::new();
    for (name, value) in
        call.params.as_object().into_iter().flatten().filter(|(name, _)| *name != "subscription")
    {
        if SUBSCRIPTIONS.contains(&name.as_str()) {
            params.insert(name.clone(), value.clone());
        } else {
            item[name] = value.clone();
        }
    }
    params.insert("items".to_owned(), json!([item]));
    update::update(call.tx, subscription, &Value::Object(params))
}
