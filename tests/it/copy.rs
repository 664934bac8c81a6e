//! Copying one database into another.

use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::SubscriptionId;
use tollgate::storage::{ReservationRow, Store};
use uuid::Uuid;

use crate::support::app::{App, Auth, PASSWORD, Person};
use crate::support::databases::Database;

const EVENTS: &str = "/api/subscriptions/usage/events/";

fn event() -> Value {
    json!({"id": "one", "usage_type": "llm", "tokens_used": 1, "metadata": {"a": [1, null]}, "details": {"output": 1}})
}

/// Puts rows into every table, by use. Gives a key of the demo's admin.
async fn fill(database: &Database) -> Auth {
    let app = App::start_demo(&database.url).await;
    let admin = app.log_in("admin@acme.test", "tollgate-demo").await;
    let key = admin.by_key().await;
    assert_eq!(key.post(EVENTS, event()).await.status, 200);
    let hold = json!({"id": "one", "usage_type": "llm", "tokens": 5});
    assert_eq!(key.post("/api/subscriptions/usage/holds/", hold).await.status, 201);
    let member = admin.get("/api/team/members/").await.body["results"][0]["id"].clone();
    let caps = format!("/api/team/members/{}/caps/", member.as_str().expect("an id"));
    assert_eq!(admin.put(&caps, json!({"llm": 90_000, "voice": null})).await.status, 200);
    let invite = admin.request(Method::POST, "/api/team/invitations/").header("idempotency-key", "one");
    let body = json!({"email": "new@acme.test", "role": "member"});
    assert_eq!(admin.send(invite.json(&body)).await.status, 201);
    let choice = json!({"usage_80": true, "usage_90": false, "usage_100": true, "billing": false});
    assert_eq!(admin.put("/api/auth/notifications/", choice).await.status, 200);
    let wrong = json!({"email": "admin@acme.test", "password": PASSWORD});
    assert_eq!(app.anonymous().post("/api/auth/login/", wrong).await.status, 401);
    let event = json!({"id": "evt_1", "object": "event", "type": "product.updated", "data": {"object": {}}});
    assert_eq!(app.deliver_event(&event).await, 200);
    reserve(&app).await;
    crate::chat::begin(&admin, "A question").await;
    let key = key.auth;
    app.stop().await;
    key
}

/// A purchase that was cut off on its way to Stripe.
async fn reserve(app: &App) {
    let services = &app.running.services;
    let admin =
        services.accounts.log_in("admin@newco.test", "tollgate-demo", "test").await.expect("Newco's admin");
    let plan = services.billing.plans(false).await.expect("the plans").remove(0);
    let now = services.clock.now();
    let reservation = ReservationRow {
        group_id: admin.must_be_admin().expect("an admin"),
        id: SubscriptionId(Uuid::now_v7()),
        user_id: admin.id,
        plan_id: plan.id,
        stripe_price_id: plan.stripe_price_id.expect("a price"),
        price_minor: plan.price.minor,
        currency: plan.price.currency,
        billing_interval: plan.interval,
        trial_days: plan.trial_days,
        stripe_customer_id: Some("cus_1".into()),
        payment_method: Some("pm_1".into()),
        created_at: now,
        recoverable_at: now,
    };
    let mut tx = services.store.begin().await.expect("a transaction");
    tx.add_reservation(&reservation).await.expect("a reservation");
    tx.commit().await.expect("a commit");
}

#[tokio::test]
async fn a_copy_has_every_row_of_every_table() {
    for source in Database::each().await {
        let key = fill(&source).await;
        let before = source.dump().await;
        let empty: Vec<_> =
            before.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
        assert_eq!(empty, [""; 0], "these tables have nothing to compare");
        let store = Store::open(&source.url).await.expect("the source opens");
        for target in Database::each().await {
            println!("from {} to {}", source.url, target.url);
            let copy = target.store().await;
            let copied = store.copy_into(&copy).await.expect("a copy");
            assert!(store.copy_into(&copy).await.is_err(), "only an empty database is copied into");
            copy.close().await;
            let after = target.dump().await;
            assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
            for (table, rows) in &before {
                assert_eq!(rows, &after[table], "{table}");
                let said = copied.iter().find(|(name, _)| name == table).map(|(_, count)| *count);
                assert_eq!(said, Some(rows.len() as u64), "{table}");
            }
            // It is a database to go on with, too: it knows the key and the event.
            let moved = App::start(&target.url).await;
            let person = Person { app: &moved, auth: key.clone(), id: String::new() };
            let again = person.post(EVENTS, event()).await;
            assert_eq!(again.body["duplicates"], 1, "{}", again.body);
            moved.stop().await;
            target.drop().await;
        }
        store.close().await;
        source.drop().await;
    }
}
