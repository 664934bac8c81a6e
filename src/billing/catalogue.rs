//! The catalogue: plans here, products and prices at Stripe.

use stripe_shared::{Price, PriceType, RecurringUsageType};
use tracing::warn;
use uuid::Uuid;

use super::Billing;
use crate::domain::{Interval, Money, Plan, PlanId, PlanInput, PlanTerms, Refusal, Role, User};
use crate::error::Result;
use crate::storage::{PageRequest, PageRows, PlanKey};

/// What a plan is at Stripe.
struct Sold {
    /// The product this program made; `None` where the price was given.
    product: Option<String>,
    price: String,
}

impl Billing {
    /// The plans that can be bought, by currency and then by what a month costs; with `include_archived`, the others too.
    ///
    /// # Errors
    /// The database's.
    pub async fn plans(&self, include_archived: bool) -> Result<Vec<Plan>> {
        self.store.plans(include_archived).await
    }

    /// As [`Billing::plans`], each with its number of subscribers.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; the database's.
    pub async fn plans_with_subscribers(&self, user: &User, include_archived: bool) -> Result<Vec<Plan>> {
        user.must_be_superadmin()?;
        Ok(self.plans_page(Some(user), include_archived, PageRequest::all()).await?.rows)
    }

    /// One page of the plans as `user` may see them: archived ones and numbers of subscribers are for a SuperAdmin.
    ///
    /// # Errors
    /// The database's.
    pub async fn plans_page(
        &self,
        user: Option<&User>,
        include_archived: bool,
        page: PageRequest<PlanKey>,
    ) -> Result<PageRows<Plan>> {
        if user.is_none_or(|user| user.role != Role::SuperAdmin) {
            return self.store.plans_page(false, page).await;
        }
        let mut plans = self.store.plans_page(include_archived, page).await?;
        let subscribers = self.store.subscribers_by_plan().await?;
        for plan in &mut plans.rows {
            plan.subscribers = Some(subscribers.get(&plan.id).copied().unwrap_or(0));
        }
        Ok(plans)
    }

