//! The items of a subscription: what a request wants of them, and keeping them.

use serde_json::{Value, json};

use super::discounts::{self, On};
use super::{Interval, prices, subscriptions};
use crate::engine::objects::{Price, Subscription, ids};
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::http::merge_metadata;

const KIND: Kind = Kind::SubscriptionItem;

/// What an item is to be.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The price as the API shows it.
    pub(super) price: Value,
    pub(super) quantity: i64,
    pub(super) metadata: Value,
    /// The ids of its own discounts.
    pub(super) discounts: Vec<String>,
}

/// What becomes of one item of a subscription, or of one that is new.
pub(super) struct Change {
    /// The item's id, a new one's too.
    pub(super) id: String,
    /// The item as the API shows it; `None` for a new one.
    pub(super) before: Option<Value>,
    /// `None` for one that is removed.
    pub(super) after: Option<Wanted>,
}

impl Change {
    /// Whether something else is paid after it.
    pub(super) fn changes_price(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                before["price"]["id"] != after.price["id"] || before["quantity"] != after.quantity
            }
            _ => true,
        }
    }
}

/// The items of a new subscription.
///
/// # Errors
/// If a price isn't there, can't be subscribed to, or is named twice.
pub(super) fn of_new(tx: &mut Tx, items: &Value) -> Result<Vec<Wanted>, ApiError> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (index, item) in items.as_array().into_iter().flatten().enumerate() {
        let at = |field: &str| format!("items[{index}][{field}]");
        let price = price(tx, item, &at)?.ok_or_else(|| ApiError::required(&at("price")))?;
        if wanted.iter().any(|other| other.price["id"] == price["id"]) {
            return Err(twice(&price, &at("price")));
        }
        let metadata = item.get("metadata").filter(|data| data.is_object()).cloned().unwrap_or(json!({}));
        let quantity = quantity(item, &at)?.unwrap_or(1);
        // They are redeemed once there is an item to have them.
        wanted.push(Wanted { price, quantity, metadata, discounts: Vec::new() });
    }
    if wanted.is_empty() { Err(ApiError::required("items")) } else { Ok(wanted) }
}

/// What a request makes of a subscription's items; those that it doesn't name stay.
///
/// # Errors
/// If an item isn't the subscription's, a price can't be subscribed to or is named twice, or nothing would be left.
pub(super) fn changes(tx: &mut Tx, subscription: &str, items: &Value) -> Result<Vec<Change>, ApiError> {
    let shown = tx.shown(Kind::Subscription, subscription);
    let mut changes: Vec<Change> =
        subscriptions::items(tx, subscription).into_iter().map(unchanged).collect();
    for (index, item) in items.as_array().into_iter().flatten().enumerate() {
        let at = |field: &str| format!("items[{index}][{field}]");
        let (price, quantity) = (price(tx, item, &at)?, quantity(item, &at)?);
        let Some(id) = item["id"].as_str() else {
            let price = price.ok_or_else(|| ApiError::required(&at("price")))?;
            let metadata = item.get("metadata").filter(|data| data.is_object()).cloned().unwrap_or(json!({}));
            let id = new_id(KIND);
            let discounts = redeem(tx, item, &shown, &id, index)?.unwrap_or_default();
            let after = Wanted { price, quantity: quantity.unwrap_or(1), metadata, discounts };
            changes.push(Change { id, before: None, after: Some(after) });
            continue;
        };
        let Some(change) = changes.iter_mut().find(|change| change.id == id && change.before.is_some())
        else {
            return Err(ApiError::missing(KIND, id, &at("id")));
        };
        if item["deleted"] == true {
            change.after = None;
        } else if let Some(after) = &mut change.after {
            after.price = price.unwrap_or(after.price.take());
            after.quantity = quantity.unwrap_or(after.quantity);
            if let Some(discounts) = redeem(tx, item, &shown, id, index)? {
                after.discounts = discounts;
            }
            let mut object = json!({"metadata": after.metadata});
            merge_metadata(&mut object, item);
            after.metadata = object["metadata"].take();
        }
    }
    let prices: Vec<&Value> =
        changes.iter().filter_map(|change| Some(&change.after.as_ref()?.price)).collect();
    for (index, price) in prices.iter().enumerate() {
        if prices[..index].iter().any(|other| other["id"] == price["id"]) {
            return Err(twice(price, "items"));
        }
    }
    if prices.is_empty() {
        return Err(ApiError::invalid(
            "A subscription must have at least one active plan. In order to cancel a subscription, please use the \
             Subscriptions API endpoint to delete the subscription.",
        )
        .param("items"));
    }
    Ok(changes)
}

