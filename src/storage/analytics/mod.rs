//! The operator's figures over all groups, each kind by one statement whatever the number of groups, and all from one
//! snapshot. Of tokens the periods' sums are read, never the ledger.

mod rows;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::dialect::DialectStatement;
use super::ledger::stored;
use super::{Store, Tx};
use crate::domain::{Currency, Period, PlanId};
use crate::error::{Error, Result};

pub use rows::{FigureKey, FigureQuery, FigureSource};

/// The database as it stood when the figures were asked for.
#[derive(Debug)]
pub struct AnalyticsSnapshot(Tx);

/// How subscriptions of one currency moved in one of the asked intervals. Amounts in minor units.
#[derive(Clone, Debug, FromRow)]
pub struct MovementSums {
    /// Which of the asked intervals.
    pub bucket: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub new: i64,
    pub reactivation: i64,
    pub expansion: i64,
    /// Below zero.
    pub contraction: i64,
    /// Below zero.
    pub churn: i64,
    /// How often a group stopped paying.
    pub churned: i64,
    /// By how many the number of groups that pay changed.
    pub paying: i64,
    /// By how many the numbers of subscriptions changed.
    pub active: i64,
    pub trialing: i64,
    pub past_due: i64,
}

/// What the usage periods that ended in one of the asked intervals used and allowed; nothing where no such period ended.
/// Exact as far as JSON's integers are, and no overflow where many plans allow as much as they can.
#[derive(Clone, Debug, FromRow)]
pub struct TokenSums {
    pub bucket: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub llm_used: Option<f64>,
    pub llm_sold: Option<f64>,
    pub llm_unlimited: Option<f64>,
    pub voice_used: Option<f64>,
    pub voice_sold: Option<f64>,
    pub voice_unlimited: Option<f64>,
}

/// What was charged for overage in one of the asked intervals, in minor units.
#[derive(Clone, Debug, FromRow)]
pub struct OverageSums {
    pub bucket: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub amount: i64,
}

/// A plan's subscriptions in one currency at a time.
#[derive(Clone, Debug, FromRow)]
pub struct PlanSums {
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub plan_id: PlanId,
    pub plan: String,
    pub active: i64,
    pub trialing: i64,
    pub past_due: i64,
    /// In minor units.
    pub mrr: i64,
}

/// How far groups came in one currency.
#[derive(Clone, Debug, FromRow)]
pub struct FunnelSums {
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub checked_out: i64,
    pub paid: i64,
    pub trial_started: i64,
    pub trial_converted: i64,
}

/// Sums of the rows of `$from`, a table `m` perhaps with others joined to it, by interval and currency. The intervals are `$1`, pairs of times in
/// JSON, one after the other from `$2` to `$3`; `$time` says which one a row is of.
macro_rules! by_interval {
    ($from:literal, $time:literal, $currency:literal, $sums:expr) => {
        DialectStatement {
            sqlite: concat!(
                "SELECT CAST(b.key AS INTEGER) AS bucket, ",
                $currency,
                " AS currency, ",
                $sums,
                " FROM json_each($1) b CROSS JOIN ",
                $from,
                " WHERE ",
                $time,
                " >= b.value ->> 0 AND ",
                $time,
                " < b.value ->> 1 AND ",
                $time,
                " >= $2 AND ",
                $time,
                " < $3 GROUP BY 1, 2"
            ),
            postgres: concat!(
                "SELECT CAST(WIDTH_BUCKET(",
                $time,
                ", b.starts) - 1 AS BIGINT) AS bucket, ",
                $currency,
                " AS currency, ",
                $sums,
                " FROM (SELECT ARRAY_AGG((w.value ->> 0)::timestamptz ORDER BY w.at) AS starts
                  FROM json_array_elements($1::json) WITH ORDINALITY AS w (value, at)) b CROSS JOIN ",
                $from,
                " WHERE ",
                $time,
                " >= $2 AND ",
                $time,
                " < $3 GROUP BY 1, 2"
            ),
        }
    };
}

