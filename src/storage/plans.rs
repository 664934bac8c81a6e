//! Plans.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;

use super::Store;
use crate::domain::{Currency, Interval, Money, PerType, Plan, PlanId, PlanTerms, Refusal};
use crate::error::Result;

/// A plan as it is kept, with what it is at Stripe.
#[derive(Clone, Debug, FromRow)]
pub struct PlanRow {
    pub id: PlanId,
    pub name: String,
    pub description: String,
    pub price_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    #[sqlx(try_from = "String")]
    pub billing_interval: Interval,
    pub llm_tokens_limit: Option<i64>,
    pub voice_tokens_limit: Option<i64>,
    pub max_users: Option<i64>,
    pub features: Json<Vec<String>>,
    pub stripe_product_id: Option<String>,
    pub stripe_price_id: Option<String>,
    pub archived: bool,
    #[sqlx(rename = "plan_created_at")]
    pub created_at: DateTime<Utc>,
    #[sqlx(rename = "plan_updated_at")]
    pub updated_at: DateTime<Utc>,
}

impl PlanRow {
    pub fn plan(self) -> Plan {
        Plan {
            id: self.id,
            name: self.name,
            description: self.description,
            price: Money::new(self.price_minor, self.currency),
            interval: self.billing_interval,
            limits: PerType { llm: self.llm_tokens_limit, voice: self.voice_tokens_limit },
            max_users: self.max_users,
            features: self.features.0,
            stripe_price_id: self.stripe_price_id,
            archived: self.archived,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// What [`PlanRow`] reads, for a statement that names the table `p`.
macro_rules! plan_columns {
    () => {
        "p.id, p.name, p.description, p.price_minor, p.currency, p.billing_interval, p.llm_tokens_limit,
         p.voice_tokens_limit, p.max_users, p.features, p.stripe_product_id, p.stripe_price_id, p.archived,
         p.created_at AS plan_created_at, p.updated_at AS plan_updated_at"
    };
}
pub(super) use plan_columns;

impl Store {
    /// Every plan that can be bought, cheapest first; with `include_archived`, the others too.
    pub async fn plans(&self, include_archived: bool) -> Result<Vec<Plan>> {
        let rows: Vec<PlanRow> = on_db!(self, |pool| {
            sqlx::query_as(concat!(
                "SELECT ",
                plan_columns!(),
                " FROM plans p WHERE $1 OR NOT p.archived ORDER BY p.price_minor, p.created_at, p.id"
            ))
            .bind(include_archived)
            .fetch_all(pool)
            .await?
        });
        Ok(rows.into_iter().map(PlanRow::plan).collect())
    }

    /// One plan, archived or not.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn plan(&self, id: PlanId) -> Result<PlanRow> {
        let row = on_db!(self, |pool| {
            sqlx::query_as(concat!("SELECT ", plan_columns!(), " FROM plans p WHERE p.id = $1"))
                .bind(id)
                .fetch_optional(pool)
                .await?
        });
        row.ok_or_else(|| Refusal::NotFound("plan".into()).into())
    }

    pub async fn add_plan(
        &self,
        id: PlanId,
        terms: &PlanTerms,
        stripe_product_id: Option<&str>,
        stripe_price_id: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO plans (id, name, description, price_minor, currency, billing_interval,
                     llm_tokens_limit, voice_tokens_limit, max_users, features,
                     stripe_product_id, stripe_price_id, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
            )
            .bind(id)
            .bind(&terms.name)
            .bind(&terms.description)
            .bind(terms.price.minor)
            .bind(terms.price.currency.code())
            .bind(terms.interval.as_str())
            .bind(terms.limits.llm)
            .bind(terms.limits.voice)
            .bind(terms.max_users)
            .bind(Json(&terms.features))
            .bind(stripe_product_id)
            .bind(stripe_price_id)
            .bind(now)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// Writes a plan's terms over what was there.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn change_plan_terms(
        &self,
        id: PlanId,
        terms: &PlanTerms,
        stripe_product_id: Option<&str>,
        stripe_price_id: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let changed = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE plans SET name = $2, description = $3, price_minor = $4, currency = $5,
                     billing_interval = $6, llm_tokens_limit = $7, voice_tokens_limit = $8, max_users = $9,
                     features = $10, stripe_product_id = $11, stripe_price_id = $12, updated_at = $13
                 WHERE id = $1",
            )
            .bind(id)
            .bind(&terms.name)
            .bind(&terms.description)
            .bind(terms.price.minor)
            .bind(terms.price.currency.code())
            .bind(terms.interval.as_str())
            .bind(terms.limits.llm)
            .bind(terms.limits.voice)
            .bind(terms.max_users)
            .bind(Json(&terms.features))
            .bind(stripe_product_id)
            .bind(stripe_price_id)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if changed == 0 { Err(Refusal::NotFound("plan".into()).into()) } else { Ok(()) }
    }

    /// Removes a plan nobody ever subscribed to, and archives any other. Says whether it is gone.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn remove_plan(&self, id: PlanId, now: DateTime<Utc>) -> Result<bool> {
        let (deleted, archived) = in_tx!(self, |tx| {
            let deleted = sqlx::query(
                "DELETE FROM plans WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE plan_id = $1)",
            )
            .bind(id)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            let archived = sqlx::query("UPDATE plans SET archived = TRUE, updated_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            (deleted == 1, archived == 1)
        });
        if deleted || archived { Ok(deleted) } else { Err(Refusal::NotFound("plan".into()).into()) }
    }

    /// The plan that is sold, or was ever bought, at this Stripe price.
    pub async fn plan_of_price(&self, stripe_price_id: &str) -> Result<Option<PlanId>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar(
                "SELECT plan_id FROM subscriptions WHERE stripe_price_id = $1
                 UNION SELECT id FROM plans WHERE stripe_price_id = $1 LIMIT 1",
            )
            .bind(stripe_price_id)
            .fetch_optional(pool)
            .await?
        }))
    }
}
