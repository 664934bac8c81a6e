//! The ledger: in which period an event counts.

use chrono::{Duration, Months};
use tollgate::domain::{Period, Refusal, Status, UsageType};

use super::ledger::{counts, dated, refusal, wrong_field};
use crate::support::databases::{Database, each_store};
use crate::support::seed::{Seed, at, event, group};

const LLM: UsageType = UsageType::Llm;

#[tokio::test]
async fn a_period_that_is_over_gives_way_to_the_next() {
    for database in Database::each().await {
        let store = database.store().await;
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        counts(metering.record(&seed.member, vec![event("march", LLM, 5)]).await);
        seed.clock.advance(Duration::days(40));
        let next = Period { start: at("2026-04-01T12:00:00Z"), end: at("2026-05-01T12:00:00Z") };

        let read = metering.usage(&seed.member).await.unwrap();
        assert_eq!(Period { start: read.period_start, end: read.period_end }, next);
        assert_eq!((read.resources.llm.used, read.resources.llm.limit), (0, Some(100_000)));
        let periods = "SELECT COUNT(*) FROM usage_summaries";
        assert_eq!(database.rows::<(i64,)>(periods).await, [(1,)], "reading opens nothing");

        let recorded = metering.record(&seed.member, vec![event("april", LLM, 7)]).await.unwrap();
        assert_eq!((recorded.usage.period_start, recorded.usage.resources.llm.used), (next.start, 7));
        assert_eq!(metering.usage(&seed.member).await.unwrap().resources.llm.used, 7);
        // Stripe's answer comes late and changes nothing that was counted.
        seed.stripe_says(Status::Active, next).await;
        assert_eq!(metering.usage(&seed.member).await.unwrap().resources.llm.used, 7);
        let history = metering.history(&seed.member).await.unwrap();
        assert_eq!(
            history.iter().map(|p| (p.start, p.resources.llm.used)).collect::<Vec<_>>(),
            [(seed.period.start, 5)]
        );
        metering.stop().await;
        store.close().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn an_event_with_a_time_counts_in_the_period_that_contains_it() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let record = |event| metering.record(&seed.member, vec![event]);
        let Period { start, end } = seed.period;
        assert_eq!(counts(record(dated("first", 1, start)).await), (1, 0, 1, 0));
        let before = start - Duration::microseconds(1);
        assert_eq!(wrong_field(record(dated("before", 1, before)).await), "events[0].created_at");
        assert_eq!(
            wrong_field(record(dated("old", 1, start - Duration::days(30))).await),
            "events[0].created_at"
        );

        seed.clock.advance(end - seed.clock.now() - Duration::minutes(2));
        assert_eq!(counts(record(dated("last", 2, end - Duration::microseconds(1))).await), (1, 0, 3, 0));
        // Ahead of the clock, and of the period: it opens the next one.
        assert_eq!(counts(record(dated("ahead", 10, end + Duration::minutes(1))).await), (1, 0, 3, 0));
        assert_eq!(
            wrong_field(record(dated("far", 1, end + Duration::minutes(4))).await),
            "events[0].created_at"
        );

        seed.clock.advance(Duration::minutes(3));
        assert_eq!(metering.usage(&seed.member).await.unwrap().resources.llm.used, 10);
        assert_eq!(counts(record(dated("late", 4, end - Duration::days(1))).await), (1, 0, 10, 0));
        assert_eq!(counts(record(event("now", LLM, 20)).await), (1, 0, 30, 0));
        assert_eq!(metering.history(&seed.member).await.unwrap()[0].resources.llm.used, 7);

        // Two periods on, an event of the one in between, in which nothing was recorded yet.
        seed.clock.advance(Duration::days(64));
        assert_eq!(counts(record(event("june", LLM, 1)).await), (1, 0, 1, 0));
        let between = end.checked_add_months(Months::new(1)).unwrap() + Duration::days(15);
        assert_eq!(counts(record(dated("between", 2, between)).await), (1, 0, 1, 0));
        let used: Vec<_> =
            metering.history(&seed.member).await.unwrap().iter().map(|p| p.resources.llm.used).collect();
        assert_eq!(used, [2, 30, 7]);
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_period_in_the_middle_of_one_takes_over() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let earlier = seed.clock.now() - Duration::days(2);
        counts(metering.record(&seed.member, vec![event("a", LLM, 5)]).await);
        let now = seed.clock.now();
        let new = Period { start: now, end: now.checked_add_months(Months::new(12)).unwrap() };
        seed.stripe_says(Status::Active, new).await;
        assert_eq!(metering.usage(&seed.member).await.unwrap().period_start, new.start);
        assert_eq!(counts(metering.record(&seed.member, vec![event("b", LLM, 7)]).await), (1, 0, 7, 0));
        assert_eq!(counts(metering.record(&seed.member, vec![dated("c", 1, earlier)]).await), (1, 0, 7, 0));
        assert_eq!(metering.history(&seed.member).await.unwrap()[0].resources.llm.used, 6);
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_period_that_stripe_began_ahead_of_this_clock_is_the_current_one() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        counts(metering.record(&seed.member, vec![event("a", LLM, 5)]).await);
        let next = Period { start: seed.period.end, end: seed.period.end + Duration::days(30) };
        seed.stripe_says(Status::Active, next).await;
        assert_eq!(metering.usage(&seed.member).await.unwrap().period_start, next.start);
        assert_eq!(counts(metering.record(&seed.member, vec![event("b", LLM, 7)]).await), (1, 0, 7, 0));
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn after_the_end_of_a_subscription_only_its_own_events_count() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let record = |event| metering.record(&seed.member, vec![event]);
        counts(record(event("a", LLM, 5)).await);
        seed.stripe_says(Status::Canceled, seed.period).await;
        assert_eq!(refusal(metering.usage(&seed.member).await), Refusal::NoSubscription);
        assert_eq!(refusal(metering.check(&seed.member).await), Refusal::NoSubscription);
        assert_eq!(refusal(record(event("b", LLM, 1)).await), Refusal::NoSubscription);
        let before_the_end = seed.clock.now() - Duration::seconds(1);
        let late = record(dated("late", 2, before_the_end)).await.unwrap();
        assert_eq!(
            (late.accepted, late.usage.status, late.usage.resources.llm.used),
            (1, Status::Canceled, 7)
        );
        assert_eq!(wrong_field(record(dated("later", 2, seed.clock.now())).await), "events[0].created_at");
        assert_eq!(counts(record(event("a", LLM, 5)).await), (0, 1, 7, 0), "a repeat is one for good");

        let (_, other) = group(&store, seed.clock.now()).await;
        assert_eq!(refusal(metering.usage(&other).await), Refusal::NoSubscription);
        assert_eq!(refusal(metering.record(&other, vec![event("a", LLM, 1)]).await), Refusal::NoSubscription);
        let dated = metering.record(&other, vec![dated("a", 1, seed.clock.now())]).await;
        assert_eq!(wrong_field(dated), "events[0].created_at");
        assert_eq!(metering.history(&other).await.unwrap(), []);
        metering.stop().await;
    })
    .await;
}
