//! Objects as the API shows them: with what is kept in other documents.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::Kind;
use super::objects::Price;
use super::state::Doc;
use super::tx::Tx;

/// The lines that an invoice carries itself. More of them are listed at an address of their own.
const INLINE_LINES: usize = 10;

impl Tx<'_> {
    /// The object as the API shows it.
    pub(crate) fn view(&self, kind: Kind, id: &str) -> Option<Value> {
        self.get(kind, id).map(|doc| self.unpacked(kind, doc))
    }

    /// The object as the API shows it, of a document that is known to be there.
    pub(crate) fn shown(&self, kind: Kind, id: &str) -> Value {
        self.view(kind, id).unwrap_or_default()
    }

    /// A document of this transaction as the API shows it.
    pub(crate) fn render(&self, kind: Kind, doc: &Doc) -> Value {
        self.filled_in(kind, doc.clone())
    }

    /// As [`Tx::render`], of a document that isn't needed any more: one that was packed was read for this alone, and isn't
    /// copied.
    pub(crate) fn unpacked(&self, kind: Kind, doc: Arc<Doc>) -> Value {
        self.filled_in(kind, Arc::unwrap_or_clone(doc))
    }

    fn filled_in(&self, kind: Kind, doc: Doc) -> Value {
        if doc.is_deleted() {
            return doc.object;
        }
        let Doc { mut object, hidden, .. } = doc;
        match kind {
            Kind::Subscription => {
                let items = self.items(&hidden);
                let (plan, quantity) = match &items[..] {
                    [only] => (only["plan"].clone(), only["quantity"].clone()),
                    _ => (Value::Null, Value::Null),
                };
                object["plan"] = plan;
                object["quantity"] = quantity;
                let id = object["id"].as_str().unwrap_or_default();
                let mut list = json!({
                    "object": "list", "data": null, "has_more": false, "total_count": items.len(),
                    "url": format!("/v1/subscription_items?subscription={id}"),
                });
                list["data"] = Value::Array(items);
                object["items"] = list;
            }
            Kind::SubscriptionItem => {
                let price =
                    object["price"].as_str().map(|id| self.shown(Kind::Price, id)).unwrap_or_default();
                if Price(&price).is_metered() {
                    object.as_object_mut().map(|item| item.remove("quantity"));
                }
                object["plan"] = plan(&price);
                object["price"] = price;
            }
            Kind::PromotionCode => {
                object["active"] =
                    json!(object["active"] == true && self.coupon_is_valid(&object["promotion"]["coupon"]));
            }
            Kind::Customer => {
                if let Some(discount) = object["discount"].as_str() {
                    object["discount"] = self.shown(Kind::Discount, discount);
                }
            }
            Kind::Invoice => {
                let lines = object["lines"]["data"].as_array_mut();
                if let Some(lines) = lines.filter(|lines| lines.len() > INLINE_LINES) {
                    lines.truncate(INLINE_LINES);
                    object["lines"]["has_more"] = json!(true);
                }
            }
            Kind::Coupon => object["valid"] = json!(self.coupon_is_valid(&object["id"])),
            Kind::Event => {
                let id = object["id"].as_str().unwrap_or_default();
                let pending = self.deliveries_to(id, &hidden).filter(|doc| doc.is_pending()).count();
                object["pending_webhooks"] = json!(pending);
            }
            _ => {}
        }
        object
    }

    /// Whether a coupon can be redeemed (any more).
    pub(crate) fn coupon_is_valid(&self, id: &Value) -> bool {
        let Some(doc) = id.as_str().and_then(|id| self.get(Kind::Coupon, id)) else { return false };
        let redeemed = doc.object["times_redeemed"].as_i64().unwrap_or_default();
        !doc.is_deleted()
            && doc.object["max_redemptions"].as_i64().is_none_or(|most| redeemed < most)
            && doc.object["redeem_by"].as_i64().is_none_or(|by| self.now() <= by)
    }

    /// The items of a subscription as the API shows them, in their order.
    pub(crate) fn items_of(&self, subscription: &Doc) -> Vec<Value> {
        self.items(&subscription.hidden)
    }

    fn items(&self, hidden: &Value) -> Vec<Value> {
        let ids = hidden["items"].as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.filter_map(|id| self.view(Kind::SubscriptionItem, id)).collect()
    }
}

/// A recurring price in its older shape, which is shown beside it.
pub(crate) fn plan(price: &Value) -> Value {
    let recurring = &price["recurring"];
    json!({
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": false,
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": null,
        "transform_usage": null,
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    })
}
