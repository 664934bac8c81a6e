//! Overage is charged once: on the renewal's invoice, or on one of its own where nothing is renewed.

use chrono::Duration;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_stage::{Late, Stage, Trouble, at, error, group};
use crate::overage::{agree, plan, spend};
use crate::support::app::{Person, eventually};
use crate::support::databases::each_database;

const START: &str = "2026-04-01T00:00:00Z";
const RENEWED: &str = "2026-05-01T00:10:00Z";

/// The lines that charge overage, of invoices of the customer that aren't void, with the invoice's reason and status:
/// description and amount.
async fn lines(stage: &Stage, subscription: &str) -> Vec<Value> {
    let customer = stage.at_stripe(subscription).await["customer"].as_str().expect("an id").to_owned();
    let invoices = stage.stripe(Method::GET, &format!("/invoices?limit=100&customer={customer}"), &[]).await;
    let mut found = Vec::new();
    for invoice in invoices["data"].as_array().expect("invoices").iter().rev() {
        for line in invoice["lines"]["data"].as_array().expect("lines") {
            if line["metadata"]["tollgate_overage_charge"].is_string() {
                found.push(json!({
                    "reason": invoice["billing_reason"], "status": invoice["status"], "amount": line["amount"],
                    "says": line["description"], "from": line["period"]["start"], "to": line["period"]["end"],
                }));
            }
        }
    }
    found
}

/// How many drafts the customer has.
async fn drafts(stage: &Stage, subscription: &str) -> usize {
    let customer = stage.at_stripe(subscription).await["customer"].as_str().expect("an id").to_owned();
    let path = format!("/invoices?status=draft&customer={customer}");
    let found = stage.stripe(Method::GET, &path, &[]).await;
    found["data"].as_array().expect("invoices").len()
}

/// What the ledger says is charged: the amounts, of all periods.
pub async fn charged(stage: &Stage, admin: &Person<'_>) -> Vec<i64> {
    let charges = stage.app.running.services.store.overage_charges(group(admin).await, 1_000).await;
    charges.expect("the charges").iter().rev().map(|charge| charge.amount_minor).collect()
}

async fn amounts(stage: &Stage, subscription: &str) -> Vec<i64> {
    lines(stage, subscription).await.iter().map(|line| line["amount"].as_i64().expect("an amount")).collect()
}

/// A group that agreed to overage, and what it is at Stripe.
async fn subscribed(stage: &Stage) -> (Person<'_>, String) {
    let (admin, id) = stage.subscribed(&plan(stage).await).await;
    let admin = admin.by_key().await;
    agree(&admin, "1.00").await;
    (admin, id)
}

async fn charge(stage: &Stage) {
    stage.app.running.services.billing.charge_overage(None).await.expect("the database answers");
}

