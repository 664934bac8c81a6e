//! Plans.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{PageRequest, PageRows, Store, Tx, dialect};
use crate::domain::{
    Currency, FieldError, Interval, Money, OveragePrices, PerType, Plan, PlanId, PlanTerms, Refusal,
};
use crate::error::{Error, Result};

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
    pub trial_days: i64,
    pub llm_tokens_limit: Option<i64>,
    pub voice_tokens_limit: Option<i64>,
    pub max_users: Option<i64>,
    pub features: Json<Vec<String>>,
    #[sqlx(rename = "plan_overage")]
    pub overage: Option<Json<OveragePrices>>,
    pub stripe_product_id: Option<String>,
    pub stripe_price_id: Option<String>,
    pub archived: bool,
    #[sqlx(rename = "plan_created_at")]
    pub created_at: DateTime<Utc>,
    #[sqlx(rename = "plan_updated_at")]
    pub updated_at: DateTime<Utc>,
}

impl PlanRow {
    /// What one interval costs.
    pub fn price(&self) -> Money {
        Money::new(self.price_minor, self.currency)
    }

    pub fn plan(self) -> Plan {
        let price = self.price();
        Plan {
            id: self.id,
            name: self.name,
            description: self.description,
            price,
            interval: self.billing_interval,
            trial_days: self.trial_days,
            limits: PerType { llm: self.llm_tokens_limit, voice: self.voice_tokens_limit },
            max_users: self.max_users,
            overage: self.overage.map(|prices| prices.0),
            features: self.features.0,
            stripe_price_id: self.stripe_price_id,
            archived: self.archived,
            subscribers: None,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// What [`PlanRow`] reads, for a statement that names the table `p`.
macro_rules! plan_columns {
    () => {
        "p.id, p.name, p.description, p.price_minor, p.currency, p.billing_interval, p.trial_days, p.llm_tokens_limit,
         p.voice_tokens_limit, p.max_users, p.features, p.overage AS plan_overage,
         p.stripe_product_id, p.stripe_price_id, p.archived,
         p.created_at AS plan_created_at, p.updated_at AS plan_updated_at"
    };
}
pub(super) use plan_columns;

/// SQL's [`PlanKey::yearly_minor`].
macro_rules! yearly_minor {
    () => {
        "p.price_minor * CASE p.billing_interval WHEN 'month' THEN 12 ELSE 1 END"
    };
}

/// Where a plan stands in lists: by currency, then by what a month costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanKey {
    pub currency: Currency,
    /// What a year costs, in minor units: monthly prices compared so that nothing is rounded.
    pub yearly_minor: i64,
    pub id: PlanId,
}

impl PlanKey {
    pub fn of(plan: &Plan) -> Self {
        let yearly_minor = plan.price.minor * i64::from(12 / plan.interval.months());
        Self { currency: plan.price.currency, yearly_minor, id: plan.id }
    }
}

impl Store {
    /// Every plan that can be bought, in the order of [`PlanKey`]; with `include_archived`, the others too.
    ///
    /// # Errors
    /// The database's.
    pub async fn plans(&self, include_archived: bool) -> Result<Vec<Plan>> {
        Ok(self.plans_page(include_archived, PageRequest::all()).await?.rows)
    }

    /// One page of [`Store::plans`].
    ///
    /// # Errors
    /// The database's.
    pub async fn plans_page(
        &self,
        include_archived: bool,
        page: PageRequest<PlanKey>,
    ) -> Result<PageRows<Plan>> {
        // Sorts before every plan there can be.
        let first = (String::new(), i64::MIN, PlanId(Uuid::nil()));
        let (currency, yearly, id) =
            page.after.map_or(first, |key| (key.currency.code().to_owned(), key.yearly_minor, key.id));
        let rows: Vec<PlanRow> = on_db!(self, |pool| {
            sqlx::query_as(concat!(
                "SELECT ",
                plan_columns!(),
                " FROM plans p WHERE ($1 OR NOT p.archived) AND (p.currency, ",
                yearly_minor!(),
                ", p.id) > ($2, $3, $4) ORDER BY p.currency, ",
                yearly_minor!(),
                ", p.id LIMIT $5"
            ))
            .bind(include_archived)
            .bind(currency)
            .bind(yearly)
            .bind(id)
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows.into_iter().map(PlanRow::plan).collect()))
    }

    /// How many live subscriptions each plan has; those without any are left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn subscribers_by_plan(&self) -> Result<HashMap<PlanId, i64>> {
        let rows: Vec<(PlanId, i64)> = on_db!(self, |pool| {
            sqlx::query_as(concat!(
                "SELECT s.plan_id, COUNT(*) FROM subscriptions s WHERE ",
                is_live!("s"),
                " GROUP BY s.plan_id"
            ))
            .fetch_all(pool)
            .await?
        });
        Ok(rows.into_iter().collect())
    }

    /// Which of a plan's name and Stripe price another plan on sale has, as the fields' errors. `except` is the plan
    /// itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn plan_conflicts(
        &self,
        name: &str,
        stripe_price_id: Option<&str>,
        except: Option<PlanId>,
    ) -> Result<Vec<FieldError>> {
        let rows: Vec<(PlanId, String, Option<String>)> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, name, stripe_price_id FROM plans
                 WHERE NOT archived AND (name = $1 OR stripe_price_id = $2)",
            )
            .bind(name)
            .bind(stripe_price_id)
            .fetch_all(pool)
            .await?
        });
        let others: Vec<_> = rows.iter().filter(|(id, ..)| Some(*id) != except).collect();
        let mut errors = Vec::new();
        if others.iter().any(|(_, other, _)| other == name) {
            errors.push(name_taken());
        }
        if others.iter().any(|(.., price)| price.is_some() && price.as_deref() == stripe_price_id) {
            errors.push(price_taken());
        }
        Ok(errors)
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

    /// Adds a plan.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] where another plan on sale has its name or its Stripe price; the database's.
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
                     stripe_product_id, stripe_price_id, created_at, updated_at, trial_days, overage)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15)",
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
            .bind(terms.trial_days)
            .bind(terms.overage.map(Json))
            .execute(pool)
            .await
            .map_err(taken)?;
        });
        Ok(())
    }

    /// Writes a plan's terms over what was there.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; as [`Store::add_plan`].
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
                     features = $10, stripe_product_id = $11, stripe_price_id = $12, updated_at = $13, trial_days = $14,
                     overage = $15
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
            .bind(terms.trial_days)
            .bind(terms.overage.map(Json))
            .execute(pool)
            .await
            .map_err(taken)?
            .rows_affected()
        });
        if changed == 0 { Err(Refusal::NotFound("plan".into()).into()) } else { Ok(()) }
    }

    /// Removes a plan that was never bought, and archives any other. Gives whether it is gone.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::Conflict`] while the plan is being bought; the database's.
    pub async fn remove_plan(&self, id: PlanId, now: DateTime<Utc>) -> Result<bool> {
        let deleted = write_db!(self, |pool| {
            sqlx::query(
                "DELETE FROM plans WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE plan_id = $1)
                     AND NOT EXISTS (SELECT 1 FROM subscription_reservations WHERE plan_id = $1)",
            )
            .bind(id)
            .execute(pool)
            .await
            .map(|done| done.rows_affected())
        });
        match deleted {
            Ok(1) => return Ok(true),
            Ok(_) => {}
            // An earlier period was under it, or a purchase began at this instant.
            Err(error) if dialect::is_foreign_key_violation(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let archived = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE plans SET archived = TRUE, updated_at = $2
                 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM subscription_reservations WHERE plan_id = $1)",
            )
            .bind(id)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if archived == 0 {
            self.plan(id).await?;
            let reason = "The plan is being bought at this moment. Try again shortly.";
            return Err(Refusal::Conflict(reason.into()).into());
        }
        Ok(false)
    }

    /// Puts an archived plan back on sale.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; as [`Store::add_plan`].
    pub async fn restore_plan(&self, id: PlanId, now: DateTime<Utc>) -> Result<()> {
        let restored = write_db!(self, |pool| {
            sqlx::query("UPDATE plans SET archived = FALSE, updated_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(pool)
                .await
                .map_err(taken)?
                .rows_affected()
        });
        if restored == 0 { Err(Refusal::NotFound("plan".into()).into()) } else { Ok(()) }
    }
}

impl Tx {
    /// One plan, archived or not.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn plan(&mut self, id: PlanId) -> Result<PlanRow> {
        let row = on_tx!(self, |connection| {
            sqlx::query_as(concat!("SELECT ", plan_columns!(), " FROM plans p WHERE p.id = $1"))
                .bind(id)
                .fetch_optional(connection)
                .await?
        });
        row.ok_or_else(|| Refusal::NotFound("plan".into()).into())
    }
}

fn name_taken() -> FieldError {
    FieldError { field: "name".into(), message: "Another plan on sale has this name.".into() }
}

fn price_taken() -> FieldError {
    FieldError {
        field: "stripe_price_id".into(),
        message: "Another plan is sold at this Stripe price.".into(),
    }
}

/// The two unique indexes of the plans on sale, as what the caller can mend.
fn taken(error: sqlx::Error) -> Error {
    if dialect::is_unique_violation(&error, "plans_name", "plans.name") {
        Refusal::Invalid(vec![name_taken()]).into()
    } else if dialect::is_unique_violation(&error, "plans_stripe_price", "plans.stripe_price_id") {
        Refusal::Invalid(vec![price_taken()]).into()
    } else {
        error.into()
    }
}