macro_rules! moved {
    ($kind:literal) => {
        concat!(
            "CAST(COALESCE(SUM(m.mrr_after - m.mrr_before) FILTER (WHERE m.kind = '",
            $kind,
            "'), 0) AS BIGINT) AS ",
            $kind
        )
    };
}

/// By how many the subscriptions in a status changed.
macro_rules! turned {
    ($status:literal) => {
        concat!(
            "COUNT(*) FILTER (WHERE m.status_after = '",
            $status,
            "') - COUNT(*) FILTER (WHERE m.status_before = '",
            $status,
            "') AS ",
            $status
        )
    };
}

const MOVEMENTS: DialectStatement = by_interval!(
    "subscription_movements m",
    "m.occurred_at",
    "m.currency",
    concat!(
        moved!("new"),
        ", ",
        moved!("reactivation"),
        ", ",
        moved!("expansion"),
        ", ",
        moved!("contraction"),
        ", ",
        moved!("churn"),
        ", COUNT(*) FILTER (WHERE m.kind = 'churn') AS churned,
          COUNT(*) FILTER (WHERE m.kind IN ('new', 'reactivation'))
              - COUNT(*) FILTER (WHERE m.kind = 'churn') AS paying, ",
        turned!("active"),
        ", ",
        turned!("trialing"),
        ", ",
        turned!("past_due")
    )
);

const TOKENS: DialectStatement = by_interval!(
    "usage_summaries m JOIN subscriptions s ON s.group_id = m.group_id AND s.id = m.subscription_id",
    "m.period_end",
    "s.currency",
    "SUM(CAST(m.llm_used AS DOUBLE PRECISION)) FILTER (WHERE m.llm_limit IS NOT NULL) AS llm_used,
     SUM(CAST(m.llm_limit AS DOUBLE PRECISION)) AS llm_sold,
     SUM(CAST(m.llm_used AS DOUBLE PRECISION)) FILTER (WHERE m.llm_limit IS NULL) AS llm_unlimited,
     SUM(CAST(m.voice_used AS DOUBLE PRECISION)) FILTER (WHERE m.voice_limit IS NOT NULL) AS voice_used,
     SUM(CAST(m.voice_limit AS DOUBLE PRECISION)) AS voice_sold,
     SUM(CAST(m.voice_used AS DOUBLE PRECISION)) FILTER (WHERE m.voice_limit IS NULL) AS voice_unlimited"
);

const OVERAGE: DialectStatement = by_interval!(
    "overage_charges m",
    "m.created_at",
    "m.currency",
    "CAST(SUM(m.amount_minor) AS BIGINT) AS amount"
);

/// What each movement before `$1` added and took away, by plan and status: what is left is what there was then.
macro_rules! states {
    () => {
        "(SELECT group_id, subscription_id, currency, occurred_at, plan_after AS plan_id, status_after AS status,
                 mrr_after AS mrr, 1 AS n
          FROM subscription_movements WHERE occurred_at < $1 AND status_after IS NOT NULL
          UNION ALL
          SELECT group_id, subscription_id, currency, occurred_at, plan_before, status_before, -mrr_before, -1
          FROM subscription_movements WHERE occurred_at < $1 AND status_before IS NOT NULL)"
    };
}
use states;

/// How many of a plan's subscriptions are in a status.
macro_rules! counted {
    ($status:literal) => {
        concat!(
            "CAST(COALESCE(SUM(m.n) FILTER (WHERE m.status = '",
            $status,
            "'), 0) AS BIGINT) AS ",
            $status
        )
    };
}

impl Store {
    /// Begins to read the figures.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_analytics(&self) -> Result<AnalyticsSnapshot> {
        Ok(AnalyticsSnapshot(self.begin_snapshot().await?))
    }
}

/// Intervals as `by_interval!` takes them.
fn json(intervals: &[Period]) -> Result<String> {
    let pairs: Vec<_> =
        intervals.iter().map(|interval| [stored(interval.start), stored(interval.end)]).collect();
    serde_json::to_string(&pairs).map_err(|error| Error::Internal(error.to_string()))
}

