//! What isn't paid after the last retry, and a trial that pauses: lived through at Stripe, and what the group sees of it.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_life::has_access;
use crate::billing_stage::{Stage, at};
use crate::support::app::{Answer, Person};
use crate::support::databases::each_database;

const INVOICES: &str = "/api/subscriptions/invoices/";
const BEGIN: &str = "2026-03-11T12:00:00Z";
/// When the first renewal is attempted.
const FAILED: &str = "2026-04-11T13:00:00Z";
/// After the last retry.
const GIVEN_UP: &str = "2026-04-26T14:00:00Z";

/// A group whose renewals fail, at a Stripe where this becomes of them after the last retry.
struct Debtor<'a> {
    stage: &'a Stage,
    admin: Person<'a>,
    /// At Stripe.
    id: String,
}

impl<'a> Debtor<'a> {
    async fn new(stage: &'a Stage, after_last_retry: &str) -> Self {
        stage.choose_after_last_retry(after_last_retry).await;
        let plan = stage.plan_of(json!({})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        stage.change_card(&id, "pm_card_chargeCustomerFail").await;
        Self { stage, admin, id }
    }

    /// Has time go on, and what Stripe has to tell arrive. Gives the subscription as the group sees it.
    async fn go_on_to(&self, time: DateTime<Utc>) -> Value {
        self.stage.advance_to(time).await;
        self.stage.deliver(&self.admin, &self.id).await;
        self.admin.subscription().await
    }

    async fn pay_by(&self, card: &str) -> Answer {
        let id = self.admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/subscriptions/subscriptions/{id}/payment_method/");
        self.admin.post(&path, json!({"payment_method": card})).await
    }

    /// The statuses of its invoices at Stripe, the first first.
    async fn invoices(&self) -> Vec<String> {
        let path = format!("/invoices?limit=100&subscription={}", self.id);
        let found = self.stage.stripe(Method::GET, &path, &[]).await;
        let invoices = found["data"].as_array().expect("a list").iter().rev();
        invoices.map(|invoice| invoice["status"].as_str().expect("a status").to_owned()).collect()
    }
}

#[tokio::test]
async fn an_unpaid_subscription_has_no_access_until_a_card_pays_its_latest_invoice() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(BEGIN)).await;
        let debtor = Debtor::new(&stage, "mark_unpaid").await;
        let late = debtor.go_on_to(at(FAILED) + Duration::hours(1)).await;
        assert_eq!((&late["status"], &late["access"]), (&json!("past_due"), &json!(true)));
        let unpaid = debtor.go_on_to(at(GIVEN_UP)).await;
        assert_eq!(
            (&unpaid["status"], &unpaid["access"], &unpaid["access_until"]),
            (&json!("unpaid"), &json!(false), &Value::Null)
        );
        assert!(!has_access(&debtor.admin).await);

        // It renews, and nothing is charged.
        let unpaid = debtor.go_on_to(at("2026-05-12T12:00:00Z")).await;
        assert_eq!(
            (&unpaid["status"], &unpaid["current_period_start"]),
            (&json!("unpaid"), &json!("2026-05-11T12:00:00Z"))
        );
        assert!(!has_access(&debtor.admin).await);
        assert_eq!(debtor.invoices().await, ["paid", "open", "draft"]);

        let declined = debtor.pay_by("pm_card_chargeCustomerFail").await;
        assert_eq!((declined.status, &declined.body["code"]), (402, &json!("card_declined")));
        assert!(!has_access(&debtor.admin).await);
        let paid = debtor.pay_by("pm_card_visa").await;
        assert_eq!(
            (paid.status, &paid.body["subscription"]["status"], &paid.body["client_secret"]),
            (200, &json!("active"), &Value::Null),
            "{}",
            paid.body
        );
        assert!(has_access(&debtor.admin).await);
        assert_eq!(stage.charges(&debtor.id).await, [2_999, 2_999]);

        let renewed = debtor.go_on_to(at("2026-06-11T14:00:00Z")).await;
        assert_eq!((&renewed["status"], &renewed["access"]), (&json!("active"), &json!(true)));
        assert_eq!(debtor.invoices().await, ["paid", "open", "paid", "paid"]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invoice_that_stripe_gave_up_gives_no_access_is_shown_as_that_and_can_still_be_paid() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(BEGIN)).await;
        let debtor = Debtor::new(&stage, "mark_unpaid").await;
        stage.advance_to(at(GIVEN_UP)).await;
        let found = stage.at_stripe(&debtor.id).await;
        let given_up = found["latest_invoice"].as_str().expect("an invoice");
        let path = format!("/invoices/{given_up}/mark_uncollectible");
        stage.stripe(Method::POST, &path, &[]).await;
        stage.deliver(&debtor.admin, &debtor.id).await;
        let seen = debtor.admin.subscription().await;
        assert_eq!((&seen["status"], &seen["access"]), (&json!("unpaid"), &json!(false)));
        assert!(!has_access(&debtor.admin).await);

        let newest = async || debtor.admin.get(INVOICES).await.body["results"][0].clone();
        let shown = newest().await;
        assert_eq!(
            (&shown["id"], &shown["status"], &shown["amount_due"], &shown["amount_paid"]),
            (&json!(given_up), &json!("uncollectible"), &json!("29.99"), &json!("0.00"))
        );
        let page = debtor.admin.request(Method::GET, "/billing").header("accept", "text/html");
        let html = page.send().await.expect("an answer").text().await.expect("a page");
        for shown in ["Uncollectible", "of $29.99 isn't paid", "Try the card again"] {
            assert!(html.contains(shown), "{shown}: {html}");
        }

        let paid = debtor.pay_by("pm_card_visa").await;
        assert_eq!(
            (paid.status, &paid.body["subscription"]["status"], &newest().await["status"]),
            (200, &json!("active"), &json!("paid")),
            "{}",
            paid.body
        );
        assert!(has_access(&debtor.admin).await);
        assert_eq!(stage.charges(&debtor.id).await, [2_999, 2_999]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_that_stays_past_due_has_no_second_days_of_grace() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(BEGIN)).await;
        let debtor = Debtor::new(&stage, "leave_past_due").await;
        let late = debtor.go_on_to(at(FAILED) + Duration::hours(1)).await;
        let until = late["access_until"].clone();
        for day in [GIVEN_UP, "2026-05-12T12:00:00Z", "2026-05-26T14:00:00Z"] {
            let late = debtor.go_on_to(at(day)).await;
            assert_eq!(
                (&late["status"], &late["access"], &late["access_until"]),
                (&json!("past_due"), &json!(false), &until),
                "{day}"
            );
            assert!(!has_access(&debtor.admin).await, "{day}");
        }
        assert_eq!(debtor.invoices().await, ["paid", "open", "open"]);
        let paid = debtor.pay_by("pm_card_visa").await;
        assert_eq!((paid.status, &paid.body["subscription"]["status"]), (200, &json!("active")));
        assert!(has_access(&debtor.admin).await);
        assert_eq!(stage.charges(&debtor.id).await, [2_999, 2_999]);
        stage.stop().await;
    })
    .await;
}

