//! What is charged: written when a period is over, and put on an invoice at Stripe.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{Currency, GroupId, Period, SummaryId, UsageType};
use crate::error::Result;
use crate::storage::summaries::{Counters, counter_columns};
use crate::storage::{Store, Tx};

/// How long a period's charges wait for holds that are still open when it ends. Its renewal's draft takes lines for an
/// hour; what is settled later isn't charged.
const WAIT_FOR_HOLDS: Duration = Duration::minutes(45);

/// What one resource of a period costs beyond its limit.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct OverageCharge {
    pub group_id: GroupId,
    pub summary_id: SummaryId,
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    pub id: Uuid,
    /// Tokens recorded in the period, whether charged or not.
    pub used: i64,
    /// Tokens that the plan included.
    pub included: i64,
    /// Tokens that are charged.
    pub tokens: i64,
    pub packages: i64,
    pub package_tokens: i64,
    /// Minor units.
    pub package_price: i64,
    pub amount_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub stripe_subscription_id: String,
    /// The invoice at Stripe that it goes on.
    pub stripe_invoice: Option<String>,
    /// The invoice item at Stripe that charges it.
    pub stripe_item: Option<String>,
    pub placed_at: Option<DateTime<Utc>>,
    pub problem: Option<String>,
    /// How often it was put on an invoice anew, since it was gone from the last.
    pub revision: i64,
    /// How often it was tried to put it on an invoice.
    pub attempts: i64,
}

/// A charge of which something differs at Stripe, and whose it is.
#[derive(Clone, Debug, FromRow)]
pub struct ChargeProblem {
    pub group_name: String,
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    /// What is due, in minor units.
    pub amount_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// The invoice at Stripe that it is on.
    pub stripe_invoice: Option<String>,
    /// What differs, in a sentence.
    pub problem: String,
}

/// A period of which something is to be charged.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct EndedPeriod {
    pub group_id: GroupId,
    pub summary_id: SummaryId,
}

#[derive(FromRow)]
struct ToCharge {
    id: SummaryId,
    #[sqlx(flatten)]
    counters: Counters,
}

macro_rules! charge_select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT c.group_id, c.summary_id, c.usage_type, c.id, c.used, c.included, c.tokens, c.packages,
                 c.package_tokens, c.package_price, c.amount_minor, c.currency, u.period_start, u.period_end,
                 s.stripe_subscription_id, c.stripe_invoice, c.stripe_item, c.placed_at, c.problem,
                 c.revision, c.attempts
             FROM overage_charges c
             JOIN usage_summaries u ON u.group_id = c.group_id AND u.id = c.summary_id
             JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id ",
            $($rest),+
        )
    };
}