/// The one that the intervals make up.
fn whole(intervals: &[Period]) -> Period {
    let ends = intervals.first().zip(intervals.last());
    ends.map_or(Period { start: DateTime::UNIX_EPOCH, end: DateTime::UNIX_EPOCH }, |(first, last)| Period {
        start: first.start,
        end: last.end,
    })
}

/// Runs a statement of `by_interval!`.
macro_rules! sums_by_interval {
    ($snapshot:expr, $statement:expr, $intervals:expr) => {{
        let (pairs, whole) = (json($intervals)?, whole($intervals));
        let statement = $statement.of(&$snapshot.0);
        on_tx!($snapshot.0, |connection| {
            sqlx::query_as(statement)
                .bind(pairs)
                .bind(whole.start)
                .bind(whole.end)
                .fetch_all(connection)
                .await?
        })
    }};
}

impl AnalyticsSnapshot {
    /// How subscriptions moved in each of the intervals, which follow each other.
    ///
    /// # Errors
    /// The database's.
    pub async fn movements(&mut self, intervals: &[Period]) -> Result<Vec<MovementSums>> {
        Ok(sums_by_interval!(self, MOVEMENTS, intervals))
    }

    /// Tokens of the usage periods that ended in each of the intervals, which follow each other.
    ///
    /// # Errors
    /// The database's.
    pub async fn tokens(&mut self, intervals: &[Period]) -> Result<Vec<TokenSums>> {
        Ok(sums_by_interval!(self, TOKENS, intervals))
    }

    /// Overage that was charged in each of the intervals, which follow each other.
    ///
    /// # Errors
    /// The database's.
    pub async fn overage(&mut self, intervals: &[Period]) -> Result<Vec<OverageSums>> {
        Ok(sums_by_interval!(self, OVERAGE, intervals))
    }

    /// The plans that have subscriptions just before `at`.
    ///
    /// # Errors
    /// The database's.
    pub async fn plans(&mut self, at: DateTime<Utc>) -> Result<Vec<PlanSums>> {
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_as(concat!(
                "SELECT m.currency, m.plan_id, p.name AS plan, CAST(SUM(m.mrr) AS BIGINT) AS mrr, ",
                counted!("active"),
                ", ",
                counted!("trialing"),
                ", ",
                counted!("past_due"),
                " FROM ",
                states!(),
                " m JOIN plans p ON p.id = m.plan_id GROUP BY m.currency, m.plan_id, p.name
                  HAVING SUM(m.n) FILTER (WHERE m.status IN ('active', 'trialing', 'past_due')) > 0
                  ORDER BY SUM(m.mrr) DESC, p.name, m.plan_id"
            ))
            .bind(at)
            .fetch_all(connection)
            .await?
        }))
    }

    /// How many groups signed up in the window.
    ///
    /// # Errors
    /// The database's.
    pub async fn signed_up(&mut self, window: Period) -> Result<i64> {
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_scalar("SELECT COUNT(*) FROM groups WHERE created_at >= $1 AND created_at < $2")
                .bind(window.start)
                .bind(window.end)
                .fetch_one(connection)
                .await?
        }))
    }

    /// How far the groups that signed up in the window came by its end.
    ///
    /// # Errors
    /// The database's.
    pub async fn funnel(&mut self, window: Period) -> Result<Vec<FunnelSums>> {
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_as(
                "SELECT m.currency, COUNT(DISTINCT m.group_id) AS checked_out,
                     COUNT(DISTINCT m.group_id) FILTER (WHERE m.status_after = 'active') AS paid,
                     COUNT(DISTINCT m.group_id) FILTER (WHERE m.status_after = 'trialing') AS trial_started,
                     COUNT(DISTINCT m.group_id) FILTER (WHERE m.status_before = 'trialing' AND m.status_after = 'active')
                         AS trial_converted
                 FROM groups g JOIN subscription_movements m ON m.group_id = g.id
                 WHERE g.created_at >= $1 AND g.created_at < $2 AND m.occurred_at < $2 AND m.status_after IS NOT NULL
                 GROUP BY m.currency",
            )
            .bind(window.start)
            .bind(window.end)
            .fetch_all(connection)
            .await?
        }))
    }
}
