//! Moving from one database to the other.

use serde_json::json;
use tollgate::storage::Store;

use crate::support::app::App;
use crate::support::databases::each_database;

#[tokio::test]
async fn a_copied_database_answers_as_the_first_one_did() {
    each_database(|url| async move {
        let app = App::start_demo(&url).await;
        let admin = app.log_in("admin@acme.test", "tollgate-demo").await;
        let key = admin.by_key().await;
        let body = json!({"id": "one", "usage_type": "llm", "tokens_used": 1, "metadata": {"a": [1, null]}});
        assert_eq!(key.post("/api/subscriptions/usage/events/", body.clone()).await.status, 200);
        let before = key.get("/api/subscriptions/subscriptions/usage/").await.body;

        each_database(|other| {
            let (key, before, body) = (key.auth.clone(), before.clone(), body.clone());
            let source = app.running.services.store.clone();
            async move {
                let target = Store::open(&other).await.unwrap();
                target.migrate().await.unwrap();
                let copied = source.copy_into(&target).await.unwrap();
                assert!(
                    copied.iter().any(|(table, rows)| *table == "usage_events" && *rows > 200),
                    "{copied:?}"
                );
                assert!(source.copy_into(&target).await.is_err(), "only an empty database is copied into");
                target.close().await;
                let moved = App::start(&other).await;
                let person = crate::support::app::Person { app: &moved, auth: key, id: String::new() };
                let after = person.get("/api/subscriptions/subscriptions/usage/").await.body;
                assert_eq!((&after["llm"], &after["period_end"]), (&before["llm"], &before["period_end"]));
                let again = person.post("/api/subscriptions/usage/events/", body).await;
                assert_eq!(again.body["duplicates"], 1, "{}", again.body);
                moved.stop().await;
            }
        })
        .await;
        app.stop().await;
    })
    .await;
}
