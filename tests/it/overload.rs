//! More than can be done: what waits is bounded, and callers are told to come back.

use std::task::Poll;

use futures::future::join_all;
use futures::poll;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate::domain::{Caller, EventInput, Settlement, UsageType};
use tollgate::error::Error;
use tollgate::metering::Metering;

use crate::support::app::{App, Auth};
use crate::support::databases::{each_database, each_store};
use crate::support::seed::{GRACE_DAYS, Seed, event};

const EVENTS: &str = "/api/subscriptions/usage/events/";

fn batch(number: usize) -> Vec<EventInput> {
    (0..1_000).map(|i| event(&format!("{number}-{i}"), UsageType::Llm, 1)).collect()
}

#[tokio::test]
async fn the_ledger_s_queue_takes_so_many_rows_and_no_more_but_holds_end_always() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        // Its writer doesn't run yet: what is asked for waits.
        let (metering, task) = Metering::new(store.clone(), seed.clock.clone(), GRACE_DAYS);
        let mut waiting: Vec<_> =
            (0..100).map(|n| Box::pin(metering.record(&seed.member, batch(n)))).collect();
        for request in &mut waiting {
            assert!(poll!(request.as_mut()).is_pending());
        }
        let full = metering.must_have_room();
        assert!(
            matches!(full, Err(Error::Overloaded { retry_after: 1, .. })),
            "known before a body is read: {full:?}"
        );
        let refused = metering.record(&seed.member, batch(100)).await;
        assert!(matches!(refused, Err(Error::Overloaded { retry_after: 1, .. })), "{refused:?}");
        let caller = Caller::from(&seed.member);
        let mut settling = Box::pin(metering.settle(&caller, "none", Settlement::of(1)));
        assert!(matches!(poll!(settling.as_mut()), Poll::Pending), "what ends a hold is taken");

        let writer = tokio::spawn(task.run());
        let recorded = join_all(waiting).await;
        assert!(recorded.iter().all(Result::is_ok), "what was taken is written");
        assert!(settling.await.is_err_and(|error| matches!(error, Error::Refused(_))));
        metering.must_have_room().expect("there is room again");
        metering.record(&seed.member, batch(100)).await.expect("and what comes is taken");
        let usage = metering.usage(&seed.member).await.expect("a usage");
        assert_eq!(usage.resources.llm.used, 101_000);
        metering.stop().await;
        writer.await.expect("the writer ends");
    })
    .await;
}

#[tokio::test]
async fn large_bodies_take_so_much_memory_and_no_more() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let key = app.subscribed().await.by_key().await;
        let Auth::Key(token) = &key.auth else { panic!("a key") };
        let address = app.base.trim_start_matches("http://").to_owned();
        let head = format!(
            "POST {EVENTS} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 8000000\r\n\r\n["
        );
        let mut slow = Vec::new();
        let refused = loop {
            let mut connection = TcpStream::connect(&address).await.expect("the server accepts");
            connection.write_all(head.as_bytes()).await.expect("it reads");
            slow.push(connection);
            assert!(slow.len() < 20, "every body was taken");
            let answer = key.post(EVENTS, json!([{"id": slow.len().to_string(), "usage_type": "llm", "tokens_used": 1}, {"id": "x".repeat(4_000_000), "usage_type": "llm", "tokens_used": 1}])).await;
            if answer.status == 503 {
                break answer;
            }
        };
        refused.is_problem(503, "unavailable");
        assert_eq!(refused.headers["retry-after"], "1");
        // A slow client gives its memory back when it goes.
        for mut connection in slow {
            connection.shutdown().await.expect("it closes");
            let _ = connection.read_to_end(&mut Vec::new()).await;
        }
        let answer = key.post(EVENTS, json!({"id": "after", "usage_type": "llm", "tokens_used": 1})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_is_denied_where_the_database_is_out_of_reach() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await.by_key().await;
        let hold = json!({"usage_type": "llm", "tokens": 1});
        assert_eq!(admin.post(crate::holds::HOLDS, hold.clone()).await.status, 201);
        app.running.services.store.close().await;
        admin.post(crate::holds::HOLDS, hold).await.is_problem(503, "unavailable");
    })
    .await;
}
