//! The demo data: loaded once and whole, however often and however interrupted.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use chrono::Duration;
use futures::future::poll_fn;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::demo;
use tollgate::services::Services;
use tollgate::start::{Running, StartOptions, start};

use crate::support::app::eventually;
use crate::support::databases::Database;

async fn start_empty(database: &Database, clock: &Clock) -> Running {
    let settings = Settings::read(|name| match name {
        "DATABASE_URL" => Some(database.url.clone()),
        "LISTEN_ADDR" | "SANDBOX_ADDR" => Some("127.0.0.1:0".to_owned()),
        _ => None,
    })
    .expect("the test's settings");
    start(settings, StartOptions::default(), clock.clone()).await.expect("the application starts")
}

/// Polls a future so many times and drops it, as a kill would; whether it had finished by then.
async fn cut_off_after(polls: usize, future: impl Future<Output = anyhow::Result<()>>) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(loaded) => {
                loaded.expect("the demo data is loaded");
                Poll::Ready(true)
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What the contract says the demo has.
async fn assert_whole(services: &Services) {
    let plans = services.billing.plans(true).await.unwrap();
    let offered: Vec<_> =
        plans.iter().map(|plan| (plan.name.as_str(), plan.price.decimal(), plan.limits.llm)).collect();
    assert_eq!(
        offered,
        [
            ("Basic", "29.99".to_owned(), Some(100_000)),
            ("Pro", "79.99".to_owned(), Some(500_000)),
            ("Scale", "249.00".to_owned(), Some(2_500_000))
        ]
    );
    let admin = services.accounts.log_in("admin@acme.test", "tollgate-demo", "test").await.unwrap();
    assert_eq!(services.accounts.team(&admin).await.unwrap().members.len(), 3);
    let usage = services.metering.usage(&admin).await.unwrap();
    assert_eq!((usage.resources.llm.used, usage.resources.voice.used), (75_234, 42_891));
    let history = services.metering.history(&admin).await.unwrap();
    let used: Vec<_> = history.iter().map(|period| period.resources.llm.used).collect();
    assert_eq!(used, [88_140, 70_455, 61_870]);
    // Its voice tokens passed 80 %, and nothing of the periods before is told of.
    let thresholds = async || {
        let rows = services.store.outbox(200).await.unwrap();
        let to_admin = rows.into_iter().filter(|row| row.recipient == "admin@acme.test");
        let subjects: Vec<_> = to_admin.map(|row| row.subject).collect();
        (!subjects.is_empty()).then_some(subjects)
    };
    let subjects = eventually("the group is told", thresholds).await;
    assert_eq!(subjects, ["Acme has used 80 % of its voice tokens"]);
    let newco = services.accounts.log_in("admin@newco.test", "tollgate-demo", "test").await.unwrap();
    assert_eq!(services.billing.subscription(&newco).await.unwrap(), None);
}

#[tokio::test]
async fn a_load_that_was_cut_off_is_completed_by_the_next() {
    for database in Database::each().await {
        let clock = Clock::manual(chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap());
        let running = start_empty(&database, &clock).await;
        let mut polls = 1;
        while !cut_off_after(polls, demo::load(&running.services)).await {
            // A killed process keeps its claims, on the loading and on a purchase it began, until they lapse.
            clock.advance(Duration::minutes(3));
            polls += 1 + polls / 4;
        }
        assert_whole(&running.services).await;
        demo::load(&running.services).await.unwrap();
        assert_whole(&running.services).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn two_loads_at_once_are_one() {
    for database in Database::each().await {
        let clock = Clock::system();
        let running = start_empty(&database, &clock).await;
        let (one, other) = tokio::join!(demo::load(&running.services), demo::load(&running.services));
        one.unwrap();
        other.unwrap();
        assert_whole(&running.services).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn the_demo_s_customers_stand_on_a_clock_that_is_brought_up_to_date_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let url = format!("sqlite://{}", file("demo.db").display());
    let settings = || {
        Settings::read(|name| match name {
            "DATABASE_URL" => Some(url.clone()),
            "LISTEN_ADDR" | "SANDBOX_ADDR" => Some("127.0.0.1:0".to_owned()),
            _ => None,
        })
        .expect("the test's settings")
    };
    let clock = Clock::manual("2026-03-11T12:00:00Z".parse().unwrap());
    let mut periods = Vec::new();
    for _ in 0..2 {
        let options =
            StartOptions { demo: true, sandbox_database: Some(file("stripe.db")), ..StartOptions::default() };
        let running = start(settings(), options, clock.clone()).await.expect("the application starts");
        let sandbox = running.sandbox.as_ref().expect("the sandbox").sandbox();
        let clocks = sandbox.list("test_clocks");
        assert_eq!(clocks.len(), 1);
        assert_eq!(
            (&clocks[0]["name"], &clocks[0]["frozen_time"]),
            (&"Demo".into(), &clock.now().timestamp().into())
        );
        let customers = sandbox.list("customers");
        assert!(
            !customers.is_empty()
                && customers.iter().all(|customer| customer["test_clock"] == clocks[0]["id"])
        );
        let subscription = &sandbox.list("subscriptions")[0];
        assert_eq!(subscription["status"], "active");
        periods.push(subscription["items"]["data"][0]["current_period_start"].as_i64().unwrap());
        running.stop().await;
        clock.advance(Duration::days(70));
    }
    assert!(periods[1] > periods[0] + 2 * 28 * 86_400, "two renewals came about: {periods:?}");
}
