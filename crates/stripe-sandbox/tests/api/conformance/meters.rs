//! A meter from its making on, with what is reported to it.

use super::Checked;
use crate::support::id;

pub async fn meters(checked: &mut Checked) {
    let meters = "/v1/billing/meters";
    let form =
        [("display_name", "Tokens"), ("event_name", "tokens"), ("default_aggregation[formula]", "sum")];
    let meter = id(&checked.post(meters, &form).await);
    let path = format!("{meters}/{meter}");
    checked.get(&path).await;
    checked.get(meters).await;
    checked.post(&path, &[("display_name", "LLM tokens")]).await;
    checked.post(&format!("{path}/deactivate"), &[]).await;
    checked.post(&format!("{path}/reactivate"), &[]).await;

    let product = id(&checked.post("/v1/products", &[("name", "Tokens")]).await);
    let form = [
        ("product", &*product),
        ("currency", "usd"),
        ("unit_amount_decimal", "0.5"),
        ("recurring[interval]", "month"),
        ("recurring[usage_type]", "metered"),
        ("recurring[meter]", &meter),
    ];
    let price = id(&checked.post("/v1/prices", &form).await);
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [("customer", &*customer), ("items[0][price]", &price)];
    checked.post("/v1/subscriptions", &form).await;

    let form = [
        ("event_name", "tokens"),
        ("identifier", "request-1"),
        ("payload[stripe_customer_id]", &customer),
        ("payload[value]", "1200"),
    ];
    checked.post("/v1/billing/meter_events", &form).await;
    let now = checked.sandbox.clock.now().timestamp();
    let start = now - now % 86_400;
    let query = format!("customer={customer}&start_time={start}&end_time={}", start + 86_400);
    checked.get(&format!("{path}/event_summaries?{query}&value_grouping_window=hour")).await;
    let form = [("event_name", "tokens"), ("type", "cancel"), ("cancel[identifier]", "request-1")];
    checked.post("/v1/billing/meter_event_adjustments", &form).await;
}
