//! What a lost webhook leaves behind, and an inbox whose events don't all get on.

use chrono::Duration;
use reqwest::Method;

use crate::billing_stage::{Stage, failure, updated};
use crate::support::app::{MY_SUBSCRIPTION, eventually};
use crate::support::databases::{Database, each_database};

#[tokio::test]
async fn reconciling_repairs_what_a_lost_webhook_left_behind() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let path = format!("/subscriptions/{id}");
        let billing = &stage.app.running.services.billing;

        stage.stripe(Method::POST, &path, &[("cancel_at_period_end", "true")]).await;
        assert_eq!(admin.subscription().await["cancel_at_period_end"], false, "no webhook came");
        assert_eq!(billing.reconcile().await.expect("it compares").repaired, 1);
        assert_eq!(admin.subscription().await["cancel_at_period_end"], true);

        stage.stripe(Method::DELETE, &path, &[]).await;
        assert_eq!(admin.subscription().await["status"], "active", "no webhook came");
        assert_eq!(billing.reconcile().await.expect("it compares").repaired, 1);
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        assert_eq!(billing.reconcile().await.expect("it compares").compared, 0);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_trouble_of_one_group_never_stops_the_others() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (_first, troubled) = stage.subscribed(&plan).await;
        let (second, ended) = stage.subscribed(&plan).await;
        stage.stripe(Method::DELETE, &format!("/subscriptions/{ended}"), &[]).await;
        for trouble in [failure(500, "api_error"), failure(404, "invalid_request_error")] {
            stage.when(Method::GET, &format!("/v1/subscriptions/{troubled}"), trouble);
            let sum = stage.app.running.services.billing.reconcile().await.expect("it compares");
            assert_eq!(sum.failed, 1);
            stage.heal();
        }
        second.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        stage.stop().await;
    })
    .await;
}

/// Attempts, whether it is done, and whether it was given up.
async fn state(database: &Database) -> (i64, i64, i64) {
    let rows = database
        .rows(
            "SELECT attempts, CASE WHEN processed_at IS NULL THEN 0 ELSE 1 END AS done,
                 CASE WHEN given_up_at IS NULL THEN 0 ELSE 1 END AS given_up
             FROM webhook_events WHERE id = 'evt_stuck'",
        )
        .await;
    let rows: Vec<(i64, i32, i32)> = rows;
    rows.first().map_or((0, 0, 0), |row| (row.0, row.1.into(), row.2.into()))
}

#[tokio::test]
async fn an_event_that_cant_get_on_is_backed_off_given_up_and_delays_no_other() {
    for database in Database::each().await {
        println!("on {}", database.url);
        let stage = Stage::start(&database.url).await;
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (_first, stuck) = stage.subscribed(&plan).await;
        let (second, other) = stage.subscribed(&plan).await;
        let (billing, store) = (&stage.app.running.services.billing, &stage.app.running.services.store);
        let missing = serde_json::json!({"error": {
            "type": "invalid_request_error", "code": "resource_missing", "message": "No such subscription"}});
        let path = format!("/v1/subscriptions/{stuck}");
        stage.when(Method::GET, &path, crate::billing_stage::Trouble::Answer(404, missing));

        assert_eq!(stage.app.deliver_event(&updated("evt_stuck", &stuck)).await, 200);
        for number in 0..130 {
            assert_eq!(stage.app.deliver_event(&updated(&format!("evt_stuck_{number}"), &stuck)).await, 200);
        }
        let attempts = async |expected: i64| {
            eventually("the attempt is counted", || async {
                billing.drain_inbox().await.expect("it is read");
                (state(&database).await.0 == expected).then_some(())
            })
            .await;
        };
        attempts(1).await;
        billing.drain_inbox().await.expect("it is read");
        assert_eq!(state(&database).await, (1, 0, 0), "it isn't due yet");

        // However many stand before it, an event that can get on does.
        stage.stripe(Method::DELETE, &format!("/subscriptions/{other}"), &[]).await;
        stage.clock.advance(Duration::seconds(10));
        assert_eq!(stage.app.deliver_event(&updated("evt_other", &other)).await, 200);
        eventually("the other event is done", || async {
            (second.get(MY_SUBSCRIPTION).await.status == 404).then_some(())
        })
        .await;

        attempts(2).await;
        for attempt in 3..=14 {
            stage.clock.advance(Duration::seconds((10 << (attempt - 2)) - 1));
            billing.drain_inbox().await.expect("it is read");
            assert_eq!(state(&database).await, (attempt - 1, 0, 0), "each wait is twice as long as the last");
            stage.clock.advance(Duration::seconds(1));
            attempts(attempt).await;
        }
        eventually("it is given up", || async { (state(&database).await == (14, 0, 1)).then_some(()) }).await;
        stage.clock.advance(Duration::days(2));
        billing.drain_inbox().await.expect("it is read");
        assert_eq!(state(&database).await, (14, 0, 1), "it isn't tried any more");
        let sum = billing.reconcile().await.expect("it compares");
        assert!(sum.events_given_up >= 1, "{sum:?}");

        // The SuperAdmin sees it, and has it tried again: in vain, and then not.
        let superadmin = stage.app.superadmin().await;
        let page = superadmin.get("/outbox").await;
        for text in ["evt_stuck", "customer.subscription.updated", "have the subscription any more."] {
            assert!(page.body.as_str().expect("a page").contains(text), "{text}: {}", page.body);
        }
        let again = async |id: &str| {
            let request = superadmin.request(Method::POST, "/fn/events/retry");
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            superadmin.send(request.body(format!("id={id}"))).await.status
        };
        assert_eq!(again("evt_other").await, 404, "it is done");
        assert_eq!(again("evt_stuck").await, 200);
        assert_eq!(state(&database).await, (15, 0, 1), "it is given up again");
        stage.heal();
        assert_eq!(again("evt_stuck").await, 200);
        assert_eq!(state(&database).await, (16, 1, 0));
        assert!(!superadmin.get("/outbox").await.body.as_str().expect("a page").contains("evt_stuck\""));

        // What is sent anew once the trouble is over is done too; and swept a month later.
        assert_eq!(stage.app.deliver_event(&updated("evt_stuck", &stuck)).await, 200);
        eventually("it is done", || async { (state(&database).await == (16, 1, 0)).then_some(()) }).await;
        store.sweep(stage.clock.now()).await.expect("a sweep");
        assert_eq!(state(&database).await, (16, 1, 0));
        stage.clock.advance(Duration::days(30));
        store.sweep(stage.clock.now()).await.expect("a sweep");
        assert_eq!(state(&database).await, (0, 0, 0));
        stage.stop().await;
        database.drop().await;
    }
}
