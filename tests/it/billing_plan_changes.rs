//! Changing the plan: when it takes effect, and what is refused.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_life::USAGE;
use crate::billing_stage::{Stage, Trouble, at, updated};
use crate::support::app::{Answer, Person, eventually};
use crate::support::databases::each_database;

pub const START: &str = "2026-04-01T00:00:00Z";

/// A group on Basic at $30 a month since the first of April, of which a third is left, and the plans it can change to.
pub struct Scene<'a> {
    stage: &'a Stage,
    pub admin: Person<'a>,
    pub stripe_id: String,
    pub basic: Value,
    pub pro: Value,
    small: Value,
}

impl<'a> Scene<'a> {
    pub async fn set(stage: &'a Stage) -> Self {
        let basic = plan(stage, "Basic", "30.00", "month", 100_000).await;
        let pro = plan(stage, "Pro", "90.00", "month", 500_000).await;
        let small = plan(stage, "Small", "9.00", "month", 10_000).await;
        let (admin, stripe_id) = stage.subscribed(&basic).await;
        let admin = admin.by_key().await;
        stage.clock.advance(Duration::days(20));
        Self { stage, admin, stripe_id, basic, pro, small }
    }

    pub async fn change(&self, body: Value) -> Answer {
        let id = self.admin.subscription().await["id"].as_str().expect("an id").to_owned();
        self.admin.post(&format!("/api/subscriptions/subscriptions/{id}/change_plan/"), body).await
    }

    pub async fn to(&self, plan: &Value) -> Answer {
        self.change(json!({"plan_id": plan["id"]})).await
    }

    async fn pay_with(&self, card: &str) {
        let found = self.stage.stripe(Method::GET, &format!("/subscriptions/{}", self.stripe_id), &[]).await;
        let customer = found["customer"].as_str().expect("a customer");
        let path = format!("/payment_methods/{card}/attach");
        let card = self.stage.stripe(Method::POST, &path, &[("customer", customer)]).await;
        let form = [("default_payment_method", card["id"].as_str().expect("an id"))];
        self.stage.stripe(Method::POST, &format!("/subscriptions/{}", self.stripe_id), &form).await;
    }

    /// What Stripe has charged the group, in cents.
    pub async fn charged(&self) -> i64 {
        let path = format!("/invoices?limit=100&subscription={}", self.stripe_id);
        let invoices = self.stage.stripe(Method::GET, &path, &[]).await;
        let paid = invoices["data"].as_array().expect("a list").iter();
        paid.filter_map(|invoice| invoice["amount_paid"].as_i64()).sum()
    }

    async fn turn_the_month(&self, event: &str) {
        let end = at(self.admin.subscription().await["current_period_end"].as_str().expect("a time"));
        self.stage.clock.advance(end - self.stage.clock.now() + Duration::hours(2));
        self.stage.catch_up().await;
        assert_eq!(self.stage.app.deliver_event(&updated(event, &self.stripe_id)).await, 200);
        eventually("the new period", || async {
            let now = at(self.admin.subscription().await["current_period_end"].as_str().expect("a time"));
            (now > end).then_some(())
        })
        .await;
    }

    pub async fn limit(&self) -> Value {
        self.admin.get(USAGE).await.body["llm"]["limit"].clone()
    }
}

pub async fn plan(stage: &Stage, name: &str, price: &str, interval: &str, llm: i64) -> Value {
    let body = json!({
        "name": name, "price": price, "currency": "usd", "interval": interval,
        "llm_tokens_limit": llm, "voice_tokens_limit": 1_000, "max_users": null,
    });
    let answer = stage.app.superadmin().await.post("/api/subscriptions/plans/", body).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body
}

