//! What has no more use is deleted, and nothing before its time.

use chrono::Duration;
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::domain::Notice;
use tollgate::notify::{NewMessage, Outbox};

use crate::support::app::{App, eventually};
use crate::support::databases::Database;

/// Rows of the tables that are swept.
async fn counts(database: &Database) -> [i64; 7] {
    let mut counts = [0; 7];
    let queries = [
        "SELECT COUNT(*) FROM sessions",
        "SELECT COUNT(*) FROM invitations",
        "SELECT COUNT(*) FROM idempotency_keys",
        "SELECT COUNT(*) FROM outbox",
        "SELECT COUNT(*) FROM webhook_events WHERE processed_at IS NOT NULL",
        "SELECT COUNT(*) FROM password_resets",
        "SELECT COUNT(*) FROM notices",
    ];
    for (count, query) in counts.iter_mut().zip(queries) {
        *count = database.rows::<(i64,)>(query).await[0].0;
    }
    counts
}

#[tokio::test]
async fn what_has_no_more_use_goes_and_the_rest_stays() {
    for database in Database::each().await {
        // Sessions expire by the wall clock.
        let clock = Clock::manual(Clock::system().now());
        let app = App::start_at(&database.url, &[], &clock).await;
        let admin = app.admin().await;
        let invite = admin.request(reqwest::Method::POST, "/api/team/invitations/");
        let body = json!({"email": "max@example.com", "role": "member"});
        let invited = admin.send(invite.header("idempotency-key", "one").json(&body)).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        let event =
            json!({"id": "evt_1", "object": "event", "type": "product.updated", "data": {"object": {}}});
        assert_eq!(app.deliver_event(&event).await, 200);
        let asked = app.anonymous().post("/api/auth/forgot/", json!({"email": "nobody@example.com"})).await;
        assert_eq!(asked.status, 202);
        let group = admin.get("/api/auth/me/").await.body["group"]["id"].as_str().expect("an id").parse();
        let group = group.expect("an id");
        let store = &app.running.services.store;
        let mut tx = store.begin().await.expect("a transaction");
        let waiting = NewMessage {
            recipient: "max@example.com".into(),
            subject: "Waiting".into(),
            body: "There is no mail server to send it.".into(),
            html: "<p>There is no mail server to send it.</p>".into(),
            ..NewMessage::default()
        };
        Outbox::new(store.clone(), clock.clone(), &app.running.services.config.public_url, true)
            .add(&mut tx, &waiting)
            .await
            .expect("a message");
        // One of them isn't to be told again.
        for once in [None, Some("in_1")] {
            let notice = Notice::SubscriptionEnded { plan: "Basic".into() };
            tx.add_notice(group, &notice, once, clock.now()).await.expect("is put down");
        }
        tx.commit().await.expect("a commit");
        store.wake_notices();
        eventually("they become messages", async || (counts(&database).await[3] == 4).then_some(())).await;
        let sweep = async || {
            store.sweep(clock.now()).await.expect("a sweep");
            counts(&database).await
        };

        let begin = sweep().await;
        let [sessions, ..] = begin;
        assert!(sessions >= 1);
        assert_eq!(begin[1..], [1, 1, 4, 1, 1, 2]);
        clock.advance(Duration::hours(1) - Duration::seconds(1));
        assert_eq!(sweep().await, begin, "nothing goes before its time");
        clock.advance(Duration::seconds(1));
        assert_eq!(sweep().await[1..], [1, 1, 4, 1, 0, 2], "a link that sets a password works for an hour");
        clock.advance(Duration::hours(23) - Duration::seconds(1));
        assert_eq!(sweep().await[1..], [1, 1, 4, 1, 0, 2]);
        clock.advance(Duration::seconds(1));
        assert_eq!(sweep().await[1..], [1, 0, 4, 1, 0, 2], "answers are kept for a day");
        clock.advance(Duration::days(6));
        assert_eq!(sweep().await[1..], [0, 0, 4, 1, 0, 2], "an invitation is open for a week");
        clock.advance(Duration::days(23) - Duration::seconds(1));
        assert_eq!(sweep().await[3..], [4, 1, 0, 2]);
        clock.advance(Duration::seconds(1));
        assert_eq!(sweep().await, [0, 0, 0, 1, 0, 0, 1], "what waits stays, and what isn't told again");
        clock.advance(Duration::days(335) - Duration::seconds(1));
        assert_eq!(sweep().await[6], 1);
        clock.advance(Duration::seconds(1));
        assert_eq!(sweep().await[3..], [1, 0, 0, 0], "nor is it known for longer than a year");
        app.stop().await;
        database.drop().await;
    }
}
