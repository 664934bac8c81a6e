//! Buying a plan, finishing the payment, and cancelling.

use stripe_shared::Subscription as StripeSubscription;
use uuid::Uuid;

use super::stripe::Purchase;
use super::sync::{UNTOLD, gone};
use super::{Billing, Error};
use crate::domain::{
    Checkout, GroupId, Intent, Interval, Period, PlanId, Refusal, Status, Subscription, SubscriptionId, User,
};
use crate::error::Result;
use crate::storage::NewSubscription;

/// What is left to confirm, and what kind it is.
type Secret = Option<(String, Intent)>;

impl Billing {
    /// Buys a plan for the admin's group. Without a payment method the answer's client secret is for a card
    /// form to confirm; with one, the card is charged now, and a secret is left only for 3D Secure.
    ///
    /// The group's one place is taken in the database before Stripe hears of anything, so two purchases at
    /// the same instant can't both reach it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anybody but an admin; [`Refusal::NotFound`] or [`Refusal::PlanArchived`] for
    /// a plan that isn't sold; [`Refusal::SubscriptionExists`], [`Refusal::TooManyMembers`],
    /// [`Refusal::CardDeclined`]; Stripe's; the database's.
    pub async fn subscribe(
        &self,
        user: &User,
        plan_id: PlanId,
        payment_method: Option<String>,
    ) -> Result<Checkout> {
        let group = user.must_be_admin()?;
        if payment_method.as_deref().is_some_and(|id| !is_stripe_id(id)) {
            return Err(Refusal::field("payment_method", "A payment method's id looks like pm_1Abc….").into());
        }
        let plan = self.store.plan(plan_id).await?;
        if plan.archived {
            return Err(Refusal::PlanArchived.into());
        }
        let price = plan
            .stripe_price_id
            .clone()
            .ok_or_else(|| Error::Internal(format!("plan {plan_id} has no price")))?;
        self.free_a_cut_off_place(group).await?;
        let id = self.reserve(user, group, &plan.plan(), &price).await?;
        let made = async {
            let customer = self.customer(user, group).await?;
            let card = match &payment_method {
                Some(card) => Some(self.stripe.attach(card, &customer).await?),
                None => None,
            };
            let purchase = Purchase {
                customer: &customer,
                price: &price,
                reference: id.to_string(),
                payment_method: card.as_deref(),
                backdated: None,
            };
            Ok((self.stripe.create_subscription(&purchase).await?, card))
        }
        .await;
        let (made, card) = match made {
            Ok(made) => made,
            Err(error) => {
                // Refused outright, nothing was sold. Otherwise Stripe may have sold it: the place is kept
                // until it has been asked.
                if matches!(error, Error::Refused(_)) {
                    self.store.drop_reservation(id).await?;
                }
                return Err(error);
            }
        };
        let ticket = self.store.draw_sync_ticket(id).await?;
        self.write(id, group, ticket, &made, None).await?;
        match (secret(&made), card) {
            (Some((secret, Intent::Payment)), Some(card)) => {
                self.charge(group, id, &made, &secret, &card).await
            }
            (secret, _) => self.answer(group, id, secret).await,
        }
    }

    /// The checkout that the admin's group began and did not finish. Stripe is asked, and its answer kept: who
    /// comes back from the bank's own page may be faster than the webhook.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anybody but an admin; Stripe's; the database's.
    pub async fn checkout(&self, user: &User) -> Result<Option<Checkout>> {
        let group = user.must_be_admin()?;
        let Some(row) = self.store.live_subscription(group).await? else { return Ok(None) };
        if row.status != Status::Incomplete && row.status != Status::Trialing {
            return Ok(None);
        }
        let Some(stripe_id) = &row.stripe_subscription_id else { return Ok(None) };
        let pulled = self.pull(row.subscription_id, group, stripe_id, None).await?;
        match pulled.and_then(|pulled| secret(&pulled.found)) {
            Some(secret) => self.answer(group, row.subscription_id, Some(secret)).await.map(Some),
            None => Ok(None),
        }
    }

