//! Copying a database that is written to meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tollgate::domain::UsageType;

use crate::support::databases::Database;
use crate::support::seed::{Seed, event};

/// Sums kept beside the ledger, and the ledger's own.
const SUMS: &str = "SELECT (SELECT CAST(COALESCE(SUM(llm_used), 0) AS BIGINT) FROM usage_summaries),
                           (SELECT CAST(COALESCE(SUM(tokens), 0) AS BIGINT) FROM usage_events)";

#[tokio::test]
async fn a_database_in_use_is_copied_as_it_stood_at_one_moment() {
    for source in Database::each().await {
        let store = source.store().await;
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        // More than one batch of the copy, so that it is under way while more is recorded.
        for batch in 0..3 {
            let events =
                (0..1_000).map(|n| event(&format!("before-{batch}-{n}"), UsageType::Llm, 1)).collect();
            metering.record(&seed.member, events).await.unwrap();
        }
        let done = Arc::new(AtomicBool::new(false));
        let recording = tokio::spawn({
            let (metering, member, done) = (metering.clone(), seed.member.clone(), done.clone());
            async move {
                let mut count = 0;
                while !done.load(Ordering::Relaxed) {
                    let events = (0..50)
                        .map(|n| event(&format!("meanwhile-{count}-{n}"), UsageType::Llm, 1))
                        .collect();
                    metering.record(&member, events).await.unwrap();
                    count += 1;
                }
                count * 50
            }
        });
        for target in Database::each().await {
            let copy = target.store().await;
            store.copy_into(&copy).await.unwrap();
            copy.close().await;
            let sums: Vec<(i64, i64)> = target.rows(SUMS).await;
            assert_eq!(sums[0].0, sums[0].1, "the sums are those of the copied events");
            assert!(sums[0].1 >= 3_000);
        }
        done.store(true, Ordering::Relaxed);
        assert!(recording.await.unwrap() > 0, "something was recorded meanwhile");
        metering.stop().await;
        store.close().await;
    }
}
