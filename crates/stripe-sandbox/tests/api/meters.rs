//! Metered prices: what is reported is counted, and charged at the end of its period.

use serde_json::{Value, json};

use super::on_a_clock::{DAY, HOUR, advance, at, clock_at, customer_on, invoices};
use super::support::{Sandbox, id};

const START: &str = "2026-01-01T00:00:00Z";
const EVENTS: &str = "/v1/billing/meter_events";

/// What makes a meter of tokens.
pub fn meter_of(formula: &str) -> [(&str, &str); 3] {
    [("display_name", "Tokens"), ("event_name", "tokens"), ("default_aggregation[formula]", formula)]
}

/// What makes a price of half a cent a month, by what a meter counts.
pub fn metered_price<'a>(product: &'a str, meter: &'a str) -> [(&'static str, &'a str); 6] {
    [
        ("product", product),
        ("currency", "usd"),
        ("unit_amount_decimal", "0.5"),
        ("recurring[interval]", "month"),
        ("recurring[usage_type]", "metered"),
        ("recurring[meter]", meter),
    ]
}

/// What reports a use to the meter.
pub fn use_of<'a>(customer: &'a str, value: &'a str) -> [(&'static str, &'a str); 3] {
    [("event_name", "tokens"), ("payload[stripe_customer_id]", customer), ("payload[value]", value)]
}

/// A customer of a metered price of half a cent, on a clock.
struct Scene {
    sandbox: Sandbox,
    clock: String,
    customer: String,
    meter: String,
    price: String,
}

impl Scene {
    async fn set(formula: &str) -> Self {
        let sandbox = Sandbox::start().await;
        let meter = id(&sandbox.post("/v1/billing/meters", &meter_of(formula)).await.ok());
        let product = id(&sandbox.post("/v1/products", &[("name", "Tokens")]).await.ok());
        let price = id(&sandbox.post("/v1/prices", &metered_price(&product, &meter)).await.ok());
        let clock = clock_at(&sandbox, START).await;
        let customer = customer_on(&sandbox, &clock, "pm_card_visa").await;
        Self { sandbox, clock, customer, meter, price }
    }

    async fn subscribe(&self, form: &[(&str, &str)]) -> Value {
        self.sandbox.subscribe(&self.customer, &self.price, form).await.ok()
    }

    /// Reports a use at a time.
    async fn report(&self, value: &str, time: &str) {
        let time = at(time).to_string();
        let form = [&use_of(&self.customer, value)[..], &[("timestamp", &*time)]].concat();
        self.sandbox.post(EVENTS, &form).await.ok();
    }

    async fn advance(&self, time: &str) {
        advance(&self.sandbox, &self.clock, at(time)).await;
    }

    /// What was used within these times.
    async fn used(&self, start: &str, end: &str) -> Value {
        let (start, end) = (at(start), at(end));
        let query = format!("customer={}&start_time={start}&end_time={end}", self.customer);
        let path = format!("/v1/billing/meters/{}/event_summaries?{query}", self.meter);
        self.sandbox.get(&path).await.ok()["data"][0]["aggregated_value"].clone()
    }
}

/// Quantity and amount of each line.
fn lines(invoice: &Value) -> Vec<(i64, i64)> {
    let lines = invoice["lines"]["data"].as_array().unwrap();
    lines.iter().map(|line| (line["quantity"].as_i64().unwrap(), line["amount"].as_i64().unwrap())).collect()
}

