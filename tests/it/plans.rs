//! Plans: made, changed, archived by the SuperAdmin; seen by everyone.

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::SECRET_KEY;

use crate::support::app::App;
use crate::support::databases::each_database;

const PLANS: &str = "/api/subscriptions/plans/";

#[tokio::test]
async fn the_superadmin_makes_a_plan_with_a_price_at_stripe() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        let body = json!({
            "name": "Basic Plan", "description": "To start with", "price": "29.99", "currency": "usd",
            "interval": "month", "llm_tokens_limit": 100_000, "voice_tokens_limit": 50_000, "max_users": 10,
            "features": ["Shared allowance"],
        });
        let made = superadmin.post(PLANS, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(
            (made.text("price"), made.text("currency"), made.text("interval")),
            ("29.99", "usd", "month")
        );
        assert_eq!(made.body["llm_tokens_limit"], 100_000);
        assert!(made.text("stripe_price_id").starts_with("price_"));
        assert_eq!(made.body["archived"], false);
        assert!(made.text("created_at").ends_with('Z'), "{}", made.text("created_at"));
        let path = format!("{PLANS}{}/", made.text("id"));
        assert_eq!(superadmin.get(&path).await.body, made.body);

        let price = made.text("stripe_price_id");
        assert_eq!(superadmin.delete(&path).await.status, 204);
        let product = json!({"name": "Same", "price": "29.99", "stripe_price_id": price});
        let inactive = superadmin.post(PLANS, product.clone()).await;
        assert_eq!(inactive.fields(), ["stripe_price_id"], "the price of a removed plan is off sale");
        app.stripe(SECRET_KEY, Method::POST, &format!("/prices/{price}"), &[("active", "true")]).await;
        let same = superadmin.post(PLANS, product).await;
        assert_eq!((same.status, same.text("stripe_price_id")), (201, price));
        for (field, value) in [("price", "30.00"), ("currency", "eur"), ("interval", "year")] {
            let mut other = json!({"name": "Other", "price": "29.99", "stripe_price_id": price});
            other[field] = json!(value);
            let refused = superadmin.post(PLANS, other).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.fields(), ["stripe_price_id"], "{field}");
        }
        let unknown = superadmin
            .post(PLANS, json!({"name": "X", "price": "1.00", "stripe_price_id": "price_no"}))
            .await;
        assert_eq!(unknown.fields(), ["stripe_price_id"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        let wrong = json!({"name": "", "price": "29.999", "interval": "week", "max_users": 0, "llm_tokens_limit": -1});
        let refused = superadmin.post(PLANS, wrong).await;
        refused.is_problem(422, "invalid");
        assert_eq!(refused.fields(), ["name", "price", "interval", "llm_tokens_limit", "max_users"]);
        for (body, field) in [
            (json!({"name": "X", "price": "1.00", "colour": "red"}), "colour"),
            (json!({"name": "X", "price": 1.0}), "price"),
            (json!({"price": "1.00"}), "name"),
            (json!({"name": "X", "price": "1.00", "max_users": "ten"}), "max_users"),
            (json!({"name": "X", "price": "1.00", "llm_tokens_limit": 9_007_199_254_740_992_i64}), "llm_tokens_limit"),
        ] {
            let refused = superadmin.post(PLANS, body.clone()).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.fields(), [field], "{body}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn currencies_keep_their_own_decimals() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        for (price, currency, shown) in
            [("1200", "jpy", "1200"), ("4.5", "kwd", "4.500"), ("10", "eur", "10.00")]
        {
            let made =
                superadmin.post(PLANS, json!({"name": currency, "price": price, "currency": currency})).await;
            assert_eq!((made.status, made.text("price")), (201, shown), "{}", made.body);
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_price_leaves_subscribers_their_old_one() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let plan = admin.subscription().await["plan"].clone();
        let superadmin = app.superadmin().await;
        let path = format!("{PLANS}{}/", plan["id"].as_str().unwrap());
        let body =
            json!({"name": plan["name"], "price": "39.99", "llm_tokens_limit": 1, "voice_tokens_limit": 1});
        let changed = superadmin.put(&path, body).await;
        assert_eq!((changed.status, changed.text("price")), (200, "39.99"), "{}", changed.body);
        assert_ne!(changed.body["stripe_price_id"], plan["stripe_price_id"]);
        let after = admin.subscription().await;
        assert_eq!(
            (&after["plan"]["price"], &after["plan"]["stripe_price_id"]),
            (&json!("29.99"), &plan["stripe_price_id"])
        );
        let usage = admin.get("/api/subscriptions/subscriptions/usage/").await;
        assert_eq!(usage.body["llm"]["limit"], 100_000, "the period keeps the limits it began with");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_removed_while_it_is_unused_and_archived_afterwards() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let superadmin = app.superadmin().await;
        let unused = app.plan("Unused", "5.00", None).await;
        let path = format!("{PLANS}{}/", unused["id"].as_str().unwrap());
        assert_eq!(superadmin.delete(&path).await.status, 204);
        superadmin.get(&path).await.is_problem(404, "not_found");

        let admin = app.subscribed().await;
        let used = admin.subscription().await["plan"]["id"].as_str().unwrap().to_owned();
        let path = format!("{PLANS}{used}/");
        assert_eq!(superadmin.delete(&path).await.status, 204);
        assert_eq!(app.anonymous().get(&path).await.body["archived"], true);
        assert_eq!(admin.subscription().await["status"], "active", "it keeps working for those who have it");
        let ids = |body: &serde_json::Value| {
            body["results"].as_array().unwrap().iter().map(|plan| plan["id"].clone()).collect::<Vec<_>>()
        };
        assert!(!ids(&app.anonymous().get(PLANS).await.body).contains(&json!(used)));
        let all = superadmin.get(&format!("{PLANS}?include_archived=true")).await;
        assert!(ids(&all.body).contains(&json!(used)));
        let other = app.admin().await;
        let refused = other
            .post("/api/subscriptions/subscriptions/create_subscription/", json!({"plan_id": used}))
            .await;
        refused.is_problem(409, "plan_archived");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn plans_are_listed_cheapest_first_and_in_pages() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        for price in ["20.00", "5.00", "10.00"] {
            app.plan(&format!("At {price}"), price, None).await;
        }
        let anonymous = app.anonymous();
        let first = anonymous.get(&format!("{PLANS}?limit=2")).await;
        let prices = |body: &serde_json::Value| {
            body["results"].as_array().unwrap().iter().map(|plan| plan["price"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(prices(&first.body), [json!("5.00"), json!("10.00")]);
        let cursor = first.text("next_cursor");
        let second = anonymous.get(&format!("{PLANS}?limit=2&cursor={cursor}")).await;
        assert_eq!(prices(&second.body), [json!("20.00")]);
        assert!(second.body["next_cursor"].is_null());
        for query in ["limit=0", "limit=201", "limit=x", "cursor=!!"] {
            assert_eq!(anonymous.get(&format!("{PLANS}?{query}")).await.status, 422, "{query}");
        }
        app.stop().await;
    })
    .await;
}
