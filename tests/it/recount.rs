//! What is kept beside the ledger is held against it, and put right where it differs.

use chrono::Duration;
use tollgate::domain::{BreakdownBy, Caller, HoldInput, UsageType};
use tollgate::metering::{BreakdownQuery, Metering, Recounted};
use tollgate::storage::Store;

use crate::support::databases::Database;
use crate::support::seed::{Seed, event};

/// A group that has spent in two periods and holds.
async fn spent(store: &Store) -> (Seed, Metering) {
    let seed = Seed::new(store).await;
    let metering = seed.metering();
    metering.record(&seed.member, vec![event("earlier", UsageType::Llm, 10)]).await.expect("a record");
    seed.clock.advance(seed.period.end + Duration::days(1) - seed.clock.now());
    let now = vec![event("llm", UsageType::Llm, 20), event("voice", UsageType::Voice, 3)];
    metering.record(&seed.admin, now).await.expect("a record");
    let input = HoldInput {
        id: Some("open".into()),
        usage_type: UsageType::Llm,
        tokens: 40,
        expires_in: None,
        wait: None,
    };
    metering.hold(&Caller::from(&seed.member), input).await.expect("a hold");
    (seed, metering)
}

/// What is wrong, what is kept where, and how many of each kind of sum a recount has to put right.
const MISTAKES: [(&str, &str, [u64; 3]); 9] = [
    ("a period's used tokens", "UPDATE usage_summaries SET llm_used = llm_used + 5 RETURNING 1", [2, 0, 0]),
    (
        "a period's held tokens",
        "UPDATE usage_summaries SET llm_held = 7 WHERE llm_held > 0 RETURNING 1",
        [1, 0, 0],
    ),
    (
        "a hold that a period kept after it had gone",
        "UPDATE usage_summaries SET voice_held = 7 WHERE llm_held = 0 RETURNING 1",
        [1, 0, 0],
    ),
    ("a member's used tokens", "UPDATE usage_shares SET voice_used = 9 WHERE voice_used = 3 RETURNING 1", [0, 1, 0]),
    ("a member's held tokens", "UPDATE usage_shares SET llm_held = 0 WHERE llm_held > 0 RETURNING 1", [0, 1, 0]),
    ("a share that is missing", "DELETE FROM usage_shares WHERE llm_used = 10 RETURNING 1", [0, 1, 0]),
    (
        "a share that nothing is behind",
        "INSERT INTO usage_shares (group_id, summary_id, subject_id, llm_used, llm_held, voice_used, voice_held)
         SELECT group_id, id, group_id, 1, 0, 0, 0 FROM usage_summaries RETURNING 1",
        [0, 2, 0],
    ),
    ("a quarter's sum", "UPDATE usage_quarters SET voice_events = 2 WHERE voice > 0 RETURNING 1", [0, 0, 1]),
    ("a quarter that moved", "UPDATE usage_quarters SET quarter = quarter - 1 WHERE llm = 10 RETURNING 1", [0, 0, 2]),
];

#[tokio::test]
async fn a_recount_finds_and_mends_each_kind_of_sum_that_differs() {
    for database in Database::each().await {
        let store = database.store().await;
        let (seed, metering) = spent(&store).await;
        let right = Recounted { groups: 1, ..Recounted::default() };
        assert_eq!(metering.reconcile().await.expect("a recount"), right);
        let before = database.dump().await;
        for (what, sql, [periods, shares, quarters]) in MISTAKES {
            let changed: Vec<(i32,)> = database.rows(sql).await;
            assert!(!changed.is_empty(), "{what}");
            let check = store.check_sums(seed.group()).await.expect("a check");
            let counts = [check.periods.len() as u64, check.shares, check.quarters];
            assert_eq!(counts, [periods, shares, quarters], "{what}");
            let mended = metering.reconcile().await.expect("a recount");
            let expected = Recounted { groups_repaired: 1, periods, shares, quarters, ..right };
            assert_eq!(mended, expected, "a check changes nothing, and a recount finds the same: {what}");
            assert_eq!(metering.reconcile().await.expect("a recount"), right, "{what}");
        }
        let after = database.dump().await;
        for table in ["usage_summaries", "usage_quarters", "usage_events", "usage_holds"] {
            assert_eq!(before[table], after[table], "{table}");
        }
        metering.stop().await;
        store.close().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn a_recount_says_what_a_period_kept_and_what_was_counted() {
    for database in Database::each().await {
        let store = database.store().await;
        let (seed, metering) = spent(&store).await;
        let sql = "UPDATE usage_summaries SET llm_used = 21, llm_held = 0 WHERE llm_used = 20 RETURNING 1";
        assert_eq!(database.rows::<(i32,)>(sql).await.len(), 1);
        let found = store.check_sums(seed.group()).await.expect("a check").periods;
        let [period] = found[..] else { panic!("{found:?}") };
        assert_eq!(period.period_start, seed.period.end);
        assert_eq!((period.kept.used.llm, period.counted.used.llm), (21, 20));
        assert_eq!((period.kept.held.llm, period.counted.held.llm), (0, 40));
        store.recount(seed.group()).await.expect("a recount");
        let usage = metering.usage(&seed.admin).await.expect("a usage");
        assert_eq!((usage.resources.llm.used, usage.resources.llm.held), (20, 40));
        let breakdown = metering.breakdown(&seed.admin, BreakdownQuery::current(BreakdownBy::Member)).await;
        assert_eq!(breakdown.expect("a breakdown").total.llm, 20);
        metering.stop().await;
        store.close().await;
        database.drop().await;
    }
}
