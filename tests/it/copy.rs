//! Copying one database into another.

use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::{
    CreditNote, Currency, Invoice, InvoiceLine, InvoiceStatus, Money, Refund, SubscriptionId,
};
use tollgate::storage::{EndedPeriod, Fetched, ReservationRow, Store};
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
    let asked = app.anonymous().post("/api/auth/forgot/", json!({"email": "member@acme.test"})).await;
    assert_eq!(asked.status, 202);
    visit(&app, &admin).await;
    reserve(&app).await;
    charge_overage(&app, &admin).await;
    give_back(&app, &admin).await;
    crate::chat::begin(&admin, "A question").await;
    let key = key.auth;
    app.stop().await;
    key
}

/// Overage that was agreed to, spent and charged.
async fn charge_overage(app: &App, admin: &Person<'_>) {
    let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/subscriptions/subscriptions/{id}/overage/");
    assert_eq!(admin.put(&path, json!({"enabled": true, "cap": "50.00"})).await.status, 200);
    let beyond = json!({"id": "beyond", "usage_type": "llm", "tokens_used": 30_000});
    assert_eq!(admin.post(EVENTS, beyond).await.status, 200);
    let (store, now) = (&app.running.services.store, app.running.services.clock.now());
    let group_id = crate::billing_stage::group(admin).await;
    let (row, _) = store
        .allowance(group_id, admin.id.parse().expect("an id"), now)
        .await
        .expect("the database answers")
        .expect("an allowance");
    let period = EndedPeriod { group_id, summary_id: row.summary_id.expect("a period") };
    let mut tx = store.begin().await.expect("a transaction");
    tx.lock_group(group_id).await.expect("a lock");
    tx.close_overage(period, now).await.expect("the charges are written");
    tx.commit().await.expect("a commit");
}

/// A look at the admin's group.
async fn visit(app: &App, admin: &Person<'_>) {
    let (group, services) = (crate::billing_stage::group(admin).await, &app.running.services);
    let superadmin = services
        .accounts
        .log_in("superadmin@tollgate.test", "tollgate-demo", "test")
        .await
        .expect("a SuperAdmin");
    services.groups.enter(&superadmin, group, "Copied").await.expect("a visit");
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

/// An invoice with a line, a credit note and a refund.
async fn give_back(app: &App, admin: &Person<'_>) {
    let (group, store) = (crate::billing_stage::group(admin).await, &app.running.services.store);
    let (at, amount) = (app.running.services.clock.now(), Money::new(500, Currency::USD));
    let line = InvoiceLine {
        id: "il_1".into(),
        description: Some("Basic".into()),
        amount,
        quantity: Some(1),
        period_start: at,
        period_end: at,
        price: Some("price_1".into()),
        proration: false,
        metadata: [("a".to_owned(), "b".to_owned())].into(),
    };
    let credit_note = CreditNote {
        id: "cn_1".into(),
        number: "1-CN-01".into(),
        status: "issued".into(),
        amount,
        reason: None,
        pdf: None,
        created_at: at,
    };
    let refund = Refund {
        id: "re_1".into(),
        charge: Some("ch_1".into()),
        status: "succeeded".into(),
        amount,
        reason: None,
        created_at: at,
    };
    let invoice = Invoice {
        id: "in_copy".into(),
        number: Some("1".into()),
        status: InvoiceStatus::Paid,
        subtotal: amount,
        tax: Money::new(0, Currency::USD),
        total: amount,
        amount_paid: amount,
        amount_due: amount,
        credited: amount,
        billing_reason: Some("manual".into()),
        subscription: None,
        created_at: at,
        period_start: at,
        period_end: at,
        paid_at: Some(at),
        hosted_invoice_url: None,
        invoice_pdf: None,
        lines: vec![line],
        credit_notes: vec![credit_note],
        refunds: vec![refund],
    };
    let ticket = store.draw_group_sync_ticket(group).await.expect("a ticket");
    let mut tx = store.begin().await.expect("a transaction");
    tx.apply_invoice(group, ticket, &invoice, Fetched::Whole).await.expect("an invoice");
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