#[tokio::test]
async fn each_resources_charge_is_a_line_of_the_renewals_invoice() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, id) = subscribed(&stage).await;
        spend(&admin, "llm", 12_345).await;
        spend(&admin, "voice", 1_001).await;
        stage.advance_to(at(RENEWED)).await;
        stage.deliver(&admin, &id).await;
        eventually("the lines", || async { (lines(&stage, &id).await.len() == 2).then_some(()) }).await;
        stage.advance(Duration::hours(2)).await;
        stage.deliver(&admin, &id).await;
        let found = lines(&stage, &id).await;
        let says = |index: usize| found[index]["says"].as_str().expect("a text");
        assert!(
            found.iter().all(|line| line["reason"] == "subscription_cycle" && line["status"] == "paid"),
            "{found:?}"
        );
        let mut seen = [says(0), says(1)];
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                "LLM tokens beyond the plan, 1 Apr 2026 to 1 May 2026: 12,345 used, 10,000 included, 3 × 1,000 for $0.02",
                "Voice tokens beyond the plan, 1 Apr 2026 to 1 May 2026: 1,001 used, 1,000 included, 1 × 100 for $0.05",
            ]
        );
        assert_eq!(found[0]["from"], at(START).timestamp());
        assert_eq!(stage.charges(&id).await, [2999, 2999 + 6 + 5]);
        assert_eq!(charged(&stage, &admin).await.iter().sum::<i64>(), 11);
        let sum = stage.app.running.services.billing.reconcile().await.expect("it compares");
        assert_eq!((sum.repaired, sum.failed), (0, 0));
        // The next period begins anew, and nothing more is charged for the last.
        stage.advance_to(at("2026-06-01T03:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(stage.charges(&id).await, [2999, 3010, 2999]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn where_nothing_is_renewed_it_goes_on_an_invoice_of_its_own() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, id) = subscribed(&stage).await;
        // As much as an invoice can be paid for.
        spend(&admin, "llm", 50_000).await;
        stage.cancel(&admin, false).await;
        stage.deliver(&admin, &id).await;
        eventually("the line", || async { (!lines(&stage, &id).await.is_empty()).then_some(()) }).await;
        charge(&stage).await;
        stage.advance(Duration::hours(2)).await;
        let found = lines(&stage, &id).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["reason"], &found[0]["status"]), (&json!("manual"), &json!("paid")));
        assert_eq!(found[0]["amount"], 80);
        assert_eq!(charged(&stage, &admin).await, [80]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_yearly_plans_month_goes_on_an_invoice_of_its_own_when_it_ends() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let yearly = json!({"interval": "year", "llm_tokens_limit": 10_000, "voice_tokens_limit": 1_000,
            "overage": crate::overage::prices()});
        let (admin, id) = stage.subscribed(&stage.plan_of(yearly).await).await;
        let admin = admin.by_key().await;
        agree(&admin, "2.00").await;
        spend(&admin, "voice", 2_000).await;
        stage.advance_to(at(RENEWED)).await;
        charge(&stage).await;
        stage.advance(Duration::hours(2)).await;
        let found = lines(&stage, &id).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["amount"], &found[0]["status"]), (&json!(50), &json!("paid")));
        assert_eq!(charged(&stage, &admin).await, [50]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_is_open_at_the_periods_end_is_waited_for() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, id) = subscribed(&stage).await;
        spend(&admin, "llm", 10_500).await;
        stage.advance_to(at("2026-04-30T23:58:00Z")).await;
        let body = json!({"usage_type": "llm", "tokens": 3_000, "expires_in": 900});
        let held = admin.post(crate::billing_life::HOLDS, body).await;
        assert_eq!(held.status, 201, "{}", held.body);
        stage.advance_to(at("2026-05-01T00:05:00Z")).await;
        stage.deliver(&admin, &id).await;
        charge(&stage).await;
        assert_eq!(charged(&stage, &admin).await, [0_i64; 0]);
        let settle = format!("{}{}/settle/", crate::billing_life::HOLDS, held.text("id"));
        assert_eq!(admin.post(&settle, json!({"tokens_used": 2_000})).await.status, 200);
        charge(&stage).await;
        assert_eq!(charged(&stage, &admin).await, [6], "2,500 tokens are three packages");
        assert_eq!(amounts(&stage, &id).await, [6]);
        // What is recorded later for the period isn't charged any more.
        let late = json!({"id": "late", "usage_type": "llm", "tokens_used": 5_000,
            "created_at": "2026-04-30T12:00:00Z"});
        assert_eq!(admin.post(crate::billing_life::EVENTS, late).await.status, 200);
        charge(&stage).await;
        assert_eq!(charged(&stage, &admin).await, [6]);
        let store = &stage.app.running.services.store;
        let periods =
            store.past_periods(group(&admin).await, stage.clock.now(), 1).await.expect("the periods");
        let counters = periods[0].counters;
        assert_eq!((counters.used.llm, counters.overage.tokens.llm), (17_500, 2_500));
        stage.stop().await;
    })
    .await;
}

/// Every call that puts a charge on an invoice, and those that find out what became of it.
const CALLS: [(Method, &str); 6] = [
    (Method::GET, "/v1/subscriptions/*"),
    (Method::GET, "/v1/invoices"),
    (Method::POST, "/v1/invoices"),
    (Method::POST, "/v1/invoiceitems"),
    (Method::GET, "/v1/invoiceitems"),
    (Method::POST, "/v1/invoices/*/finalize"),
];

