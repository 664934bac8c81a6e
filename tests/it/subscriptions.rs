//! A subscription bought by card: paid, declined, challenged, refused, cancelled.

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::PUBLISHABLE_KEY;

use crate::support::app::{App, MY_SUBSCRIPTION, Person, eventually, unique};
use crate::support::databases::each_database;

const CREATE: &str = "/api/subscriptions/subscriptions/create_subscription/";

/// Confirms a payment at the sandbox the way Stripe.js does: with the publishable key and the client secret.
async fn confirm(app: &App, client_secret: &str, card: &str) -> (u16, serde_json::Value) {
    let intent = client_secret.split("_secret_").next().expect("an intent");
    let path = format!("/payment_intents/{intent}/confirm");
    let form =
        [("client_secret", client_secret), ("payment_method", card), ("return_url", "http://127.0.0.1/")];
    let answer = app.stripe(PUBLISHABLE_KEY, Method::POST, &path, &form).await;
    (answer.status, answer.body)
}

async fn becomes(person: &Person<'_>, status: &str) {
    eventually(&format!("the subscription becomes {status}"), || async {
        (person.subscription().await["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_bought_with_a_card_form_and_a_webhook_makes_it_active() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", Some(10)).await;
        let admin = app.admin().await;
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");

        let bought = admin.post(CREATE, json!({"plan_id": plan["id"]})).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        assert_eq!(bought.body["intent"], "payment");
        assert_eq!(bought.body["publishable_key"], stripe_sandbox::PUBLISHABLE_KEY);
        assert_eq!(bought.body["subscription"]["status"], "incomplete");
        assert_eq!(bought.body["subscription"]["user_id"], admin.id);
        let secret = bought.text("client_secret").to_owned();

        let (status, declined) = confirm(&app, &secret, "pm_card_visa_chargeDeclined").await;
        assert_eq!((status, &declined["error"]["code"]), (402, &json!("card_declined")));
        assert_eq!(admin.subscription().await["status"], "incomplete");

        let (status, paid) = confirm(&app, &secret, "pm_card_visa").await;
        assert_eq!((status, &paid["status"]), (200, &json!("succeeded")), "{paid}");
        becomes(&admin, "active").await;

        let subscription = admin.subscription().await;
        assert_eq!(subscription["plan"]["price"], "29.99");
        assert_eq!(subscription["cancel_at_period_end"], false);
        assert!(subscription["stripe_subscription_id"].as_str().is_some_and(|id| id.starts_with("sub_")));
        let member = app.member(&admin).await;
        assert_eq!(member.subscription().await["id"], subscription["id"], "the subscription is the group's");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_card_given_with_the_purchase_is_charged_at_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", None).await;
        let admin = app.admin().await;
        let bought =
            admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"})).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        assert_eq!(bought.body["subscription"]["status"], "active");
        assert!(bought.body["client_secret"].is_null() && bought.body["intent"].is_null());
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_declined_card_says_why_and_leaves_nothing_behind() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", None).await;
        let admin = app.admin().await;
        for (card, decline_code) in [
            ("pm_card_chargeDeclined", "generic_decline"),
            ("pm_card_chargeCustomerFail", "generic_decline"),
            ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ] {
            let refused = admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": card})).await;
            refused.is_problem(402, "card_declined");
            assert_eq!(refused.body["decline_code"], decline_code, "{card}");
            admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        }
        let another =
            admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"})).await;
        assert_eq!(another.body["subscription"]["status"], "active", "{}", another.body);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_card_that_asks_for_3d_secure_leaves_a_secret_to_confirm() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", None).await;
        let admin = app.admin().await;
        let card = "pm_card_threeDSecure2Required";
        let bought = admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": card})).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        assert_eq!(bought.body["subscription"]["status"], "incomplete");
        assert!(bought.text("client_secret").starts_with("pi_"));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_purchases_at_the_same_instant_one_is_refused() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", None).await;
        for _ in 0..3 {
            let admin = app.admin().await;
            let body = json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"});
            let attempts = (0..6).map(|_| admin.post(CREATE, body.clone()));
            let answers = futures::future::join_all(attempts).await;
            let bought = answers.iter().filter(|answer| answer.status == 201).count();
            assert_eq!(bought, 1, "{answers:?}");
            for refused in answers.iter().filter(|answer| answer.status != 201) {
                refused.is_problem(409, "subscription_exists");
            }
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_needs_a_plan_that_is_sold_and_an_admin() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", None).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        member.post(CREATE, json!({"plan_id": plan["id"]})).await.is_problem(403, "forbidden");
        app.anonymous().post(CREATE, json!({"plan_id": plan["id"]})).await.is_problem(401, "not_signed_in");
        let unknown = admin.post(CREATE, json!({"plan_id": uuid::Uuid::now_v7()})).await;
        unknown.is_problem(404, "not_found");
        for id in ["pm_nope", "", "pm_card_visa/detach", "../customers", "pm card"] {
            let wrong = admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": id})).await;
            wrong.is_problem(422, "invalid");
            assert_eq!(wrong.fields(), ["payment_method"], "{id}");
        }
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_plan_with_fewer_seats_than_members_is_not_sold() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Solo", "9.99", Some(1)).await;
        let admin = app.admin().await;
        app.member(&admin).await;
        admin.post(CREATE, json!({"plan_id": plan["id"]})).await.is_problem(409, "too_many_members");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn cancelling_takes_effect_at_the_periods_end_or_at_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let id = admin.subscription().await["id"].as_str().unwrap().to_owned();
        let cancel = format!("/api/subscriptions/subscriptions/{id}/cancel/");

        let other = app.admin().await;
        other.post(&cancel, json!({"at_period_end": true})).await.is_problem(404, "not_found");
        let member = app.member(&admin).await;
        member.post(&cancel, json!({"at_period_end": true})).await.is_problem(403, "forbidden");

        let later = admin.post(&cancel, json!({"at_period_end": true})).await;
        assert_eq!((later.status, &later.body["status"]), (200, &json!("active")), "{}", later.body);
        assert_eq!(later.body["cancel_at_period_end"], true);

        let now = admin.post(&cancel, json!({"at_period_end": false})).await;
        assert_eq!((now.status, &now.body["status"]), (200, &json!("canceled")), "{}", now.body);
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");

        let plan = app.plan(&unique("Plan "), "9.99", None).await;
        let again =
            admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"})).await;
        assert_eq!(again.status, 201, "an ended subscription doesn't keep the next from being bought");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_unpaid_purchase_is_given_up_by_cancelling_it() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Basic Plan", "29.99", None).await;
        let admin = app.admin().await;
        let bought = admin.post(CREATE, json!({"plan_id": plan["id"]})).await;
        admin.post(CREATE, json!({"plan_id": plan["id"]})).await.is_problem(409, "subscription_exists");
        let id = bought.body["subscription"]["id"].as_str().unwrap();
        let gone = admin
            .post(&format!("/api/subscriptions/subscriptions/{id}/cancel/"), json!({"at_period_end": true}))
            .await;
        assert_eq!(gone.status, 200, "{}", gone.body);
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_webhook_with_a_wrong_signature_is_refused() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let path = "/api/subscriptions/webhook/stripe/";
        let anonymous = app.anonymous();
        anonymous.post(path, json!({"id": "evt_1"})).await.is_problem(400, "malformed");
        let signed = anonymous
            .request(Method::POST, path)
            .header("stripe-signature", "t=1,v1=00")
            .json(&json!({"id": "evt_1"}));
        anonymous.send(signed).await.is_problem(400, "malformed");
        app.stop().await;
    })
    .await;
}
