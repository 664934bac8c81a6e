//! The demo data: loaded once and whole, however often and however interrupted.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use chrono::Duration;
use futures::future::poll_fn;
use tokio::net::TcpListener;
use tollgate::clock::Clock;
use tollgate::config::{Config, Settings};
use tollgate::demo;
use tollgate::services::Services;
use tollgate::start::{Running, StartOptions, open_store, start};
use tollgate::storage::Store;

use crate::support::databases::Database;

/// What the demo data is loaded with: a configuration and a sandbox that no server uses.
struct Loading {
    config: Config,
    store: Store,
    sandbox: stripe_sandbox::Running,
    /// Where the configuration comes from.
    server: Running,
}

impl Loading {
    async fn into(database: &Database, clock: &Clock) -> Self {
        let settings = |database_url: &str| {
            let database_url = database_url.to_owned();
            Settings::read(move |name| match name {
                "DATABASE_URL" => Some(database_url.clone()),
                "LISTEN_ADDR" | "SANDBOX_ADDR" => Some("127.0.0.1:0".to_owned()),
                _ => None,
            })
            .expect("the test's settings")
        };
        let empty = Database::sqlite();
        let server = start(settings(&empty.url), StartOptions::default(), clock.clone());
        let server = server.await.expect("the application starts");
        let time = clock.clone();
        let sandbox = stripe_sandbox::start(stripe_sandbox::Options {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            allow_network: false,
            database: None,
            webhook: None,
            clock: stripe_sandbox::Clock::from_fn(move || time.now()),
        });
        let sandbox = sandbox.await.expect("the sandbox starts");
        let mut config = Config::clone(&server.services.config);
        config.stripe.api_base = Some(format!("http://{}/", sandbox.addr));
        config.stripe.sandbox = Some(sandbox.addr);
        let store = open_store(&settings(&database.url)).await.unwrap();
        Self { config, store, sandbox, server }
    }

    /// The services on what was loaded, with what writes their ledger.
    fn services(&self, clock: &Clock) -> Services {
        let (services, metering) =
            Services::new(self.config.clone(), self.store.clone(), clock.clone()).unwrap();
        tokio::spawn(metering.run());
        services
    }

    async fn stop(self) {
        self.server.stop().await;
        self.sandbox.shutdown().await;
    }
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
    // In this period its voice tokens passed 80 %, in the one before LLM 80 and voice 90: each is told once.
    let messages = services.store.outbox(500).await.unwrap();
    let mut told: Vec<_> = messages
        .iter()
        .filter(|row| row.recipient == "admin@acme.test")
        .map(|row| row.subject.as_str())
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "Acme has used 80 % of its LLM tokens",
            "Acme has used 80 % of its voice tokens",
            "Acme has used 90 % of its voice tokens"
        ]
    );
    assert!(messages.len() > 20, "{}", messages.len());
    let newco = services.accounts.log_in("admin@newco.test", "tollgate-demo", "test").await.unwrap();
    assert_eq!(services.billing.subscription(&newco).await.unwrap(), None);
}

/// What Stripe has, what is kept of it and what the ledger adds up to are one.
async fn assert_agreement(services: &Services) {
    let reconciled = services.billing.reconcile().await.unwrap();
    assert!(reconciled.compared >= 16, "{reconciled:?}");
    assert!(reconciled.invoices_compared >= 100, "{reconciled:?}");
    assert_eq!((reconciled.repaired, reconciled.invoices_repaired, reconciled.failed), (0, 0, 0));
    let recounted = services.metering.reconcile().await.unwrap();
    assert!(recounted.groups >= 20, "{recounted:?}");
    assert_eq!((recounted.groups_repaired, recounted.failed), (0, 0));
}

#[tokio::test]
async fn a_load_that_was_cut_off_is_completed_by_the_next() {
    for database in Database::each().await {
        let clock = Clock::manual(chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap());
        let loading = Loading::into(&database, &clock).await;
        let mut polls = 1;
        while !cut_off_after(polls, demo::load(&loading.config, &loading.store, &clock)).await {
            // A killed process keeps its claims, on the loading and on a purchase it began, until they lapse.
            clock.advance(Duration::minutes(3));
            polls += 1 + polls / 2;
        }
        let services = loading.services(&clock);
        assert_whole(&services).await;
        assert_agreement(&services).await;
        demo::load(&loading.config, &loading.store, &clock).await.unwrap();
        assert_whole(&services).await;
        loading.stop().await;
    }
}

#[tokio::test]
async fn two_loads_at_once_are_one() {
    for database in Database::each().await {
        let clock = Clock::system();
        let loading = Loading::into(&database, &clock).await;
        let load = || demo::load(&loading.config, &loading.store, &clock);
        let (one, other) = tokio::join!(load(), load());
        one.unwrap();
        other.unwrap();
        let services = loading.services(&clock);
        assert_whole(&services).await;
        assert_agreement(&services).await;
        loading.stop().await;
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
        let admin =
            running.services.accounts.log_in("admin@acme.test", "tollgate-demo", "test").await.unwrap();
        let acme = running.services.billing.subscription(&admin).await.unwrap().expect("Acme's subscription");
        let subscriptions = sandbox.list("subscriptions");
        let subscription =
            subscriptions.iter().find(|found| found["id"] == acme.stripe_subscription_id).unwrap();
        assert_eq!(subscription["status"], "active");
        periods.push(subscription["items"]["data"][0]["current_period_start"].as_i64().unwrap());
        running.stop().await;
        clock.advance(Duration::days(70));
    }
    assert!(periods[1] > periods[0] + 2 * 28 * 86_400, "two renewals came about: {periods:?}");
}
