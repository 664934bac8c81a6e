//! Whether everything that is kept beside the ledger's rows is what they add up to, to the token.

use crate::support::databases::Database;

/// Periods whose sums aren't those of their events and of their open holds.
const SUMMARIES: &str = "SELECT COUNT(*) FROM usage_summaries u
    WHERE u.llm_used <> (SELECT COALESCE(SUM(e.tokens), 0) FROM usage_events e
                         WHERE e.group_id = u.group_id AND e.summary_id = u.id AND e.usage_type = 'llm')
       OR u.voice_used <> (SELECT COALESCE(SUM(e.tokens), 0) FROM usage_events e
                           WHERE e.group_id = u.group_id AND e.summary_id = u.id AND e.usage_type = 'voice')
       OR u.llm_held <> (SELECT COALESCE(SUM(h.tokens), 0) FROM usage_holds h
                         WHERE h.group_id = u.group_id AND h.summary_id = u.id AND h.usage_type = 'llm'
                           AND h.state = 'open')
       OR u.voice_held <> (SELECT COALESCE(SUM(h.tokens), 0) FROM usage_holds h
                           WHERE h.group_id = u.group_id AND h.summary_id = u.id AND h.usage_type = 'voice'
                             AND h.state = 'open')";

/// Members' and keys' parts that aren't the sums of their events and of their open holds.
const SHARES: &str = "SELECT COUNT(*) FROM usage_shares u
    WHERE u.llm_used <> (SELECT COALESCE(SUM(e.tokens), 0) FROM usage_events e
                         WHERE e.group_id = u.group_id AND e.summary_id = u.summary_id AND e.usage_type = 'llm'
                           AND (e.user_id = u.subject_id OR e.key_id = u.subject_id))
       OR u.voice_used <> (SELECT COALESCE(SUM(e.tokens), 0) FROM usage_events e
                           WHERE e.group_id = u.group_id AND e.summary_id = u.summary_id AND e.usage_type = 'voice'
                             AND (e.user_id = u.subject_id OR e.key_id = u.subject_id))
       OR u.llm_held <> (SELECT COALESCE(SUM(h.tokens), 0) FROM usage_holds h
                         WHERE h.group_id = u.group_id AND h.summary_id = u.summary_id AND h.usage_type = 'llm'
                           AND h.state = 'open' AND (h.user_id = u.subject_id OR h.key_id = u.subject_id))
       OR u.voice_held <> (SELECT COALESCE(SUM(h.tokens), 0) FROM usage_holds h
                           WHERE h.group_id = u.group_id AND h.summary_id = u.summary_id AND h.usage_type = 'voice'
                             AND h.state = 'open' AND (h.user_id = u.subject_id OR h.key_id = u.subject_id))";

/// Members' parts that add up to something else than the period.
const PARTS: &str = "SELECT COUNT(*) FROM usage_summaries u
    WHERE u.llm_used <> (SELECT COALESCE(SUM(s.llm_used), 0) FROM usage_shares s JOIN users m ON m.id = s.subject_id
                         WHERE s.group_id = u.group_id AND s.summary_id = u.id)
       OR u.voice_held <> (SELECT COALESCE(SUM(s.voice_held), 0) FROM usage_shares s
                           JOIN users m ON m.id = s.subject_id
                           WHERE s.group_id = u.group_id AND s.summary_id = u.id)";

/// Quarters of an hour that aren't the sums of their events, and events that are in none.
macro_rules! quarters {
    ($quarter:literal, $nil:literal) => {
        concat!(
            "SELECT COUNT(*) FROM (
                 SELECT group_id, summary_id, ", $quarter, " AS quarter, user_id, COALESCE(model, '') AS model,
                     COALESCE(key_id, ", $nil, ") AS key_id,
                     SUM(CASE WHEN usage_type = 'llm' THEN tokens ELSE 0 END) AS llm,
                     SUM(CASE WHEN usage_type = 'voice' THEN tokens ELSE 0 END) AS voice,
                     COUNT(CASE WHEN usage_type = 'llm' THEN 1 END) AS llm_events,
                     COUNT(CASE WHEN usage_type = 'voice' THEN 1 END) AS voice_events
                 FROM usage_events
                 GROUP BY group_id, summary_id, ", $quarter, ", user_id, COALESCE(model, ''), COALESCE(key_id, ", $nil, ")
             ) e FULL JOIN usage_quarters q ON q.group_id = e.group_id AND q.summary_id = e.summary_id
                 AND q.quarter = e.quarter AND q.user_id = e.user_id AND q.model = e.model AND q.key_id = e.key_id
             WHERE e.llm IS NULL OR q.llm IS NULL OR q.llm <> e.llm OR q.voice <> e.voice
                OR q.llm_events <> e.llm_events OR q.voice_events <> e.voice_events"
        )
    };
}
// By the whole second: SQLite rounds what is finer, and with it the quarter.
const SQLITE_QUARTERS: &str = quarters!("unixepoch(substr(occurred_at, 1, 19)) / 900", "zeroblob(16)");
const POSTGRES_QUARTERS: &str = quarters!(
    "CAST(FLOOR(EXTRACT(EPOCH FROM occurred_at) / 900) AS BIGINT)",
    "'00000000-0000-0000-0000-000000000000'::uuid"
);

/// # Panics
/// Where a sum isn't what the ledger and the open holds add up to.
pub async fn assert_sums_agree(database: &Database) {
    let quarters = if database.url.starts_with("sqlite:") { SQLITE_QUARTERS } else { POSTGRES_QUARTERS };
    for (what, sql) in
        [("summaries", SUMMARIES), ("shares", SHARES), ("members' parts", PARTS), ("quarters", quarters)]
    {
        assert_eq!(database.rows::<(i64,)>(sql).await, [(0,)], "{what} that disagree with the ledger");
    }
}
