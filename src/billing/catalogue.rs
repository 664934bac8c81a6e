//! The catalogue: plans here, products and prices at Stripe.

use stripe_shared::{Price, PriceType, RecurringUsageType};
use tracing::warn;
use uuid::Uuid;

use super::Billing;
use crate::domain::{Money, Plan, PlanId, PlanInput, PlanTerms, Refusal, User};
use crate::error::Result;

/// What a plan is at Stripe.
struct Sold {
    /// The product this program made; `None` where the price was given.
    product: Option<String>,
    price: String,
}

impl Billing {
    /// The plans that can be bought, cheapest first; with `include_archived`, the others too.
    pub async fn plans(&self, include_archived: bool) -> Result<Vec<Plan>> {
        self.store.plans(include_archived).await
    }

    /// One plan, archived or not.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn plan(&self, id: PlanId) -> Result<Plan> {
        Ok(self.store.plan(id).await?.plan())
    }

    /// Makes a plan, and its product and price at Stripe unless a price is given.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anybody but a SuperAdmin; [`Refusal::Invalid`], also where the price that was
    /// given isn't active, recurring and for the same amount; Stripe's; the database's.
    pub async fn create_plan(&self, user: &User, input: PlanInput) -> Result<Plan> {
        user.must_be_superadmin()?;
        let terms = input.check()?;
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
        self.plan(id).await
    }

    /// Changes a plan. Another price means another price at Stripe; who subscribed before keeps paying theirs.
    ///
    /// # Errors
    /// As [`Billing::create_plan`], and [`Refusal::NotFound`].
    pub async fn update_plan(&self, user: &User, id: PlanId, input: PlanInput) -> Result<Plan> {
        user.must_be_superadmin()?;
        let terms = input.check()?;
        let old = self.store.plan(id).await?;
        let (product, old_price) = (old.stripe_product_id.clone(), old.stripe_price_id.clone());
        let before = old.plan();
        let same_price = before.price == terms.price && before.interval == terms.interval;
        let sold = match (&terms.stripe_price_id, old_price) {
            // The id a client read and sent back, or left out: the price goes on while its amount does.
            (given, Some(price)) if same_price && given.as_ref().is_none_or(|id| *id == price) => {
                Sold { product, price }
            }
            // A price this program made, sent back with another amount: it is to be made anew.
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
        self.plan(id).await
    }

    /// Removes a plan nobody ever used, and archives any other.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anybody but a SuperAdmin; [`Refusal::NotFound`]; the database's.
    pub async fn remove_plan(&self, user: &User, id: PlanId) -> Result<()> {
        user.must_be_superadmin()?;
        let plan = self.store.plan(id).await?;
        self.store.remove_plan(id, self.clock.now()).await?;
        // Nothing here sells the price any more. Should Stripe not hear of it, no harm is done.
        if let (Some(_), Some(price)) = (plan.stripe_product_id, plan.stripe_price_id)
            && let Err(error) = self.stripe.retire_price(&price).await
        {
            warn!(%error, %price, "the price of a removed plan stays active at Stripe");
        }
        Ok(())
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
        let price = self.stripe.price(id).await?;
        let problem = match &price {
            None => Some("Stripe has no such price.".to_owned()),
            Some(price) => mismatch(price, terms),
        };
        match problem {
            Some(problem) => Err(Refusal::field("stripe_price_id", problem).into()),
            None => Ok(Sold { product: None, price: id.to_owned() }),
        }
    }
}

/// Why a price can't be charged for these terms.
fn mismatch(price: &Price, terms: &PlanTerms) -> Option<String> {
    if !price.active {
        return Some("The price is not active at Stripe.".into());
    }
    let Some(recurring) = price.recurring.as_ref().filter(|_| price.type_ == PriceType::Recurring) else {
        return Some("The price is not a recurring one.".into());
    };
    if recurring.usage_type != RecurringUsageType::Licensed {
        return Some("The price is metered at Stripe; a plan needs a fixed one.".into());
    }
    if price.currency.to_string() != terms.price.currency.code() {
        return Some(format!("The price is in {}.", price.currency.to_string().to_uppercase()));
    }
    if price.unit_amount != Some(terms.price.minor) {
        let amount = price.unit_amount.map(|minor| Money::new(minor, terms.price.currency).to_string());
        return Some(format!(
            "The price is {} at Stripe.",
            amount.unwrap_or_else(|| "not a fixed amount".into())
        ));
    }
    if recurring.interval.as_str() != terms.interval.as_str() || recurring.interval_count != 1 {
        return Some(format!(
            "The price is charged every {} {}.",
            recurring.interval_count,
            recurring.interval.as_str()
        ));
    }
    None
}