#[tokio::test]
async fn what_was_used_is_charged_when_its_period_is_over() {
    let scene = Scene::set("sum").await;
    let begun = scene.subscribe(&[]).await;
    let item = &begun["items"]["data"][0];
    assert_eq!((&begun["status"], item.get("quantity")), (&json!("active"), None));
    assert_eq!((&begun["latest_invoice"]["total"], lines(&begun["latest_invoice"])), (&json!(0), vec![]));

    scene.report("1200", "2026-01-01T00:00:00Z").await;
    scene.advance("2026-01-31T23:00:00Z").await;
    scene.report("801", "2026-01-31T22:59:59Z").await;
    let preview = [("subscription", &*id(&begun))];
    let preview = scene.sandbox.post("/v1/invoices/create_preview", &preview).await.ok();
    assert_eq!(lines(&preview), [(2001, 1001)], "rounded on the whole");
    scene.advance("2026-02-01T00:30:00Z").await;
    // Too late for January, though it was meant for it.
    scene.report("10", "2026-01-31T23:59:59Z").await;
    scene.report("100", "2026-02-01T00:00:00Z").await;
    scene.advance("2026-03-01T02:00:00Z").await;

    let all = invoices(&scene.sandbox, &begun).await;
    assert_eq!(all.iter().map(lines).collect::<Vec<_>>(), [vec![], vec![(2001, 1001)], vec![(100, 50)]]);
    assert!(all.iter().all(|invoice| invoice["status"] == "paid"), "{all:#?}");
    let period = &all[1]["lines"]["data"][0]["period"];
    assert_eq!((&period["start"], &period["end"]), (&json!(at(START)), &json!(at("2026-02-01T00:00:00Z"))));
}

#[tokio::test]
async fn a_meter_sums_counts_or_keeps_the_last() {
    for (formula, expected, before) in [("sum", 25, 18), ("count", 3, 2), ("last", 7, 20)] {
        let scene = Scene::set(formula).await;
        scene.advance("2026-01-10T00:00:00Z").await;
        scene.report("7", "2026-01-09T00:00:00Z").await;
        scene.report("20", "2026-01-08T00:00:00Z").await;
        scene.report("-2", "2026-01-07T00:00:00Z").await;
        assert_eq!(scene.used(START, "2026-02-01T00:00:00Z").await, expected, "{formula}");
        assert_eq!(scene.used("2026-01-09T00:01:00Z", "2026-02-01T00:00:00Z").await, 0, "{formula}");
        assert_eq!(
            scene.used(START, "2026-01-09T00:00:00Z").await,
            before,
            "{formula}: up to the end, without it"
        );
    }
}

#[tokio::test]
async fn more_taken_back_than_used_is_charged_as_nothing() {
    let scene = Scene::set("sum").await;
    let begun = scene.subscribe(&[]).await;
    scene.report("-50", START).await;
    scene.advance("2026-02-01T02:00:00Z").await;
    assert_eq!(lines(&invoices(&scene.sandbox, &begun).await[1]), [(0, 0)]);
}

#[tokio::test]
async fn an_identifier_is_one_event_s_for_a_day_which_can_be_taken_back_meanwhile() {
    let scene = Scene::set("sum").await;
    let form = [&use_of(&scene.customer, "5")[..], &[("identifier", "one")]].concat();
    let reported = scene.sandbox.post(EVENTS, &form).await.ok();
    assert_eq!((&reported["identifier"], &reported["timestamp"]), (&json!("one"), &json!(at(START))));
    let error = scene.sandbox.post(EVENTS, &form).await.error(400);
    assert_eq!(error["param"], "identifier");
    let cancel = [("event_name", "tokens"), ("type", "cancel"), ("cancel[identifier]", "one")];
    scene.sandbox.post("/v1/billing/meter_event_adjustments", &cancel).await.ok();
    assert_eq!(scene.used(START, "2026-02-01T00:00:00Z").await, 0);
    let error = scene.sandbox.post("/v1/billing/meter_event_adjustments", &cancel).await.error(400);
    assert_eq!(error["param"], "cancel[identifier]");

    scene.sandbox.post(EVENTS, &form).await.ok();
    scene.advance("2026-01-02T00:00:00Z").await;
    scene.sandbox.post(EVENTS, &form).await.ok();
    assert_eq!(scene.used(START, "2026-02-01T00:00:00Z").await, 10);
}

