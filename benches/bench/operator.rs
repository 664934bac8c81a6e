//! A database with many groups and a ledger of any size, and the pages that a SuperAdmin opens of it.

use sqlx::{AssertSqlSafe, PgPool};
use tollgate_test_support::databases::Database;

/// Members of each group.
const MEMBERS: i64 = 4;
/// Periods of each subscription, the one that runs included.
const PERIODS: i64 = 4;
/// Changes of each subscription's plan, a month apart, the newest in the running period.
const MOVEMENTS: i64 = 12;
/// Tokens of each event.
const TOKENS: i64 = 100;

/// The pages, and what each is called in the table.
pub const PAGES: [(&str, &str); 14] = [
    ("/groups", "name"),
    ("/groups?sort=-usage", "usage"),
    ("/groups?sort=-mrr", "MRR"),
    ("/groups?sort=run_out", "run-out"),
    ("/groups?sort=-last_activity", "last activity"),
    ("/groups?sort=-created_at", "creation"),
    ("/groups?sort=plan", "plan"),
    ("/groups?sort=status", "status"),
    ("/groups?search=group77", "name, searched"),
    ("/groups?level=warning&status=active&sort=-usage", "usage, filtered"),
    ("/groups?search=nobody", "name, searched in vain"),
    ("/analytics", "month"),
    ("/analytics?interval=week", "week"),
    ("/analytics/rows?figure=mrr", "group"),
];

/// Puts so many groups into a database of PostgreSQL that has a plan, nine of ten of them subscribed, with so many events in
/// their running periods. Past the server, and past the foreign keys: checking each of ten million rows would take longer
/// than all that is measured.
pub async fn fill(database: &Database, groups: i64, events: i64) {
    let pool = PgPool::connect(&database.url).await.expect("the database opens");
    let mut connection = pool.acquire().await.expect("a connection");
    let of_each = events * 10 / 9 / groups;
    // The running period began twelve days ago.
    let began = "date_trunc('day', now()) - interval '12 days'";
    let statements = [
        "SET session_replication_role = replica".to_owned(),
        format!(
            "INSERT INTO groups (id, name, created_at, last_event_at)
             SELECT md5('g' || i)::uuid, 'Group ' || i, now() - i * interval '1 minute',
                 CASE WHEN i % 10 > 0 THEN now() - i % 1000 * interval '1 hour' END
             FROM generate_series(1, {groups}) i"
        ),
        format!(
            "INSERT INTO users (id, email, name, password_hash, role, group_id, created_at)
             SELECT md5('u' || i || '-' || m)::uuid, 'user' || m || '@group' || i || '.test', 'Ada', 'none',
                 CASE m WHEN 1 THEN 'admin' ELSE 'member' END, md5('g' || i)::uuid, now()
             FROM generate_series(1, {groups}) i, generate_series(1, {MEMBERS}) m"
        ),
        format!(
            "INSERT INTO subscriptions (id, group_id, user_id, plan_id, status, stripe_subscription_id, stripe_price_id,
                 price_minor, currency, billing_interval, mrr, current_period_start, current_period_end, billing_anchor,
                 created_at, updated_at)
             SELECT md5('s' || i)::uuid, md5('g' || i)::uuid, md5('u' || i || '-1')::uuid, (SELECT id FROM plans LIMIT 1),
                 CASE i % 20 WHEN 1 THEN 'past_due' WHEN 2 THEN 'trialing' WHEN 3 THEN 'canceled' ELSE 'active' END,
                 'sub_bench_' || i, 'price_bench', 2999 + i % 50 * 100, 'usd', 'month',
                 CASE WHEN i % 20 IN (2, 3) THEN 0 ELSE 2999 + i % 50 * 100 END,
                 {began}, {began} + interval '30 days', {began}, now(), now()
             FROM generate_series(1, {groups}) i WHERE i % 10 > 0"
        ),
        format!(
            "INSERT INTO usage_summaries (group_id, id, subscription_id, plan_id, period_start, period_end, llm_used,
                 llm_limit, voice_used, voice_limit, created_at)
             SELECT md5('g' || i)::uuid, md5('p' || i || '-' || p)::uuid, md5('s' || i)::uuid,
                 (SELECT id FROM plans LIMIT 1), {began} - p * interval '30 days',
                 {began} - (p - 1) * interval '30 days', {of_each} * {TOKENS},
                 GREATEST({of_each} * {TOKENS} * (60 + i % 200) / 100, 1), 0, NULL, now()
             FROM generate_series(1, {groups}) i, generate_series(0, {PERIODS} - 1) p WHERE i % 10 > 0"
        ),
        format!(
            "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, usage_type, tokens, estimated, fingerprint,
                 occurred_at, recorded_at)
             SELECT md5('g' || i)::uuid, 'event-' || e, md5('p' || i || '-0')::uuid, md5('u' || i || '-1')::uuid, 'llm',
                 {TOKENS}, FALSE, decode(md5(e::text), 'hex'), {began} + e * interval '1 minute', now()
             FROM generate_series(1, {groups}) i, generate_series(1, {of_each}) e WHERE i % 10 > 0"
        ),
        format!(
            "INSERT INTO subscription_movements (group_id, id, subscription_id, kind, currency, status_before, status_after,
                 plan_before, plan_after, mrr_before, mrr_after, occurred_at, recorded_at)
             SELECT group_id, md5('m' || subscription_id || '-' || m)::uuid, subscription_id,
                 CASE m WHEN 1 THEN 'new' ELSE CASE m % 2 WHEN 0 THEN 'contraction' ELSE 'expansion' END END, 'usd',
                 CASE WHEN m > 1 THEN 'active' END, 'active', CASE WHEN m > 1 THEN plan_id END, plan_id,
                 CASE WHEN m = 1 THEN 0 ELSE mrr + (m - 1) % 2 * 500 END, mrr + m % 2 * 500,
                 at, at
             FROM (SELECT s.group_id, s.id AS subscription_id, s.plan_id, s.mrr, m,
                       {began} - ({MOVEMENTS} - m) * interval '30 days' AS at
                   FROM subscriptions s, generate_series(1, {MOVEMENTS}) m WHERE s.mrr > 0) w"
        ),
        // As autovacuum does in time.
        "VACUUM ANALYZE".to_owned(),
    ];
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.expect("the rows");
    }
    drop(connection);
    pool.close().await;
}