impl Store {
    /// Up to `limit` periods, of one group or of all, that are over and have something to charge. A period is over where Stripe has begun the next
    /// or has ended the subscription, and a yearly plan's month when it ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn periods_to_charge(
        &self,
        group: Option<GroupId>,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<EndedPeriod>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.group_id, u.id AS summary_id FROM usage_summaries u
                 JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
                 WHERE NOT u.overage_closed AND u.llm_overage + u.voice_overage > 0
                   AND (u.period_start < s.current_period_start OR s.status IN ('canceled', 'incomplete_expired')
                        OR u.period_end <= $1 AND u.period_end < s.current_period_end)
                   AND (u.llm_held + u.voice_held = 0 OR u.period_end <= $2)
                   AND ($4 IS NULL OR u.group_id = $4)
                 ORDER BY u.period_end LIMIT $3",
            )
            .bind(now)
            .bind(now - WAIT_FOR_HOLDS)
            .bind(limit)
            .bind(group)
            .fetch_all(pool)
            .await?
        }))
    }

    /// The periods whose charges are due to be put on an invoice at `now`.
    ///
    /// # Errors
    /// The database's.
    pub async fn charges_due(
        &self,
        group: Option<GroupId>,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<EndedPeriod>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT DISTINCT group_id, summary_id FROM overage_charges
                 WHERE placed_at IS NULL AND next_attempt_at <= $1 AND ($3 IS NULL OR group_id = $3) LIMIT $2",
            )
            .bind(now)
            .bind(limit)
            .bind(group)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Claims a period's charges that are on no invoice yet, so that no other process puts them on one: they are due again
    /// at `retry_at`. None where another has claimed them.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_charges(
        &self,
        period: EndedPeriod,
        now: DateTime<Utc>,
        retry_at: DateTime<Utc>,
    ) -> Result<Vec<OverageCharge>> {
        let claimed = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE overage_charges SET attempts = attempts + 1, next_attempt_at = $4
                 WHERE group_id = $1 AND summary_id = $2 AND placed_at IS NULL AND next_attempt_at <= $3",
            )
            .bind(period.group_id)
            .bind(period.summary_id)
            .bind(now)
            .bind(retry_at)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if claimed == 0 {
            return Ok(Vec::new());
        }
        Ok(on_db!(self, |pool| {
            sqlx::query_as(charge_select!(
                "WHERE c.group_id = $1 AND c.summary_id = $2 AND c.placed_at IS NULL ORDER BY c.usage_type"
            ))
            .bind(period.group_id)
            .bind(period.summary_id)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Notes the invoice item that charges it.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_charge_item(&self, charge: Uuid, invoice: &str, item: &str) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE overage_charges SET stripe_invoice = $2, stripe_item = $3 WHERE id = $1")
                .bind(charge)
                .bind(invoice)
                .bind(item)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Notes that a period's charges are on an invoice that Stripe collects.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_charges_placed(&self, period: EndedPeriod, now: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "UPDATE overage_charges SET placed_at = $3
                 WHERE group_id = $1 AND summary_id = $2 AND stripe_item IS NOT NULL AND placed_at IS NULL",
            )
            .bind(period.group_id)
            .bind(period.summary_id)
            .bind(now)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// Up to `limit` charges that were put on an invoice, and weren't yet found on it as it was finalized.
    ///
    /// # Errors
    /// The database's.
    pub async fn charges_to_compare(&self, after: Uuid, limit: i64) -> Result<Vec<OverageCharge>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(charge_select!(
                "WHERE c.placed_at IS NOT NULL AND c.confirmed_at IS NULL AND c.id > $1 ORDER BY c.id LIMIT $2"
            ))
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Notes that a charge is on its finalized invoice as it should be.
    ///
    /// # Errors
    /// The database's.
    pub async fn confirm_charge(&self, charge: Uuid, now: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE overage_charges SET confirmed_at = $2, problem = NULL WHERE id = $1")
                .bind(charge)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Notes what differs at Stripe, or that nothing does any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_charge_problem(&self, charge: Uuid, problem: Option<&str>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE overage_charges SET problem = $2 WHERE id = $1")
                .bind(charge)
                .bind(problem)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Has a charge put on an invoice anew, which is on none any more: due at `next_attempt_at`.
    ///
    /// # Errors
    /// The database's.
    pub async fn lift_charge(&self, charge: Uuid, next_attempt_at: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "UPDATE overage_charges SET stripe_invoice = NULL, stripe_item = NULL, placed_at = NULL,
                     problem = NULL, next_attempt_at = $2, revision = revision + 1
                 WHERE id = $1",
            )
            .bind(charge)
            .bind(next_attempt_at)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// The charges of a group, the latest period first.
    ///
    /// # Errors
    /// The database's.
    pub async fn overage_charges(&self, group: GroupId, limit: i64) -> Result<Vec<OverageCharge>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(charge_select!(
                "WHERE c.group_id = $1 ORDER BY u.period_start DESC, c.usage_type LIMIT $2"
            ))
            .bind(group)
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Charges of which something differs at Stripe, of all groups, the latest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn charge_problems(&self, limit: i64) -> Result<Vec<ChargeProblem>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT g.name AS group_name, c.usage_type, u.period_start, u.period_end, c.amount_minor, c.currency,
                     c.stripe_invoice, c.problem
                 FROM overage_charges c
                 JOIN usage_summaries u ON u.group_id = c.group_id AND u.id = c.summary_id
                 JOIN groups g ON g.id = c.group_id
                 WHERE c.problem IS NOT NULL ORDER BY c.created_at DESC, c.id LIMIT $1",
            )
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }
}

impl Tx {
    /// Writes the charges of a period that is over, once: after this nothing more of it is charged. Call
    /// [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// The database's.
    pub async fn close_overage(&mut self, period: EndedPeriod, now: DateTime<Utc>) -> Result<()> {
        let row: Option<ToCharge> = on_tx!(self, |connection| {
            sqlx::query_as(concat!(
                "SELECT u.id, ",
                counter_columns!(),
                " FROM usage_summaries u WHERE u.group_id = $1 AND u.id = $2 AND NOT u.overage_closed"
            ))
            .bind(period.group_id)
            .bind(period.summary_id)
            .fetch_optional(connection)
            .await?
        });
        let Some(ToCharge { id, counters, .. }) = row else { return Ok(()) };
        let Some(prices) = counters.overage.prices else { return Ok(()) };
        for (kind, package) in prices.packages.iter() {
            let tokens = counters.overage.tokens[kind];
            let Some(package) = package.filter(|_| tokens > 0) else { continue };
            on_tx!(self, |connection| {
                sqlx::query(
                    "INSERT INTO overage_charges (group_id, summary_id, usage_type, id, used, included, tokens,
                         packages, package_tokens, package_price, amount_minor, currency, created_at, next_attempt_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
                )
                .bind(period.group_id)
                .bind(id)
                .bind(kind.as_str())
                .bind(Uuid::now_v7())
                .bind(counters.used[kind])
                .bind(counters.limit[kind].unwrap_or_default())
                .bind(tokens)
                .bind(package.count(tokens))
                .bind(package.per)
                .bind(package.price)
                .bind(package.amount(tokens))
                .bind(prices.currency.code().to_owned())
                .bind(now)
                .execute(connection)
                .await?;
            });
        }
        on_tx!(self, |connection| {
            sqlx::query("UPDATE usage_summaries SET overage_closed = TRUE WHERE group_id = $1 AND id = $2")
                .bind(period.group_id)
                .bind(id)
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}

impl OverageCharge {
    pub fn period(&self) -> Period {
        Period { start: self.period_start, end: self.period_end }
    }

    pub fn ended(&self) -> EndedPeriod {
        EndedPeriod { group_id: self.group_id, summary_id: self.summary_id }
    }
}