fn unchanged(item: Value) -> Change {
    let after = Wanted {
        price: item["price"].clone(),
        quantity: item["quantity"].as_i64().unwrap_or(1),
        metadata: item["metadata"].clone(),
        discounts: ids(&item["discounts"]).map(str::to_owned).collect(),
    };
    Change { id: item["id"].as_str().unwrap_or_default().to_owned(), before: Some(item), after: Some(after) }
}

/// Redeems the discounts that an item of a request asks for. `None` if it says nothing of them.
///
/// # Errors
/// If they can't be redeemed.
pub(super) fn redeem(
    tx: &mut Tx,
    given: &Value,
    subscription: &Value,
    item: &str,
    index: usize,
) -> Result<Option<Vec<String>>, ApiError> {
    let Some(discounts) = given.get("discounts") else { return Ok(None) };
    let on = On {
        customer: Subscription(subscription).customer(),
        subscription: subscription["id"].as_str(),
        subscription_item: Some(item),
        ..On::default()
    };
    let currency = subscription["currency"].as_str().unwrap_or_default();
    let redeemed = discounts::redeem_all(tx, discounts, currency, on);
    redeemed.map(Some).map_err(|error| error.inside(&format!("items[{index}]")))
}

/// The price that an item of a request names or describes, if it does.
fn price(tx: &mut Tx, item: &Value, at: &dyn Fn(&str) -> String) -> Result<Option<Value>, ApiError> {
    let price = match (item["price"].as_str(), item["price_data"].is_object()) {
        (Some(_), true) => {
            let message = "You may only specify one of these parameters: price, price_data.";
            return Err(ApiError::invalid(message).param(&at("price_data")));
        }
        (Some(id), false) => tx.find(Kind::Price, id, &at("price"))?.object.clone(),
        (None, true) => prices::create_inline(tx, &item["price_data"], &at("price_data"))?,
        (None, false) => return Ok(None),
    };
    if !Price(&price).is_recurring() {
        let message = "The price specified is set to `type=one_time` but this field only accepts prices with \
                       `type=recurring`.";
        return Err(ApiError::invalid(message).param(&at("price")));
    }
    if !Price(&price).is_active() && !item["price_data"].is_object() {
        let message = "The price specified is inactive. This field only accepts active prices.";
        return Err(ApiError::invalid(message).param(&at("price")));
    }
    Ok(Some(price))
}

fn quantity(item: &Value, at: &dyn Fn(&str) -> String) -> Result<Option<i64>, ApiError> {
    match item["quantity"].as_i64() {
        Some(quantity) if quantity < 0 => {
            Err(ApiError::invalid("This value must be greater than or equal to 0.").param(&at("quantity")))
        }
        quantity => Ok(quantity),
    }
}

fn twice(price: &Value, param: &str) -> ApiError {
    let id = Price(price).id();
    ApiError::invalid(format!("Cannot add multiple subscription items with the same plan: {id}")).param(param)
}

/// The interval that all of the prices have.
///
/// # Errors
/// If they differ: Stripe bills such items each by its own, which isn't done here.
pub(super) fn common_interval<'a>(prices: impl Iterator<Item = &'a Value>) -> Result<Interval, ApiError> {
    let mut intervals = prices.map(|price| Interval::of(Price(price).recurring()));
    let Some(first) = intervals.next() else { return Err(ApiError::required("items")) };
    if intervals.all(|other| other == first) {
        return Ok(first);
    }
    Err(ApiError::invalid(
        "The Stripe sandbox does not support items of different intervals in one subscription.",
    )
    .param("items"))
}

/// Keeps a new item.
pub(super) fn insert(tx: &mut Tx, id: &str, subscription: &str, wanted: &Wanted, period: (i64, i64)) {
    let row = json!({
        "id": id,
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": tx.now(),
        "current_period_end": period.1,
        "current_period_start": period.0,
        "discounts": wanted.discounts,
        "metadata": wanted.metadata,
        "price": wanted.price["id"],
        "quantity": wanted.quantity,
        "subscription": subscription,
        "tax_rates": [],
    });
    tx.insert(KIND, row, Value::Null);
}