#[tokio::test]
async fn an_upgrade_that_the_bank_asks_about_takes_effect_once_it_is_approved_and_not_before() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        scene.pay_with("pm_card_authenticationRequired").await;
        let changed = scene.to(&scene.pro).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let secret = changed.body["client_secret"].as_str().expect("something to confirm");
        assert_eq!(changed.body["intent"], "payment");
        assert_eq!(
            (changed.body["subscription"]["plan"]["name"].as_str(), scene.limit().await),
            (Some("Basic"), json!(100_000))
        );

        // Asked again, it is the same payment.
        assert_eq!(scene.to(&scene.pro).await.body["client_secret"], secret);
        stage.authenticate(secret.split("_secret_").next().expect("an id")).await;
        assert_eq!(stage.app.deliver_event(&updated("evt_paid", &scene.stripe_id)).await, 200);
        eventually("the new limit", || async { (scene.limit().await == 500_000).then_some(()) }).await;
        assert_eq!(scene.charged().await, 5000);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_card_that_is_declined_changes_nothing_and_another_one_may_be_tried() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        scene.pay_with("pm_card_chargeCustomerFail").await;
        let refused = scene.to(&scene.pro).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (402, &json!("card_declined")),
            "{}",
            refused.body
        );
        let now = stage
            .stripe(Method::GET, &format!("/subscriptions/{}?expand[]=latest_invoice", scene.stripe_id), &[])
            .await;
        assert_eq!(
            (&now["pending_update"], &now["latest_invoice"]["status"]),
            (&json!(null), &json!("void"))
        );
        assert_eq!((&now["status"], scene.limit().await), (&json!("active"), json!(100_000)));

        scene.pay_with("pm_card_visa").await;
        assert_eq!(scene.to(&scene.pro).await.status, 200);
        assert_eq!((scene.limit().await, scene.charged().await), (json!(500_000), 5000));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_downgrade_begins_with_the_next_period_and_can_be_taken_back_until_then() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        let told = scene.change(json!({"plan_id": scene.small["id"], "preview": true})).await.body;
        assert_eq!(
            (&told["amount_due"], &told["effective"], &told["lines"]),
            (&json!("0.00"), &json!("period_end"), &json!([]))
        );
        assert_eq!(
            (&told["effective_at"], &told["next_amount"]),
            (&json!("2026-05-01T00:00:00Z"), &json!("9.00"))
        );

        for _ in ["once", "again"] {
            let changed = scene.to(&scene.small).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
            let now = &changed.body["subscription"];
            assert_eq!((&now["plan"]["name"], &now["next_plan"]["name"]), (&json!("Basic"), &json!("Small")));
        }
        // Another cheaper one instead of it.
        let tiny = plan(&stage, "Tiny", "5.00", "month", 5_000).await;
        let changed = scene.to(&tiny).await;
        assert_eq!(
            (changed.status, &changed.body["subscription"]["next_plan"]["name"]),
            (200, &json!("Tiny"))
        );
        assert_eq!((scene.limit().await, scene.charged().await), (json!(100_000), 3000));

        // Back to what the group has.
        let kept = scene.to(&scene.basic).await;
        assert_eq!((kept.status, &kept.body["subscription"]["next_plan"]), (200, &json!(null)));
        scene.turn_the_month("evt_1").await;
        assert_eq!((scene.limit().await, scene.charged().await), (json!(100_000), 6000));

        scene.to(&scene.small).await;
        scene.turn_the_month("evt_2").await;
        let now = scene.admin.subscription().await;
        assert_eq!((&now["plan"]["name"], &now["next_plan"]), (&json!("Small"), &json!(null)));
        assert_eq!((scene.limit().await, scene.charged().await), (json!(10_000), 6900));

        // What it came by doesn't keep it from being ended.
        let id = now["id"].as_str().expect("an id");
        let path = format!("/api/subscriptions/subscriptions/{id}/cancel/");
        let ending = scene.admin.post(&path, json!({})).await;
        assert_eq!(
            (ending.status, &ending.body["cancel_at_period_end"]),
            (200, &json!(true)),
            "{}",
            ending.body
        );
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_to_begin_gives_way_to_an_upgrade_and_to_an_end() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        scene.to(&scene.small).await;
        let upgraded = scene.to(&scene.pro).await;
        assert_eq!(upgraded.status, 200, "{}", upgraded.body);
        assert_eq!(upgraded.body["subscription"]["next_plan"], json!(null));
        assert_eq!(scene.limit().await, 500_000);

        scene.to(&scene.small).await;
        let id = scene.admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/subscriptions/subscriptions/{id}");
        let ending = scene.admin.post(&format!("{path}/cancel/"), json!({})).await;
        assert_eq!(ending.status, 200, "{}", ending.body);
        assert_eq!(
            (&ending.body["cancel_at_period_end"], &ending.body["next_plan"]),
            (&json!(true), &json!(null))
        );
        let refused = scene.to(&scene.basic).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("conflict")));
        assert_eq!(scene.admin.post(&format!("{path}/resume/"), Value::Null).await.status, 200);
        assert_eq!(scene.to(&scene.basic).await.status, 200);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_charges_nobody_twice() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        let path = format!("/v1/subscriptions/{}", scene.stripe_id);
        stage.when(Method::POST, &path, Trouble::DisconnectAfter);
        let changed = scene.to(&scene.pro).await;
        assert_eq!((changed.status, scene.limit().await), (200, json!(500_000)), "{}", changed.body);
        stage.heal();
        assert_eq!(scene.to(&scene.pro).await.status, 200);
        assert_eq!(scene.charged().await, 5000);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_made_at_stripe_has_the_same_end() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        let path = format!("/subscriptions/{}", scene.stripe_id);
        let item = stage.stripe(Method::GET, &path, &[]).await["items"]["data"][0]["id"].clone();
        let form = [
            ("items[0][id]", item.as_str().expect("an id")),
            ("items[0][price]", scene.pro["stripe_price_id"].as_str().expect("a price")),
            ("proration_behavior", "always_invoice"),
        ];
        stage.stripe(Method::POST, &path, &form).await;
        assert_eq!(stage.app.deliver_event(&updated("evt_1", &scene.stripe_id)).await, 200);
        eventually("the new limit", || async { (scene.limit().await == 500_000).then_some(()) }).await;
        assert_eq!(scene.admin.subscription().await["plan"]["name"], "Pro");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_changed_to_is_refused_by_name() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        let superadmin = stage.app.superadmin().await;
        let tight = stage.app.plan("Tight", "99.00", Some(1)).await;
        stage.app.member(&stage.app.admin().await).await;
        let euro = json!({"name": "Euro", "price": "99.00", "currency": "eur", "interval": "month",
            "llm_tokens_limit": null, "voice_tokens_limit": null, "max_users": null});
        let euro = superadmin.post("/api/subscriptions/plans/", euro).await.body;
        let gone = json!({"plan_id": "01970f3e-7c1a-7000-8000-000000000001"});
        let early = json!({"plan_id": scene.pro["id"], "proration_date": "2026-04-20T22:59:59Z"});
        let late = json!({"plan_id": scene.pro["id"], "proration_date": "2026-04-21T00:02:00Z"});
        for (body, status, code, field) in [
            (gone, 404, "not_found", None),
            (json!({"plan_id": euro["id"]}), 422, "invalid", Some("plan_id")),
            (early, 422, "invalid", Some("proration_date")),
            (late, 422, "invalid", Some("proration_date")),
        ] {
            let refused = scene.change(body).await;
            assert_eq!(
                (refused.status, refused.body["code"].as_str()),
                (status, Some(code)),
                "{}",
                refused.body
            );
            assert_eq!(refused.body["errors"][0]["field"].as_str(), field);
        }
        stage.app.member(&scene.admin).await;
        let refused = scene.to(&tight).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("too_many_members")));

        scene.pay_with("pm_card_chargeCustomerFail").await;
        scene.turn_the_month("evt_1").await;
        assert_eq!(scene.admin.subscription().await["status"], "past_due");
        let refused = scene.to(&scene.pro).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("conflict")));
        assert_eq!(scene.limit().await, 100_000);
        stage.stop().await;
    })
    .await;
}