#[tokio::test]
async fn whatever_call_fails_it_is_charged_once() {
    let troubles = [
        Trouble::Answer(500, error("api_error")),
        Trouble::Disconnect,
        Trouble::AnswerAfter(500, error("api_error")),
        Trouble::DisconnectAfter,
    ];
    // Most of the time is spent waiting before a call is made again.
    join_all(troubles.map(|trouble| each_database(move |url| charged_once_despite(trouble.clone(), url))))
        .await;
}

async fn charged_once_despite(trouble: Trouble, url: String) {
    let stage = Stage::start_at(&url, at(START)).await;
    for canceled in [false, true] {
        // What is only read is read the same way for both.
        for (method, call) in CALLS.iter().filter(|(method, _)| canceled || *method != Method::GET) {
            let what = format!("{method} {call}, canceled: {canceled}");
            let (admin, id) = subscribed(&stage).await;
            spend(&admin, "llm", 49_999).await;
            spend(&admin, "voice", 1_001).await;
            let hold = json!({"usage_type": "llm", "tokens": 1, "expires_in": 900});
            let held = admin.post(crate::billing_life::HOLDS, hold).await;
            stage.advance(Duration::minutes(10)).await;
            let path = format!("/subscriptions/{id}");
            if canceled {
                stage.stripe(Method::DELETE, &path, &[]).await;
            } else {
                stage.stripe(Method::POST, &path, &[("billing_cycle_anchor", "now")]).await;
            }
            stage.charge_in_trouble((&admin, &id), held.text("id"), (method, call), &trouble).await;
            for _ in 0..3 {
                stage.clock.advance(Duration::minutes(3));
                charge(&stage).await;
            }
            let mut found = amounts(&stage, &id).await;
            found.sort_unstable();
            assert_eq!(found, [5, 80], "{what}");
            assert_eq!(drafts(&stage, &id).await, 0, "{what}: nothing is left half done");
        }
    }
    stage.stop().await;
}