#[tokio::test]
async fn what_cant_be_counted_is_refused_by_name() {
    let scene = Scene::set("sum").await;
    let now = at(START);
    let (old, early) = ((now - 35 * DAY - 1).to_string(), (now + 301).to_string());
    let good = use_of(&scene.customer, "1");
    for (change, param) in [
        (("event_name", "other"), "event_name"),
        (("payload[stripe_customer_id]", "cus_nope"), "payload[stripe_customer_id]"),
        (("payload[value]", "1.5"), "payload[value]"),
        (("timestamp", &*old), "timestamp"),
        (("timestamp", &*early), "timestamp"),
    ] {
        let mut form: Vec<_> = good.iter().copied().filter(|(name, _)| *name != change.0).collect();
        form.push(change);
        let answer = scene.sandbox.post(EVENTS, &form).await;
        assert_eq!(answer.body["error"]["param"], param, "{change:?} {}", answer.body);
    }
    let meters = "/v1/billing/meters";
    assert_eq!(scene.sandbox.post(meters, &meter_of("sum")).await.error(400)["param"], "event_name");
    let path = format!("{meters}/{}", scene.meter);
    assert_eq!(scene.sandbox.post(&format!("{path}/deactivate"), &[]).await.ok()["status"], "inactive");
    assert_eq!(scene.sandbox.post(EVENTS, &good).await.error(400)["param"], "event_name");
    assert_eq!(scene.sandbox.post(&format!("{path}/deactivate"), &[]).await.error(400)["param"], "id");

    let query = format!("customer={}&start_time={now}&end_time={}", scene.customer, now + 61);
    let answer = scene.sandbox.get(&format!("{path}/event_summaries?{query}")).await;
    assert_eq!(answer.error(400)["param"], "end_time");
}

#[tokio::test]
async fn a_metered_price_names_its_meter_and_has_no_quantity() {
    let scene = Scene::set("sum").await;
    let product = id(&scene.sandbox.post("/v1/products", &[("name", "More")]).await.ok());
    let form =
        [("product", &*product), ("currency", "usd"), ("unit_amount", "1"), ("recurring[interval]", "month")];
    let with = |more: &[(&'static str, &'static str)]| [&form[..], more].concat();
    let bare = with(&[("recurring[usage_type]", "metered")]);
    assert_eq!(scene.sandbox.post("/v1/prices", &bare).await.error(400)["param"], "recurring[meter]");
    let none = with(&[("recurring[usage_type]", "metered"), ("recurring[meter]", "mtr_test_nope")]);
    assert_eq!(scene.sandbox.post("/v1/prices", &none).await.error(400)["param"], "recurring[meter]");
    let counted =
        [("customer", &*scene.customer), ("items[0][price]", &scene.price), ("items[0][quantity]", "2")];
    let error = scene.sandbox.post("/v1/subscriptions", &counted).await.error(400);
    assert_eq!(error["param"], "items[0][quantity]");
}

#[tokio::test]
async fn what_was_used_is_billed_at_an_end_that_bills_and_free_in_a_trial() {
    let scene = Scene::set("sum").await;
    let begun = scene.subscribe(&[("trial_period_days", "7")]).await;
    scene.report("1000", START).await;
    scene.advance("2026-01-08T02:00:00Z").await;
    let all = invoices(&scene.sandbox, &begun).await;
    assert_eq!(lines(&all[1]), [(1000, 0)], "used in the trial");
    scene.report("600", "2026-01-08T01:00:00Z").await;
    let path = format!("/v1/subscriptions/{}", id(&begun));
    let moved = [("billing_cycle_anchor", "now"), ("proration_behavior", "none")];
    assert_eq!(scene.sandbox.post(&path, &moved).await.error(400)["param"], "items");
    scene.sandbox.request("DELETE", &path).form(&[("invoice_now", "true")]).send().await.ok();
    scene.advance("2026-01-08T04:00:00Z").await;
    let all = invoices(&scene.sandbox, &begun).await;
    assert_eq!(lines(&all[2]), [(600, 300)]);
    let period = &all[2]["lines"]["data"][0]["period"];
    assert_eq!(period["end"], at("2026-01-08T00:00:00Z") + 2 * HOUR);
}
