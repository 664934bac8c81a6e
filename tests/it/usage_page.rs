//! The usage page's figures: the same as the ledger's, for each who looks.

use chrono::Duration;
use tollgate::domain::{BreakdownBy, EventInput, OTHERS, Period, Status, UsageType, User};
use tollgate::metering::{Metering, Overview};

use crate::support::databases::each_store;
use crate::support::seed::{Seed, event};

const LLM: UsageType = UsageType::Llm;

async fn overview(metering: &Metering, user: &User) -> Overview {
    let dashboard = metering.dashboard(user, BreakdownBy::Member).await.expect("the figures");
    dashboard.current.expect("a subscription").1
}

#[tokio::test]
async fn the_current_period_stands_beside_the_one_before_it() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        metering.record(&seed.admin, vec![event("march", LLM, 300)]).await.expect("a record");
        let day = seed.clock.now();
        seed.clock.advance(seed.period.end + Duration::days(2) - day);
        let next = Period { start: seed.period.end, end: seed.period.end + Duration::days(30) };
        seed.stripe_says(Status::Active, next).await;
        let yesterday = seed.clock.now() - Duration::days(1);
        let events = vec![
            EventInput { created_at: Some(yesterday), ..event("yesterday", LLM, 20) },
            event("today", LLM, 5),
        ];
        metering.record(&seed.member, events).await.expect("a record");

        let shown = overview(&metering, &seed.admin).await;
        assert_eq!((shown.current.period, shown.total.llm), (next, 25));
        let today = shown.current.index(seed.clock.now());
        let days: Vec<_> = shown.current.days[..=today].iter().map(|day| day.llm).collect();
        assert_eq!(days, [0, 20, 5]);
        let before = shown.before.expect("a period before");
        assert_eq!((before.period, before.days[before.index(day)].llm), (seed.period, 300));
        let rows: Vec<_> =
            shown.rows.iter().map(|row| (row.row.key.clone(), row.row.llm, row.before.llm)).collect();
        assert_eq!(rows, [(Some(seed.member.id.to_string()), 25, 0)]);

        // What comes later shows, and of other members a member sees what they have used together.
        metering.record(&seed.admin, vec![event("more", LLM, 7)]).await.expect("a record");
        seed.clock.advance(Duration::hours(1));
        let settled = async || {
            let shown = overview(&metering, &seed.member).await;
            (shown.total.llm == 32).then_some(shown)
        };
        let shown = crate::support::app::eventually("the page shows what was recorded", settled).await;
        let rows: Vec<_> = shown.rows.iter().map(|row| (row.row.key.clone(), row.row.llm)).collect();
        assert_eq!(rows, [(Some(seed.member.id.to_string()), 25), (Some(OTHERS.to_owned()), 7)]);
        assert_eq!(shown.rows[1].before.llm, 300);
        metering.stop().await;
    })
    .await;
}
