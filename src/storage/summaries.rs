//! One row for each billing period of a subscription: what was used, held and allowed in it.

use sqlx::FromRow;
use uuid::Uuid;

use chrono::{DateTime, Utc};

use crate::domain::{PeriodUsage, Resource};

/// A period's sums.
#[derive(Clone, Debug, FromRow)]
pub struct SummaryRow {
    pub id: Uuid,
    pub group_id: Uuid,
    pub subscription_id: Uuid,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub llm_used: i64,
    pub llm_held: i64,
    pub llm_limit: Option<i64>,
    pub voice_used: i64,
    pub voice_held: i64,
    pub voice_limit: Option<i64>,
}

impl SummaryRow {
    pub fn llm(&self) -> Resource {
        Resource::new(self.llm_used, self.llm_held, self.llm_limit)
    }

    pub fn voice(&self) -> Resource {
        Resource::new(self.voice_used, self.voice_held, self.voice_limit)
    }

    pub fn period_usage(&self) -> PeriodUsage {
        PeriodUsage { start: self.period_start, end: self.period_end, llm: self.llm(), voice: self.voice() }
    }
}

/// Opens a period of a subscription inside a transaction, with its plan's limits of this moment. A period
/// that is open keeps the limits it began with, and takes a corrected end.
macro_rules! open_period {
    ($tx:ident, $subscription:expr, $start:expr, $end:expr, $now:expr) => {
        sqlx::query(
            "INSERT INTO usage_summaries
                 (id, group_id, subscription_id, period_start, period_end, llm_limit, voice_limit, created_at)
             SELECT $1, s.group_id, s.id, $3, $4, p.llm_tokens_limit, p.voice_tokens_limit, $5
             FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE s.id = $2
             ON CONFLICT (subscription_id, period_start) DO UPDATE SET period_end = excluded.period_end",
        )
        .bind(uuid::Uuid::now_v7())
        .bind($subscription)
        .bind($start)
        .bind($end)
        .bind($now)
        .execute(&mut *$tx)
        .await?
    };
}
pub(super) use open_period;
