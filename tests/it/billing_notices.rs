//! What a group is told of its subscription: each turn once, however often Stripe's events come and in which order.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_plan_changes::Scene;
use crate::billing_stage::{Stage, at};
use crate::emails::subjects_to;
use crate::support::app::Person;
use crate::support::databases::each_database;

/// A group's admin, and what its mailbox has.
struct Mailbox<'a> {
    stage: &'a Stage,
    admin: &'a Person<'a>,
    address: String,
    superadmin: Person<'a>,
    subscription: String,
    group: String,
    /// Of the deliveries so far.
    round: u32,
    seen: usize,
}

impl<'a> Mailbox<'a> {
    async fn of(stage: &'a Stage, admin: &'a Person<'a>, subscription: &str) -> Self {
        let me = admin.get("/api/auth/me/").await;
        Self {
            stage,
            admin,
            address: me.text("email").to_owned(),
            superadmin: stage.app.superadmin().await.by_key().await,
            subscription: subscription.to_owned(),
            group: me.body["group"]["name"].as_str().expect("a name").to_owned(),
            round: 0,
            seen: 0,
        }
    }

    /// Delivers all that Stripe ever said of the subscription, then again as other events in the opposite order, and gives
    /// the subjects that are new, the first first, without the group's name.
    async fn news(&mut self) -> Vec<String> {
        self.stage.deliver(self.admin, &self.subscription).await;
        self.round += 1;
        let mut again = self.stage.events_of(&self.subscription).await;
        again.reverse();
        for event in &mut again {
            event["id"] = format!("{}_{}", event["id"].as_str().expect("an id"), self.round).into();
            assert_eq!(self.stage.app.deliver_event(event).await, 200);
        }
        // Those that took longer than an answer to a webhook may.
        self.stage.app.running.services.billing.drain_inbox().await.expect("the inbox");
        self.stage.deliver(self.admin, &self.subscription).await;
        self.stage.app.running.services.outbox.expand_notices().await.expect("is expanded");
        let mut all = subjects_to(&self.superadmin, &self.address).await;
        all.reverse();
        let new = all.split_off(self.seen);
        self.seen += new.len();
        new.into_iter().map(|subject| subject.replace(&self.group, "We")).collect()
    }
}

#[tokio::test]
async fn each_turn_of_a_subscription_is_told_once() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({"trial_days": 14})).await;
        let admin = stage.lasting_admin().await;
        let (begun, id) = stage.begin(&admin, &plan).await;
        stage.confirm(&begun, "pm_card_visa").await;
        let mut mailbox = Mailbox::of(&stage, &admin, &id).await;
        assert_eq!(mailbox.news().await, [""; 0], "a purchase is Stripe's to confirm");

        stage.advance_to(at("2026-03-23T12:00:00Z")).await;
        assert_eq!(mailbox.news().await, ["We's trial ends on 25 March 2026"]);
        stage.advance_to(at("2026-03-25T14:00:00Z")).await;
        assert_eq!(mailbox.news().await, [""; 0], "that it goes on was said");

        stage.change_card(&id, "pm_card_chargeCustomerFail").await;
        stage.advance_to(at("2026-04-25T14:00:00Z")).await;
        assert_eq!(mailbox.news().await, ["The payment for We failed"]);
        stage.advance(Duration::days(1)).await;
        assert_eq!(mailbox.news().await, [""; 0], "a retry that fails too is no news");

        stage.change_card(&id, "pm_card_visa").await;
        let invoice = stage.at_stripe(&id).await["latest_invoice"].as_str().expect("an invoice").to_owned();
        stage.try_stripe(Method::POST, &format!("/invoices/{invoice}/pay"), &[]).await;
        assert_eq!(mailbox.news().await, [""; 0], "Stripe sends the receipt");

        stage.cancel(&admin, true).await;
        assert_eq!(mailbox.news().await, ["We's subscription ends on 25 May 2026"]);
        stage.cancel(&admin, false).await;
        assert_eq!(mailbox.news().await, ["We's subscription has ended"]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_renewal_that_the_bank_asks_about_is_told_as_that_and_once() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({})).await;
        let admin = stage.lasting_admin().await;
        let bought = stage.buy(&admin, &plan).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        let id = bought.body["subscription"]["stripe_subscription_id"].as_str().expect("an id").to_owned();
        let mut mailbox = Mailbox::of(&stage, &admin, &id).await;
        assert_eq!(mailbox.news().await, [""; 0]);
        stage.change_card(&id, "pm_card_authenticationRequired").await;
        stage.advance_to(at("2026-04-11T14:00:00Z")).await;
        assert_eq!(mailbox.news().await, ["The bank wants a payment for We approved"]);
        let body = &stage.app.running.services.store.outbox(1).await.expect("the outbox")[0].body;
        assert!(body.contains("Due: $29.99") && body.contains("Access until: 18 April 2026"), "{body}");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_changed_plan_is_told_once() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(crate::billing_plan_changes::START)).await;
        let scene = Scene::set(&stage).await;
        let mut mailbox = Mailbox::of(&stage, &scene.admin, &scene.stripe_id).await;
        assert_eq!(mailbox.news().await, [""; 0]);
        let changed = scene.to(&scene.pro).await;
        assert_eq!((changed.status, &changed.body["client_secret"]), (200, &Value::Null), "{}", changed.body);
        let name = scene.pro["name"].as_str().expect("a name");
        assert_eq!(mailbox.news().await, [format!("We is on {name} now")]);
        stage.stop().await;
    })
    .await;
}
