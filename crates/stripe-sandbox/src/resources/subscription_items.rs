//! Subscription items.

use crate::engine::Kind;
use crate::http::{Route, Shape, get, list, page_of_values, req};

const KIND: Kind = Kind::SubscriptionItem;

pub(super) const ROUTES: &[Route] = &[
    list("/v1/subscription_items", &[req("subscription", Shape::Text)], |call| {
        let params = call.params;
        let subscription = params["subscription"].as_str().unwrap_or_default();
        let doc = call.tx.find(Kind::Subscription, subscription, "subscription")?;
        let items = call.tx.items_of(&doc);
        page_of_values(&items, KIND, &format!("/v1/subscription_items?subscription={subscription}"), params)
    }),
    get("/v1/subscription_items/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
];
