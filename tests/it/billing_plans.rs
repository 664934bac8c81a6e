//! What the catalogue keeps apart, and what subscribers keep of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_stage::Stage;
use crate::support::app::{Answer, App, Person};
use crate::support::databases::each_database;

const PLANS: &str = "/api/subscriptions/plans/";

fn path(plan: &Value) -> String {
    format!("{PLANS}{}/", plan["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn two_plans_on_sale_never_share_a_name_or_a_stripe_price() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        let basic = app.plan("Basic", "29.99", None).await;
        let same_price =
            json!({"name": "Other", "price": "29.99", "stripe_price_id": basic["stripe_price_id"]});
        let same_name = json!({"name": " Basic ", "price": "5.00"});
        let refused = |answer: &Answer, field: &str| {
            answer.is_problem(422, "invalid");
            assert_eq!(answer.fields(), [field]);
        };
        refused(&superadmin.post(PLANS, same_price.clone()).await, "stripe_price_id");
        refused(&superadmin.post(PLANS, same_name.clone()).await, "name");
        let other = app.plan("Another", "29.99", None).await;
        refused(&superadmin.put(&path(&other), same_price.clone()).await, "stripe_price_id");
        refused(&superadmin.put(&path(&other), same_name.clone()).await, "name");
        // At the same instant, too.
        let new = json!({"name": "New", "price": "7.00"});
        let answers = futures::future::join_all((0..4).map(|_| superadmin.post(PLANS, new.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            refused(answer, "name");
        }
        let itself = json!({"name": "Basic", "price": "29.99", "stripe_price_id": basic["stripe_price_id"]});
        assert_eq!(superadmin.put(&path(&basic), itself).await.status, 200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_archived_plan_is_restored_unless_another_took_its_place() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        let admin = app.subscribed().await;
        let plan = admin.subscription().await["plan"].clone();
        assert_eq!(superadmin.delete(&path(&plan)).await.status, 204);
        let again = app.plan(plan["name"].as_str().expect("a name"), "1.00", None).await;
        let restore = format!("{}restore/", path(&plan));
        let refused = superadmin.post(&restore, json!({})).await;
        refused.is_problem(422, "invalid");
        assert_eq!(refused.fields(), ["name"]);

        assert_eq!(superadmin.delete(&path(&again)).await.status, 204);
        for _ in 0..2 {
            let restored = superadmin.post(&restore, json!({})).await;
            assert_eq!(
                (restored.status, &restored.body["archived"]),
                (200, &json!(false)),
                "{}",
                restored.body
            );
        }
        let buyer = app.admin().await;
        let body = json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"});
        let bought = buyer.post("/api/subscriptions/subscriptions/create_subscription/", body).await;
        assert_eq!(bought.status, 201, "its price is sold again at Stripe: {}", bought.body);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn plans_are_in_order_of_currency_and_then_of_what_a_month_costs() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        for (name, price, currency, interval) in [
            ("Yearly", "120.00", "usd", "year"),
            ("Monthly", "11.00", "usd", "month"),
            ("Cheap", "9.00", "usd", "month"),
            ("Euro", "99.00", "eur", "month"),
        ] {
            let body = json!({"name": name, "price": price, "currency": currency, "interval": interval});
            assert_eq!(superadmin.post(PLANS, body).await.status, 201);
        }
        let list = app.anonymous().get(PLANS).await;
        let names: Vec<&Value> =
            list.body["results"].as_array().expect("plans").iter().map(|p| &p["name"]).collect();
        assert_eq!(names, ["Euro", "Cheap", "Yearly", "Monthly"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_the_superadmin_reads_how_many_subscribers_a_plan_has() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        let admin = app.subscribed().await;
        let plan = admin.subscription().await["plan"].clone();
        let unused = app.plan("Unused", "5.00", None).await;
        let listed = async |person: &Person<'_>, plan: &Value| {
            let list = person.get(PLANS).await.body["results"].as_array().expect("plans").clone();
            let listed = list.into_iter().find(|listed| listed["id"] == plan["id"]).expect("the plan");
            assert_eq!(person.get(&path(plan)).await.body.get("subscribers"), listed.get("subscribers"));
            listed.get("subscribers").cloned()
        };
        assert_eq!(listed(&superadmin, &plan).await, Some(json!(1)));
        assert_eq!(listed(&superadmin, &unused).await, Some(json!(0)));
        assert_eq!(listed(&admin, &plan).await, None);
        assert_eq!(listed(&app.anonymous(), &plan).await, None);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn subscribers_see_what_they_pay_whatever_becomes_of_the_plan() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let (superadmin, admin) = (app.superadmin().await, app.subscribed().await);
        let bought = admin.subscription().await;
        let body = json!({"name": "Changed", "price": "2999", "currency": "jpy", "interval": "year",
            "llm_tokens_limit": 1, "voice_tokens_limit": 1});
        assert_eq!(superadmin.put(&path(&bought["plan"]), body).await.status, 200);
        let sees = async || {
            let plan = admin.subscription().await["plan"].clone();
            ["price", "currency", "interval", "stripe_price_id"].map(|field| plan[field].clone())
        };
        let as_bought =
            ["price", "currency", "interval", "stripe_price_id"].map(|field| bought["plan"][field].clone());
        assert_eq!(sees().await, as_bought);
        app.running.services.billing.reconcile().await.expect("it compares");
        assert_eq!(sees().await, as_bought);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_subscription_keeps_its_plan_until_its_price_is_changed_at_stripe() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let (app, superadmin) = (&stage.app, stage.app.superadmin().await);
        let (first, pro) = (app.plan("First", "29.99", None).await, app.plan("Pro", "79.99", None).await);
        let admin = app.admin().await;
        assert_eq!(stage.buy(&admin, &first).await.status, 201);
        // Another plan comes to be sold at the price that was bought.
        assert_eq!(superadmin.delete(&path(&first)).await.status, 204);
        let price = first["stripe_price_id"].as_str().expect("a price");
        stage.stripe(Method::POST, &format!("/prices/{price}"), &[("active", "true")]).await;
        let heir = json!({"name": "Heir", "price": "29.99", "stripe_price_id": price, "llm_tokens_limit": 1});
        assert_eq!(superadmin.post(PLANS, heir).await.status, 201);
        let billing = &app.running.services.billing;
        billing.reconcile().await.expect("it compares");
        assert_eq!(admin.subscription().await["plan"]["id"], first["id"]);

        let subscription = admin.subscription().await;
        let id = subscription["stripe_subscription_id"].as_str().expect("an id");
        let store = &app.running.services.store;
        let group = crate::billing_stage::group(&admin).await;
        let row = store.live_subscription(group).await.expect("a row").expect("a subscription");
        let ticket = store.draw_sync_ticket(row.subscription_id).await.expect("a ticket");
        let state = tollgate::storage::StripeState {
            stripe_subscription_id: id.into(),
            status: row.status,
            stripe_price_id: pro["stripe_price_id"].as_str().expect("a price").into(),
            price: Some(tollgate::domain::Money::new(7_999, tollgate::domain::Currency::USD)),
            interval: None,
            period: tollgate::domain::Period { start: row.current_period_start, end: row.current_period_end },
            anchor: row.billing_anchor,
            cancel_at_period_end: false,
            next_price_id: None,
            trial_end: None,
            ended_at: None,
        };
        let mut tx = store.begin().await.expect("a transaction");
        tx.lock_group(group).await.expect("a lock");
        assert!(
            tx.apply_stripe_state(group, row.subscription_id, ticket, &state, stage.clock.now())
                .await
                .expect("written")
                .is_some()
        );
        tx.commit().await.expect("a commit");
        let now = admin.subscription().await;
        assert_eq!((&now["plan"]["id"], &now["plan"]["price"]), (&pro["id"], &json!("79.99")));
        stage.stop().await;
    })
    .await;
}