    /// One plan, archived or not.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn plan(&self, id: PlanId) -> Result<Plan> {
        Ok(self.store.plan(id).await?.plan())
    }

    /// As [`Billing::plan`], with its number of subscribers.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::NotFound`]; the database's.
    pub async fn plan_with_subscribers(&self, user: &User, id: PlanId) -> Result<Plan> {
        user.must_be_superadmin()?;
        let mut plan = self.plan(id).await?;
        plan.subscribers = Some(self.store.subscribers_by_plan().await?.get(&id).copied().unwrap_or(0));
        Ok(plan)
    }

    /// Makes a plan, and its product and price at Stripe unless a price is given.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::Invalid`], also where another plan on sale has the
    /// name or the price, or the price that was given isn't active, recurring and for the same amount; Stripe's; the
    /// database's.
    pub async fn create_plan(&self, user: &User, input: PlanInput) -> Result<Plan> {
        user.must_be_superadmin()?;
        let terms = input.check()?;
        self.must_be_unique(&terms, None).await?;
        let sold = match &terms.stripe_price_id {
            Some(id) => self.given_price(id, &terms).await?,
            None => {
                let product = self.stripe.create_product(&terms.name, &terms.description).await?;
                let price = self.stripe.create_price(&product, terms.price, terms.interval).await?;
                Sold { product: Some(product), price }
            }
        };
        let id = PlanId(Uuid::now_v7());
        self.store.add_plan(id, &terms, sold.product.as_deref(), &sold.price, self.clock.now()).await?;
        self.plan_with_subscribers(user, id).await
    }

    /// Changes a plan. Another price means another price at Stripe; who subscribed before keeps paying theirs.
    ///
    /// # Errors
    /// As [`Billing::create_plan`], and [`Refusal::NotFound`].
    pub async fn update_plan(&self, user: &User, id: PlanId, input: PlanInput) -> Result<Plan> {
        user.must_be_superadmin()?;
        let terms = input.check()?;
        let old = self.store.plan(id).await?;
        if !old.archived {
            self.must_be_unique(&terms, Some(id)).await?;
        }
        let (product, old_price) = (old.stripe_product_id.clone(), old.stripe_price_id.clone());
        let before = old.plan();
        let same_price = before.price == terms.price && before.interval == terms.interval;
        let sold = match (&terms.stripe_price_id, old_price) {
            // The id a client read and sent back, or left out: the price goes on while its amount does.
            (given, Some(price)) if same_price && given.as_ref().is_none_or(|id| *id == price) => {
                Sold { product, price }
            }
            // A price that was made for this plan, sent back with another amount: it is to be made anew.
            (Some(given), Some(price)) if *given == price && product.is_some() => {
                self.new_price(product, &terms).await?
            }
            (Some(given), _) => self.given_price(given, &terms).await?,
            (None, _) => self.new_price(product, &terms).await?,
        };
        if let Some(product) = &sold.product
            && before.name != terms.name
        {
            self.stripe.rename_product(product, &terms.name).await?;
        }
        let now = self.clock.now();
        self.store.change_plan_terms(id, &terms, sold.product.as_deref(), &sold.price, now).await?;
        self.plan_with_subscribers(user, id).await
    }

    /// Removes a plan that was never bought, and archives any other.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::NotFound`]; [`Refusal::Conflict`] while it is being
    /// bought; the database's.
    pub async fn remove_plan(&self, user: &User, id: PlanId) -> Result<()> {
        user.must_be_superadmin()?;
        let plan = self.store.plan(id).await?;
        self.store.remove_plan(id, self.clock.now()).await?;
        // The price isn't sold here any more. Where it stays active at Stripe, no harm is done.
        if let (Some(_), Some(price)) = (plan.stripe_product_id, plan.stripe_price_id)
            && let Err(error) = self.stripe.set_price_active(&price, false).await
        {
            warn!(%error, %price, "the price of a removed plan stays active at Stripe");
        }
        Ok(())
    }

    /// Puts an archived plan back on sale. One that is on sale stays so.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::NotFound`]; [`Refusal::Invalid`] where another plan
    /// on sale has its name or its price by now, or its price can't be charged any more; Stripe's; the database's.
    pub async fn restore_plan(&self, user: &User, id: PlanId) -> Result<Plan> {
        user.must_be_superadmin()?;
        let row = self.store.plan(id).await?;
        if row.archived {
            let conflicts =
                self.store.plan_conflicts(&row.name, row.stripe_price_id.as_deref(), Some(id)).await?;
            if !conflicts.is_empty() {
                return Err(Refusal::Invalid(conflicts).into());
            }
            match (&row.stripe_product_id, &row.stripe_price_id) {
                (Some(_), Some(price)) => self.stripe.set_price_active(price, true).await?,
                (None, Some(price)) => {
                    self.must_be_chargeable(price, row.price(), row.billing_interval).await?
                }
                (_, None) => {}
            }
            self.store.restore_plan(id, self.clock.now()).await?;
        }
        self.plan_with_subscribers(user, id).await
    }

    async fn must_be_unique(&self, terms: &PlanTerms, except: Option<PlanId>) -> Result<()> {
        let price = terms.stripe_price_id.as_deref();
        let conflicts = self.store.plan_conflicts(&terms.name, price, except).await?;
        if conflicts.is_empty() { Ok(()) } else { Err(Refusal::Invalid(conflicts).into()) }
    }

    async fn new_price(&self, product: Option<String>, terms: &PlanTerms) -> Result<Sold> {
        let product = match product {
            Some(product) => product,
            None => self.stripe.create_product(&terms.name, &terms.description).await?,
        };
        let price = self.stripe.create_price(&product, terms.price, terms.interval).await?;
        Ok(Sold { product: Some(product), price })
    }

    async fn given_price(&self, id: &str, terms: &PlanTerms) -> Result<Sold> {
        self.must_be_chargeable(id, terms.price, terms.interval).await?;
        Ok(Sold { product: None, price: id.to_owned() })
    }

    /// Checks that Stripe charges this at its price.
    async fn must_be_chargeable(&self, id: &str, price: Money, interval: Interval) -> Result<()> {
        let mismatch = match self.stripe.price(id).await? {
            None => Some("Stripe has no such price.".to_owned()),
            Some(found) => mismatch(&found, price, interval),
        };
        mismatch.map_or(Ok(()), |message| Err(Refusal::field("stripe_price_id", message).into()))
    }
}

/// Why a price of Stripe's can't be charged for this.
fn mismatch(found: &Price, price: Money, interval: Interval) -> Option<String> {
    if !found.active {
        return Some("The price is not active at Stripe.".into());
    }
    let Some(recurring) = found.recurring.as_ref().filter(|_| found.type_ == PriceType::Recurring) else {
        return Some("The price is not a recurring one.".into());
    };
    if recurring.usage_type != RecurringUsageType::Licensed {
        return Some("The price is metered at Stripe; a plan needs a fixed one.".into());
    }
    if found.currency.to_string() != price.currency.code() {
        return Some(format!("The price is in {}.", found.currency.to_string().to_uppercase()));
    }
    if found.unit_amount != Some(price.minor) {
        let amount = found.unit_amount.map(|minor| Money::new(minor, price.currency).to_string());
        return Some(format!(
            "The price is {} at Stripe.",
            amount.unwrap_or_else(|| "not a fixed amount".into())
        ));
    }
    if recurring.interval.as_str() != interval.as_str() || recurring.interval_count != 1 {
        return Some(format!(
            "The price is charged every {} {}.",
            recurring.interval_count,
            recurring.interval.as_str()
        ));
    }
    None
}