    /// Cancels, at the end of the period or now. A subscription that was never paid ends now in any case.
    /// One that has ended stays as it is.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anybody but an admin; [`Refusal::NotFound`], also for another group's;
    /// Stripe's; the database's.
    pub async fn cancel(&self, user: &User, id: SubscriptionId, at_period_end: bool) -> Result<Subscription> {
        let group = user.must_be_admin()?;
        let row = self.store.subscription(group, id).await?;
        let status = row.status;
        if !status.is_live() {
            return Ok(row.subscription());
        }
        let Some(stripe_id) = row.stripe_subscription_id.clone() else {
            return Err(Refusal::Conflict("The purchase is still on its way to Stripe.".into()).into());
        };
        if at_period_end && status != Status::Incomplete {
            self.stripe.cancel_at_period_end(&stripe_id).await?;
        } else {
            self.stripe.cancel_now(&stripe_id).await?;
        }
        self.sync(&stripe_id, None).await?;
        Ok(self.store.subscription(group, id).await?.subscription())
    }

    /// Takes the group's place for a purchase that begins now.
    pub(super) async fn reserve(
        &self,
        user: &User,
        group: GroupId,
        plan: &crate::domain::Plan,
        price: &str,
    ) -> Result<SubscriptionId> {
        let now = self.clock.now();
        let new = NewSubscription {
            id: Uuid::now_v7().into(),
            group_id: group,
            user_id: user.id,
            plan_id: plan.id,
            stripe_price_id: price.to_owned(),
            price_minor: plan.price.minor,
            period_end: first_end(now, plan.interval),
        };
        self.store.reserve_subscription(&new, now).await?;
        Ok(new.id)
    }

    /// The group's customer at Stripe, made if need be.
    pub(super) async fn customer(&self, user: &User, group: GroupId) -> Result<String> {
        if let Some(customer) = self.store.stripe_customer(group).await? {
            return Ok(customer);
        }
        let name = user.group.as_ref().map_or(user.name.as_str(), |group| group.name.as_str());
        let customer = self.stripe.create_customer(name, &user.email, &group.to_string()).await?;
        self.store.keep_stripe_customer(group, &customer).await
    }

    /// A purchase that was cut off on its way to Stripe must not keep the group from buying.
    async fn free_a_cut_off_place(&self, group: GroupId) -> Result<()> {
        if let Some(row) = self.store.live_subscription(group).await?
            && row.stripe_subscription_id.is_none()
            && self.clock.now() - row.current_period_start >= UNTOLD
        {
            self.settle_untold(&row).await?;
        }
        Ok(())
    }

    /// Charges a card for a subscription just made. A declined card undoes the purchase.
    async fn charge(
        &self,
        group: GroupId,
        id: SubscriptionId,
        made: &StripeSubscription,
        client_secret: &str,
        card: &str,
    ) -> Result<Checkout> {
        // A client secret is the intent's id, `_secret_`, and the secret.
        let intent = client_secret.split("_secret_").next().unwrap_or(client_secret);
        let stripe_id = made.id.as_str();
        if let Err(error) = self.stripe.confirm(intent, card).await {
            if matches!(error, Error::Refused(_)) {
                self.stripe.cancel_now(stripe_id).await?;
                self.sync(stripe_id, None).await?;
            }
            return Err(error);
        }
        let now = self.pull(id, group, stripe_id, None).await?.ok_or_else(|| gone(stripe_id))?;
        self.answer(group, id, secret(&now.found)).await
    }

    async fn answer(&self, group: GroupId, id: SubscriptionId, secret: Secret) -> Result<Checkout> {
        let subscription = self.store.subscription(group, id).await?.subscription();
        let (client_secret, intent) = secret.unzip();
        let publishable_key = self.config.stripe.publishable_key.clone();
        Ok(Checkout { subscription, client_secret, intent, publishable_key })
    }
}

/// What is left to confirm of a subscription that was fetched with its expansions.
fn secret(found: &StripeSubscription) -> Secret {
    let setup = found.pending_setup_intent.as_ref().and_then(|intent| intent.as_object());
    if let Some(secret) = setup.and_then(|intent| intent.client_secret.clone()) {
        return Some((secret, Intent::Setup));
    }
    if found.status.as_str() != Status::Incomplete.as_str() {
        return None;
    }
    let invoice = found.latest_invoice.as_ref().and_then(|invoice| invoice.as_object())?;
    invoice.confirmation_secret.as_ref().map(|secret| (secret.client_secret.clone(), Intent::Payment))
}

/// Whether a text can be an id at Stripe. It becomes part of an address there, so nothing else may pass.
fn is_stripe_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Where the first period ends, until Stripe says so.
fn first_end(now: chrono::DateTime<chrono::Utc>, interval: Interval) -> chrono::DateTime<chrono::Utc> {
    Period { start: now, end: now }.following(interval, now).end
}
