//! The rows that a figure is made of, the latest first, page by page.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{AnalyticsSnapshot, states};
use crate::domain::{Currency, FigureRow, GroupId, Money, Period, PlanId, UsageType};
use crate::error::Result;
use crate::storage::{PageRequest, PageRows};

/// What finds a row in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FigureKey {
    pub at: DateTime<Utc>,
    pub id: Uuid,
}

/// Which rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureSource {
    /// Movements of a kind in the window.
    Movements(&'static str),
    /// Subscriptions in a status at the window's end, those with MRR where it is `mrr`.
    Subscriptions(&'static str),
    /// Groups that signed up in the window.
    SignUps,
    /// Those of them that came as far as this by its end: `checked_out`, `paid`, `trial_started`, `trial_converted`.
    Funnel(&'static str),
    /// Usage periods that ended in the window.
    Periods(UsageType),
    /// Overage charges that were written in the window.
    Charges,
}

/// Rows of a window in one currency.
#[derive(Clone, Copy, Debug)]
pub struct FigureQuery {
    pub source: FigureSource,
    pub window: Period,
    pub currency: Currency,
    /// Of subscriptions: those of one plan.
    pub plan: Option<PlanId>,
}

/// Which columns there are depends on the source.
#[derive(FromRow)]
struct Found {
    at: DateTime<Utc>,
    id: Uuid,
    group_id: GroupId,
    group_name: String,
    #[sqlx(default)]
    status: Option<String>,
    #[sqlx(default)]
    plan_before: Option<String>,
    #[sqlx(default)]
    plan: Option<String>,
    #[sqlx(default)]
    mrr_before: Option<i64>,
    #[sqlx(default)]
    mrr: Option<i64>,
    #[sqlx(default)]
    used: Option<i64>,
    #[sqlx(default)]
    sold: Option<i64>,
    #[sqlx(default)]
    amount: Option<i64>,
}

impl Found {
    fn row(self, currency: Currency) -> (FigureKey, FigureRow) {
        let money = |minor: Option<i64>| minor.map(|minor| Money::new(minor, currency));
        let row = FigureRow {
            at: self.at,
            group_id: self.group_id,
            group: self.group_name,
            status: self.status.and_then(|status| status.parse().ok()),
            plan_before: self.plan_before,
            plan: self.plan,
            mrr_before: money(self.mrr_before),
            mrr: money(self.mrr),
            used: self.used,
            limit: self.sold,
            amount: money(self.amount),
        };
        (FigureKey { at: self.at, id: self.id }, row)
    }
}

const MOVEMENTS: &str =
    "SELECT m.occurred_at AS at, m.id, m.group_id, g.name AS group_name, m.status_after AS status,
         b.name AS plan_before, a.name AS plan, m.mrr_before, m.mrr_after AS mrr
     FROM subscription_movements m JOIN groups g ON g.id = m.group_id
     LEFT JOIN plans b ON b.id = m.plan_before LEFT JOIN plans a ON a.id = m.plan_after
     WHERE m.occurred_at >= $1 AND m.occurred_at < $2 AND m.currency = $3 AND m.kind = $4
       AND (m.occurred_at, m.id) < ($5, $6)
     ORDER BY m.occurred_at DESC, m.id DESC LIMIT $7";

const SUBSCRIPTIONS: &str = concat!(
    "SELECT x.at, x.id, x.group_id, g.name AS group_name, x.status, p.name AS plan, x.mrr
     FROM (SELECT m.subscription_id AS id, m.group_id, m.plan_id, m.status, MAX(m.occurred_at) AS at,
               CAST(SUM(m.mrr) AS BIGINT) AS mrr
           FROM ",
    states!(),
    " m WHERE m.currency = $2 GROUP BY m.subscription_id, m.group_id, m.plan_id, m.status HAVING SUM(m.n) > 0) x
     JOIN groups g ON g.id = x.group_id JOIN plans p ON p.id = x.plan_id
     WHERE (x.status = $3 OR ($3 = 'mrr' AND x.mrr > 0)) AND ($4 IS NULL OR x.plan_id = $4) AND (x.at, x.id) < ($5, $6)
     ORDER BY x.at DESC, x.id DESC LIMIT $7"
);

const SIGN_UPS: &str = "SELECT g.created_at AS at, g.id, g.id AS group_id, g.name AS group_name FROM groups g
     WHERE g.created_at >= $1 AND g.created_at < $2 AND (g.created_at, g.id) < ($3, $4)
     ORDER BY g.created_at DESC, g.id DESC LIMIT $5";

const FUNNEL: &str = "SELECT x.at, x.id, x.id AS group_id, x.name AS group_name
     FROM (SELECT MIN(m.occurred_at) AS at, g.id, g.name FROM groups g JOIN subscription_movements m ON m.group_id = g.id
           WHERE g.created_at >= $1 AND g.created_at < $2 AND m.occurred_at < $2 AND m.currency = $3
             AND m.status_after IS NOT NULL
             AND ($4 = 'checked_out' OR ($4 = 'paid' AND m.status_after = 'active')
                 OR ($4 = 'trial_started' AND m.status_after = 'trialing')
                 OR ($4 = 'trial_converted' AND m.status_before = 'trialing' AND m.status_after = 'active'))
           GROUP BY g.id, g.name) x
     WHERE (x.at, x.id) < ($5, $6) ORDER BY x.at DESC, x.id DESC LIMIT $7";

const PERIODS: &str = "SELECT u.period_end AS at, u.id, u.group_id, g.name AS group_name, p.name AS plan,
         CASE WHEN $4 = 'llm' THEN u.llm_used ELSE u.voice_used END AS used,
         CASE WHEN $4 = 'llm' THEN u.llm_limit ELSE u.voice_limit END AS sold
     FROM subscriptions s JOIN usage_summaries u ON u.group_id = s.group_id AND u.subscription_id = s.id
     JOIN groups g ON g.id = u.group_id JOIN plans p ON p.id = u.plan_id
     WHERE u.period_end >= $1 AND u.period_end < $2 AND s.currency = $3 AND (u.period_end, u.id) < ($5, $6)
     ORDER BY u.period_end DESC, u.id DESC LIMIT $7";

const CHARGES: &str =
    "SELECT c.created_at AS at, c.id, c.group_id, g.name AS group_name, c.used, c.included AS sold,
         c.amount_minor AS amount
     FROM overage_charges c JOIN groups g ON g.id = c.group_id
     WHERE c.created_at >= $1 AND c.created_at < $2 AND c.currency = $3 AND (c.created_at, c.id) < ($4, $5)
     ORDER BY c.created_at DESC, c.id DESC LIMIT $6";

impl AnalyticsSnapshot {
    /// A page of the rows that a figure is made of, each with its key.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(
        &mut self,
        query: &FigureQuery,
        page: PageRequest<FigureKey>,
    ) -> Result<PageRows<(FigureKey, FigureRow)>> {
        let (window, currency) = (query.window, query.currency.code().to_owned());
        // Nothing is as late.
        let after = page.after.unwrap_or(FigureKey { at: window.end, id: Uuid::max() });
        let found: Vec<Found> = on_tx!(self.0, |connection| {
            let statement = match query.source {
                FigureSource::Subscriptions(status) => sqlx::query_as(SUBSCRIPTIONS)
                    .bind(window.end)
                    .bind(currency)
                    .bind(status)
                    .bind(query.plan),
                FigureSource::SignUps => sqlx::query_as(SIGN_UPS).bind(window.start).bind(window.end),
                FigureSource::Movements(kind) => {
                    sqlx::query_as(MOVEMENTS).bind(window.start).bind(window.end).bind(currency).bind(kind)
                }
                FigureSource::Funnel(step) => {
                    sqlx::query_as(FUNNEL).bind(window.start).bind(window.end).bind(currency).bind(step)
                }
                FigureSource::Periods(kind) => sqlx::query_as(PERIODS)
                    .bind(window.start)
                    .bind(window.end)
                    .bind(currency)
                    .bind(kind.as_str()),
                FigureSource::Charges => {
                    sqlx::query_as(CHARGES).bind(window.start).bind(window.end).bind(currency)
                }
            };
            statement.bind(after.at).bind(after.id).bind(page.rows()).fetch_all(connection).await?
        });
        Ok(page.page(found.into_iter().map(|found| found.row(query.currency)).collect()))
    }
}