impl Stage {
    /// Delivers what Stripe has to tell of the period's end, and meets trouble with a call when the period is charged: a hold
    /// that is open keeps it from being charged before.
    async fn charge_in_trouble(
        &self,
        (admin, id): (&Person<'_>, &str),
        held: &str,
        (method, call): (&Method, &str),
        trouble: &Trouble,
    ) {
        self.deliver(admin, id).await;
        let found = self.at_stripe(id).await;
        let began = found["items"]["data"][0]["current_period_start"].as_i64().expect("a time");
        if found["status"] == "active" {
            eventually("the next period has begun", || async {
                let usage = admin.get(crate::billing_life::USAGE).await;
                (at(usage.text("period_start")).timestamp() == began).then_some(())
            })
            .await;
        }
        assert_eq!(charged(self, admin).await, [0_i64; 0]);
        self.when(method.clone(), call, trouble.clone());
        let settle = format!("{}{held}/settle/", crate::billing_life::HOLDS);
        assert_eq!(admin.post(&settle, json!({"tokens_used": 1})).await.status, 200);
        charge(self).await;
        assert_eq!(charged(self, admin).await.len(), 2);
        self.heal();
    }
}

#[tokio::test]
async fn a_line_that_stripe_makes_long_after_it_was_asked_to_is_on_the_invoice_once() {
    each_database(|url| async move {
        let stage = Stage::impatient(&url, at(START)).await;
        let (admin, id) = subscribed(&stage).await;
        spend(&admin, "llm", 12_345).await;
        stage.advance_to(at(RENEWED)).await;
        let late = Late::new();
        stage.when(Method::POST, "/v1/invoiceitems", Trouble::Late(late.clone()));
        for event in stage.events_of(&id).await {
            assert_eq!(stage.app.deliver_event(&event).await, 200);
        }
        eventually("the charge was tried", || async {
            charge(&stage).await;
            let store = &stage.app.running.services.store;
            let charges = store.overage_charges(group(&admin).await, 10).await.expect("the charges");
            charges.first().is_some_and(|charge| charge.attempts == 1).then_some(())
        })
        .await;
        eventually("Stripe wasn't waited for any more", || async { (late.held() == 3).then_some(()) }).await;
        stage.heal();
        stage.clock.advance(Duration::minutes(3));
        charge(&stage).await;
        late.arrive().await;
        assert_eq!(amounts(&stage, &id).await, [6]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn reconcile_puts_a_charge_back_that_is_gone_and_names_one_that_differs() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let billing = &stage.app.running.services.billing;
        let (admin, id) = subscribed(&stage).await;
        spend(&admin, "llm", 12_345).await;
        stage.advance_to(at(RENEWED)).await;
        stage.deliver(&admin, &id).await;
        eventually("the line", || async { (lines(&stage, &id).await.len() == 1).then_some(()) }).await;
        let item = async || {
            let items = stage.stripe(Method::GET, "/invoiceitems", &[]).await;
            items["data"][0]["id"].as_str().expect("an item").to_owned()
        };
        stage.stripe(Method::DELETE, &format!("/invoiceitems/{}", item().await), &[]).await;
        assert_eq!(amounts(&stage, &id).await, [0_i64; 0]);
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.repaired, sum.failed), (1, 0));
        assert_eq!(amounts(&stage, &id).await, [6]);
        // One that was put off its invoice would go on whichever comes next.
        let charge = stage.stripe(Method::GET, &format!("/invoiceitems/{}", item().await), &[]).await;
        let charge_id = charge["metadata"]["tollgate_overage_charge"].as_str().expect("a charge");
        stage.stripe(Method::DELETE, &format!("/invoiceitems/{}", item().await), &[]).await;
        let customer = charge["customer"].as_str().expect("an id");
        let form = [
            ("customer", customer),
            ("amount", "6"),
            ("currency", "usd"),
            ("metadata[tollgate_overage_charge]", charge_id),
        ];
        stage.stripe(Method::POST, "/invoiceitems", &form).await;
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.repaired, sum.failed), (1, 0));
        assert_eq!(amounts(&stage, &id).await, [6]);
        let pending = stage.stripe(Method::GET, "/invoiceitems?pending=true", &[]).await;
        assert_eq!(pending["data"], json!([]));
        stage.stripe(Method::POST, &format!("/invoiceitems/{}", item().await), &[("amount", "7")]).await;
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.repaired, sum.failed), (0, 1));

        // The SuperAdmin sees it until it is put right.
        let superadmin = stage.app.superadmin().await.by_key().await;
        let me = admin.get("/api/auth/me/").await;
        let page = superadmin.get("/outbox").await.body.to_string();
        for text in [
            "Overage that differs at Stripe",
            me.body["group"]["name"].as_str().expect("a name"),
            "Stripe's line is $0.07 where $0.06 is due.",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        stage.stripe(Method::POST, &format!("/invoiceitems/{}", item().await), &[("amount", "6")]).await;
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.repaired, sum.failed), (0, 0));
        let page = superadmin.get("/outbox").await;
        assert_eq!(page.status, 200);
        assert!(!page.body.to_string().contains("differs at Stripe"), "{}", page.body);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invoice_that_was_deleted_charges_nothing_twice() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, id) = subscribed(&stage).await;
        spend(&admin, "llm", 50_000).await;
        stage.when(Method::POST, "/v1/invoices/*/finalize", Trouble::Disconnect);
        stage.stripe(Method::DELETE, &format!("/subscriptions/{id}"), &[]).await;
        for event in stage.events_of(&id).await {
            assert_eq!(stage.app.deliver_event(&event).await, 200);
        }
        eventually("the line", || async { (lines(&stage, &id).await.len() == 1).then_some(()) }).await;
        let customer = stage.at_stripe(&id).await["customer"].as_str().expect("an id").to_owned();
        let drafts =
            stage.stripe(Method::GET, &format!("/invoices?status=draft&customer={customer}"), &[]).await;
        let draft = drafts["data"][0]["id"].as_str().expect("a draft").to_owned();
        stage.stripe(Method::DELETE, &format!("/invoices/{draft}"), &[]).await;
        stage.heal();
        stage.clock.advance(Duration::minutes(3));
        charge(&stage).await;
        stage.advance(Duration::hours(2)).await;
        let found = lines(&stage, &id).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["amount"], &found[0]["status"]), (&json!(80), &json!("paid")));
        let items =
            stage.stripe(Method::GET, &format!("/invoiceitems?customer={customer}&pending=true"), &[]).await;
        assert_eq!(items["data"], json!([]));
        stage.stop().await;
    })
    .await;
}
