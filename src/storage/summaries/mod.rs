//! One row for each billing period of a subscription: what was used, held and allowed in it. Periods begin and end in
//! [`periods`]; [`allowances`] reads the one that runs, with its subscription, and [`history`] those that are over.

mod allowances;
mod history;
mod periods;

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use sqlx::types::Json;

use super::ledger::Delta;
use crate::domain::{OveragePrices, PerType, PeriodOverage, Resource, Share, Spent};

pub use allowances::AllowanceRow;
pub(super) use allowances::{allowance_select, live_allowances, share_columns};
pub use history::SummaryRow;
pub use periods::Opened;

/// A period's counters, for each kind of token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Recorded.
    pub used: PerType<i64>,
    /// Reserved by open holds.
    pub held: PerType<i64>,
    /// `None` for unlimited.
    pub limit: PerType<Option<i64>>,
    /// The highest threshold of the limit that the group was told of, in per cent; 0 for none.
    pub notified: PerType<i64>,
    pub overage: PeriodOverage,
}

impl Counters {
    pub fn add(&mut self, delta: Delta) {
        self.used += delta.used;
        self.held += delta.held;
        self.overage.tokens += delta.overage;
    }

    pub fn spent(&self) -> Spent {
        Spent { used: self.used, held: self.held, limit: self.limit }
    }

    pub fn resources(&self) -> PerType<Resource> {
        PerType::of(|kind| Resource::new(self.used[kind], self.held[kind], self.limit[kind]))
    }
}

impl<'r, R: Row> FromRow<'r, R> for Counters
where
    &'r str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<Json<OveragePrices>>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let prices: Option<Json<OveragePrices>> = row.try_get("overage_prices")?;
        Ok(Self {
            used: PerType { llm: row.try_get("llm_used")?, voice: row.try_get("voice_used")? },
            held: PerType { llm: row.try_get("llm_held")?, voice: row.try_get("voice_held")? },
            limit: PerType { llm: row.try_get("llm_limit")?, voice: row.try_get("voice_limit")? },
            notified: PerType { llm: row.try_get("llm_notified")?, voice: row.try_get("voice_notified")? },
            overage: PeriodOverage {
                tokens: PerType { llm: row.try_get("llm_overage")?, voice: row.try_get("voice_overage")? },
                prices: prices.map(|prices| prices.0),
                cap: row.try_get("overage_cap")?,
                closed: row.try_get("overage_closed")?,
            },
        })
    }
}

/// The columns of [`Counters`] in a table named `u` (usage_summaries).
macro_rules! counter_columns {
    () => {
        "u.llm_used, u.llm_held, u.llm_limit, u.voice_used, u.voice_held, u.voice_limit,
         u.llm_notified, u.voice_notified,
         u.llm_overage, u.voice_overage, u.overage_prices, u.overage_cap, u.overage_closed"
    };
}
pub(super) use counter_columns;

/// The overage prices of a period that begins now, from tables named `s` (subscriptions) and `p` (plans).
macro_rules! new_overage_prices {
    () => {
        "CASE WHEN p.currency = s.currency THEN p.overage END"
    };
}
pub(super) use new_overage_prices;

/// The most that such a period's overage may cost: nothing where its admin agreed to other prices, and in a trial, which is
/// never charged.
macro_rules! new_overage_cap {
    () => {
        "CASE WHEN s.status <> 'trialing' AND p.currency = s.currency AND s.overage_prices = p.overage
             THEN s.overage_cap END"
    };
}
pub(super) use new_overage_cap;

/// What one member or one key has used and holds in a period, and the most it may spend, for each kind of token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareCounters {
    pub used: PerType<i64>,
    pub held: PerType<i64>,
    /// `None` for no cap.
    pub cap: PerType<Option<i64>>,
}

impl ShareCounters {
    pub(super) fn add(&mut self, delta: Delta) {
        self.used += delta.used;
        self.held += delta.held;
    }

    pub fn shares(&self) -> PerType<Share> {
        PerType::of(|kind| Share::new(self.used[kind], self.held[kind], self.cap[kind]))
    }
}

/// From outer joins: columns of counters that aren't there count as 0.
impl<'r, R: Row> FromRow<'r, R> for ShareCounters
where
    &'r str: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let count = |name| row.try_get::<Option<i64>, _>(name).map(Option::unwrap_or_default);
        Ok(Self {
            used: PerType { llm: count("share_llm_used")?, voice: count("share_voice_used")? },
            held: PerType { llm: count("share_llm_held")?, voice: count("share_voice_held")? },
            cap: PerType { llm: row.try_get("llm_cap")?, voice: row.try_get("voice_cap")? },
        })
    }
}
