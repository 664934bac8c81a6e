//! Subscription schedules that begin with a customer, now or later, and how they end.

use serde_json::{Value, json};

use super::on_a_clock::{DAY, HOUR, advance, at, clock_at, customer_on, period};
use super::support::{Sandbox, id};

const START: &str = "2030-01-01T00:00:00Z";
const PATH: &str = "/v1/subscription_schedules";

struct Planned {
    sandbox: Sandbox,
    clock: String,
    schedule: Value,
}

/// A customer on a clock with a schedule that the form describes, of prices of $10 and then of $4 a month.
async fn planned(form: &[(&str, &str)], phases: usize) -> Planned {
    let sandbox = Sandbox::start().await;
    let clock = clock_at(&sandbox, START).await;
    let customer = customer_on(&sandbox, &clock, "pm_card_visa").await;
    let (first, second) = (sandbox.price(1000).await, sandbox.price(400).await);
    let items = [("phases[0][items][0][price]", &*first), ("phases[1][items][0][price]", &*second)];
    let form = [&[("customer", &*customer)], &items[..phases], form].concat();
    let schedule = sandbox.post(PATH, &form).await.ok();
    Planned { sandbox, clock, schedule }
}

impl Planned {
    async fn seen(&self) -> Value {
        let path = format!("{PATH}/{}?expand[]=subscription.latest_invoice", id(&self.schedule));
        self.sandbox.get(&path).await.ok()
    }

    async fn at(&self, time: i64) -> Value {
        advance(&self.sandbox, &self.clock, time).await;
        self.seen().await
    }

    async fn told(&self) -> Vec<String> {
        let types = self.sandbox.event_types().await;
        types
            .iter()
            .filter_map(|kind| kind.strip_prefix("subscription_schedule.").map(str::to_owned))
            .collect()
    }
}

#[tokio::test]
async fn it_begins_at_once_and_its_subscription_is_charged_an_hour_later() {
    let form =
        [("start_date", "now"), ("phases[0][iterations]", "2"), ("phases[1][duration][interval]", "month")];
    let planned = planned(&form, 2).await;
    let schedule = planned.seen().await;
    let subscription = &schedule["subscription"];
    assert_eq!((&schedule["status"], &subscription["status"]), (&json!("active"), &json!("active")));
    assert_eq!(subscription["schedule"], schedule["id"]);
    assert_eq!(schedule["current_phase"]["end_date"], at("2030-03-01T00:00:00Z"));
    assert_eq!(schedule["phases"][1]["end_date"], at("2030-04-01T00:00:00Z"));
    assert_eq!(subscription["latest_invoice"]["status"], "draft");
    let charged = planned.at(at(START) + 2 * HOUR).await;
    assert_eq!(charged["subscription"]["latest_invoice"]["amount_paid"], 1000);
    let second = planned.at(at("2030-02-01T02:00:00Z")).await;
    assert_eq!(second["subscription"]["latest_invoice"]["amount_paid"], 1000);
    let cheaper = planned.at(at("2030-03-01T02:00:00Z")).await;
    assert_eq!(cheaper["subscription"]["latest_invoice"]["amount_paid"], 400);
    let over = planned.at(at("2030-04-01T02:00:00Z")).await;
    assert_eq!((&over["status"], &over["subscription"]), (&json!("released"), &json!(null)));
    assert_eq!(over["completed_at"], at("2030-04-01T00:00:00Z"));
    let told = planned.told().await;
    assert_eq!(told[0], "created");
    assert_eq!(told[told.len() - 3..], ["expiring", "completed", "released"]);
    let path = format!("/v1/subscriptions/{}", over["released_subscription"].as_str().unwrap());
    assert_eq!(planned.sandbox.get(&path).await.ok()["status"], "active");
}

#[tokio::test]
async fn it_begins_later_and_ends_its_subscription_with_the_last_phase() {
    let start = at("2030-01-10T00:00:00Z");
    let end = start + 19 * DAY;
    let (start_date, end_date) = (start.to_string(), end.to_string());
    let form = [("start_date", &*start_date), ("phases[0][end_date]", &end_date), ("end_behavior", "cancel")];
    let planned = planned(&form, 1).await;
    assert_eq!(
        (&planned.schedule["status"], &planned.schedule["subscription"]),
        (&json!("not_started"), &json!(null))
    );
    let scheduled = planned.sandbox.get(&format!("{PATH}?scheduled=true")).await.ok();
    assert_eq!(scheduled["data"].as_array().unwrap().len(), 1);
    let begun = planned.at(start + 2 * HOUR).await;
    let subscription = &begun["subscription"];
    assert_eq!((&begun["status"], period(subscription).0), (&json!("active"), start));
    assert_eq!((&subscription["cancel_at"], &subscription["start_date"]), (&json!(end), &json!(start)));
    planned.at(end - 7 * DAY - HOUR).await;
    assert!(!planned.told().await.contains(&"expiring".to_owned()));
    planned.at(end - 7 * DAY).await;
    assert_eq!(planned.told().await.last().unwrap(), "expiring");
    let over = planned.at(end).await;
    assert_eq!((&over["status"], &over["completed_at"]), (&json!("completed"), &json!(end)));
    assert_eq!(over["subscription"]["status"], "canceled");
    assert_eq!(planned.told().await.last().unwrap(), "completed");
}