/// A trial that has paused at its end, since no card was given.
async fn paused(stage: &Stage) -> Debtor<'_> {
    let (admin, id) = stage.begin_trial_that_pauses().await;
    let debtor = Debtor { stage, admin, id };
    let paused = debtor.go_on_to(at("2026-03-26T12:00:00Z")).await;
    assert_eq!((&paused["status"], &paused["access"]), (&json!("paused"), &json!(false)));
    debtor
}

#[tokio::test]
async fn a_trial_that_paused_goes_on_with_a_card_and_is_counted_from_then() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(BEGIN)).await;
        let debtor = paused(&stage).await;
        assert!(!has_access(&debtor.admin).await);
        // Nothing happens to it by itself.
        let still = debtor.go_on_to(at("2026-04-20T12:00:00Z")).await;
        assert_eq!(still["status"], "paused");
        assert!(debtor.stage.charges(&debtor.id).await.is_empty());

        let declined = debtor.pay_by("pm_card_chargeCustomerFail").await;
        assert_eq!((declined.status, &declined.body["code"]), (402, &json!("card_declined")));
        assert_eq!(debtor.admin.subscription().await["status"], "paused");
        let paid = debtor.pay_by("pm_card_visa").await;
        let now = &paid.body["subscription"];
        assert_eq!(
            (paid.status, &now["status"], &now["current_period_start"], &now["current_period_end"]),
            (200, &json!("active"), &json!("2026-04-20T12:00:00Z"), &json!("2026-05-20T12:00:00Z")),
            "{}",
            paid.body
        );
        assert!(has_access(&debtor.admin).await);
        assert_eq!(stage.charges(&debtor.id).await, [2_999]);
        let periods: Vec<_> =
            stage.periods(&debtor.admin).await.iter().map(|period| (period.0, period.1)).collect();
        let expected = [
            (at(BEGIN), at("2026-03-25T12:00:00Z")),
            (at("2026-04-20T12:00:00Z"), at("2026-05-20T12:00:00Z")),
        ];
        assert_eq!(periods, expected, "while it was paused none began");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_that_paused_and_ended_before_it_was_heard_of_has_no_period_after_its_trial() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(BEGIN)).await;
        let (admin, id) = stage.begin_trial_that_pauses().await;
        stage.advance_to(at("2026-04-02T12:00:00Z")).await;
        assert_eq!(stage.at_stripe(&id).await["status"], "paused");
        stage.stripe(Method::DELETE, &format!("/subscriptions/{id}"), &[]).await;
        stage.deliver(&admin, &id).await;
        let periods: Vec<_> = stage.periods(&admin).await.iter().map(|period| (period.0, period.1)).collect();
        assert_eq!(periods, [(at(BEGIN), at("2026-03-25T12:00:00Z"))]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_paused_subscription_that_the_bank_asks_about_goes_on_once_that_is_approved() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(BEGIN)).await;
        let debtor = paused(&stage).await;
        let asked = debtor.pay_by("pm_card_authenticationRequired").await;
        assert_eq!(
            (asked.status, &asked.body["subscription"]["status"], &asked.body["intent"]),
            (200, &json!("paused"), &json!("payment")),
            "{}",
            asked.body
        );
        assert!(!has_access(&debtor.admin).await);
        let secret = asked.text("client_secret");
        stage.authenticate(secret.split("_secret_").next().expect("an id")).await;
        stage.deliver(&debtor.admin, &debtor.id).await;
        assert!(has_access(&debtor.admin).await);
        assert_eq!(stage.charges(&debtor.id).await, [2_999]);
        stage.stop().await;
    })
    .await;
}
