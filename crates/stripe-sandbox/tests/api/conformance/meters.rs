//! A meter from its making on, with what is reported to it.

use super::Checked;
use crate::meters::{meter_of, metered_price, use_of};
use crate::support::id;

pub async fn meters(checked: &mut Checked) {
    let meters = "/v1/billing/meters";
    let meter = id(&checked.post(meters, &meter_of("sum")).await);
    let path = format!("{meters}/{meter}");
    checked.get(&path).await;
    checked.get(meters).await;
    checked.post(&path, &[("display_name", "LLM tokens")]).await;
    checked.post(&format!("{path}/deactivate"), &[]).await;
    checked.post(&format!("{path}/reactivate"), &[]).await;

    let product = id(&checked.post("/v1/products", &[("name", "Tokens")]).await);
    let price = id(&checked.post("/v1/prices", &metered_price(&product, &meter)).await);
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [("customer", &*customer), ("items[0][price]", &price)];
    checked.post("/v1/subscriptions", &form).await;

    let form = [&use_of(&customer, "1200")[..], &[("identifier", "request-1")]].concat();
    checked.post("/v1/billing/meter_events", &form).await;
    let now = checked.sandbox.clock.now().timestamp();
    let start = now - now % 86_400;
    let query = format!("customer={customer}&start_time={start}&end_time={}", start + 86_400);
    checked.get(&format!("{path}/event_summaries?{query}&value_grouping_window=hour")).await;
    let form = [("event_name", "tokens"), ("type", "cancel"), ("cancel[identifier]", "request-1")];
    checked.post("/v1/billing/meter_event_adjustments", &form).await;
}