#[tokio::test]
async fn one_that_has_not_begun_can_be_changed_released_and_canceled() {
    for end in ["cancel", "release"] {
        let planned = planned(&[("start_date", &at("2030-06-01T00:00:00Z").to_string())], 1).await;
        let path = format!("{PATH}/{}", id(&planned.schedule));
        let price = planned.sandbox.price(700).await;
        let form = [("phases[0][items][0][price]", &*price), ("phases[0][iterations]", "3")];
        let changed = planned.sandbox.post(&path, &form).await.ok();
        assert_eq!(changed["phases"][0]["end_date"], at("2030-09-01T00:00:00Z"));
        let over = planned.sandbox.post(&format!("{path}/{end}"), &[]).await.ok();
        let word = if end == "cancel" { "canceled" } else { "released" };
        assert_eq!((&over["status"], planned.told().await.last().unwrap().as_str()), (&json!(word), word));
        planned.at(at("2030-06-02T00:00:00Z")).await;
        assert!(planned.sandbox.running.sandbox().list("subscriptions").is_empty(), "it never began");
        planned.sandbox.post(&path, &[("metadata[a]", "b")]).await.error(400);
    }
}

#[tokio::test]
async fn canceling_credits_what_is_not_used_unless_told_otherwise() {
    let third = at("2030-01-21T00:00:00Z") + 8 * HOUR;
    for (form, credited) in [(&[][..], true), (&[("prorate", "false"), ("invoice_now", "false")], false)] {
        let planned = planned(&[("start_date", "now")], 1).await;
        planned.at(third).await;
        let path = format!("{PATH}/{}/cancel", id(&planned.schedule));
        planned.sandbox.post(&path, form).await.ok();
        let totals: Vec<Value> = planned
            .sandbox
            .running
            .sandbox()
            .list("invoices")
            .iter()
            .map(|one| one["total"].clone())
            .collect();
        let expected = if credited { vec![json!(-345), json!(1000)] } else { vec![json!(1000)] };
        assert_eq!(totals, expected);
    }
}

#[tokio::test]
async fn what_ends_for_want_of_payment_is_aborted() {
    let planned = planned(&[("start_date", "now"), ("phases[0][iterations]", "6")], 1).await;
    let customer = planned.schedule["customer"].as_str().unwrap();
    super::on_a_clock::fail_from_now_on(&planned.sandbox, customer).await;
    let over = planned.at(at(START) + 20 * DAY).await;
    assert_eq!(over["status"], "canceled");
    assert_eq!(planned.told().await.last().unwrap(), "aborted");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(1000).await);
    let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
    let now = sandbox.clock.now().timestamp();
    let (past, odd) = ((now - 1).to_string(), (now + DAY).to_string());
    let own = [("customer", &*customer), ("phases[0][items][0][price]", &price)];
    let from = [("from_subscription", &*id(&begun))];
    for (form, param) in [
        (vec![], "customer"),
        (vec![own[0]], "phases"),
        (own.to_vec(), "start_date"),
        ([&own[..], &[("start_date", &past)]].concat(), "start_date"),
        (
            [&own[..], &[("start_date", "now"), ("phases[0][iterations]", "0")]].concat(),
            "phases[0][iterations]",
        ),
        (
            [
                &own[..],
                &[("start_date", "now"), ("phases[0][iterations]", "1"), ("phases[0][end_date]", &odd)],
            ]
            .concat(),
            "phases[0][end_date]",
        ),
        (
            [
                &own[..],
                &[
                    ("start_date", "now"),
                    ("phases[0][end_date]", &odd),
                    ("phases[1][items][0][price]", &price),
                ],
            ]
            .concat(),
            "phases[0][end_date]",
        ),
        ([&from[..], &own[..1]].concat(), "customer"),
    ] {
        assert_eq!(sandbox.post(PATH, &form).await.error(400)["param"], param, "{form:?}");
    }
}
