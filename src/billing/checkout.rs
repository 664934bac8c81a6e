//! Buying a plan, and finishing the payment.

use stripe_shared::Subscription as StripeSubscription;
use tracing::{error, warn};

use super::Billing;
use super::failure::Failure;
use super::stripe::{Purchase, intent_of};
use super::sync::gone;
use crate::domain::{Checkout, GroupId, Intent, PlanId, Refusal, Status, SubscriptionId, User};
use crate::error::Result;
use crate::storage::ReservationRow;

/// What is left to confirm, and what kind it is.
pub(super) type Secret = Option<(String, Intent)>;

impl Billing {
    /// Buys a plan for the admin's group. Without a payment method the answer's client secret is for a card form to
    /// confirm; with one, the card is charged now, and a secret is left only for 3D Secure, or where Stripe failed to say
    /// what became of the payment.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`] or [`Refusal::PlanArchived`] for a plan that
    /// isn't sold; [`Refusal::SubscriptionExists`], [`Refusal::PurchaseInProgress`], [`Refusal::TooManyMembers`],
    /// [`Refusal::CardDeclined`], [`Refusal::StripeRefused`], after each of which the group may buy again; Stripe's; the
    /// database's.
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
        if let Some(left) = self.take_over(group).await?
            && let Some(checkout) =
                self.leased(left.id, self.go_on(plan_id, &left, payment_method.as_deref())).await?
        {
            return Ok(checkout);
        }
        let reservation = self.reserve(user, group, plan_id).await?;
        let buy = async {
            let (made, card) = self.make(user, &reservation, payment_method.as_deref()).await?;
            self.pay_first(&reservation, &made, card.as_deref()).await
        };
        self.leased(reservation.id, buy).await
    }

    /// Goes on with a purchase that was cut off, where it is of the plan that is wanted now, and ends it where it isn't.
    /// `None` where another has to begin.
    async fn go_on(
        &self,
        plan_id: PlanId,
        left: &ReservationRow,
        payment_method: Option<&str>,
    ) -> Result<Option<Checkout>> {
        let (group, id) = (left.group_id, left.id);
        let Some(made) = self.settle(left).await? else { return Ok(None) };
        let live = super::sync::state(&made)?.status.is_live();
        if live && left.plan_id != plan_id {
            self.discard(left, &made).await?;
            return Ok(None);
        }
        self.convert(group, id, &made).await?;
        if !live {
            return Ok(None);
        }
        let stripe_id = made.id.as_str();
        let found = self.pull(group, id, stripe_id, None).await?.ok_or_else(|| gone(stripe_id))?.found;
        let card = match (payment_method, &left.stripe_customer_id) {
            (Some(card), Some(customer)) => Some(self.stripe.attach(card, customer).await?),
            _ => None,
        };
        self.pay_first(left, &found, card.as_deref()).await.map(Some)
    }

    /// Charges the card, where there is one and something is due, and says what is left to confirm.
    async fn pay_first(
        &self,
        reservation: &ReservationRow,
        made: &StripeSubscription,
        card: Option<&str>,
    ) -> Result<Checkout> {
        match (secret(made), card) {
            (Some((secret, Intent::Payment)), Some(card)) => {
                self.charge(reservation, made, &secret, card).await
            }
            (secret, _) => self.answer(reservation.group_id, reservation.id, secret).await,
        }
    }

    /// Has Stripe make the subscription of a reservation, and keeps it. Gives it with the card it is paid by.
    async fn make(
        &self,
        user: &User,
        reservation: &ReservationRow,
        payment_method: Option<&str>,
    ) -> Result<(StripeSubscription, Option<String>)> {
        let (group, id) = (reservation.group_id, reservation.id);
        let payer = async {
            let (customer, card) = self.payer(user, group, payment_method).await?;
            self.store.set_payer(id, &customer, card.as_deref()).await?;
            Ok((customer, card))
        };
        let (customer, card) = match payer.await {
            Ok(payer) => payer,
            Err(error) => {
                // Stripe wasn't asked for a subscription yet.
                self.store.delete_reservation(id).await?;
                return Err(error);
            }
        };
        let asked = ReservationRow { payment_method: card.clone(), ..reservation.clone() };
        let made = match self.stripe.create_subscription(&Purchase::of(&asked, &customer)).await {
            Ok(made) => made,
            Err(failure) => {
                let found = self.outcome(reservation, &customer, failure).await?;
                // As a list has it, without what a checkout needs.
                let stripe_id = found.id.as_str();
                self.stripe.subscription(stripe_id).await?.ok_or_else(|| gone(stripe_id))?
            }
        };
        if !self.convert(group, id, &made).await? && self.store.subscription(group, id).await.is_err() {
            // It took so long that it was taken for cut off, and the group may have bought another.
            self.stripe.cancel_now(made.id.as_str(), None).await?;
            return Err(Refusal::PurchaseInProgress.into());
        }
        Ok((made, card))
    }

    /// The group's customer at Stripe with the card, where one is given.
    async fn payer(
        &self,
        user: &User,
        group: GroupId,
        payment_method: Option<&str>,
    ) -> Result<(String, Option<String>)> {
        let customer = self.customer(user, group).await?;
        let card = match payment_method {
            Some(card) => Some(self.stripe.attach(card, &customer).await?),
            None => None,
        };
        Ok((customer, card))
    }

    /// The group's customer at Stripe, made where there is none: not yet, or not any more, since it was deleted there.
    pub(super) async fn customer(&self, user: &User, group: GroupId) -> Result<String> {
        let kept = self.store.stripe_customer(group).await?;
        if let Some(kept) = &kept
            && self.stripe.customer(kept).await?.is_some()
        {
            return Ok(kept.clone());
        }
        let name = user.group.as_ref().map_or(user.name.as_str(), |group| group.name.as_str());
        let customer = self.stripe.create_customer(name, &user.email, &group.to_string()).await?;
        self.store.replace_stripe_customer(group, kept.as_deref(), &customer).await
    }

    /// Charges a card for a subscription just made. What Stripe refuses undoes the purchase, so that the group may buy
    /// again; where it doesn't say what became of the payment, that is left to confirm, which can't charge twice.
    async fn charge(
        &self,
        reservation: &ReservationRow,
        made: &StripeSubscription,
        client_secret: &str,
        card: &str,
    ) -> Result<Checkout> {
        let (group, id, stripe_id) = (reservation.group_id, reservation.id, made.id.as_str());
        let intent = intent_of(client_secret);
        let confirmed = self.stripe.confirm(intent, card).await;
        let found = match self.pull(group, id, stripe_id, None).await {
            Ok(pulled) => pulled.map(|pulled| pulled.found),
            Err(error) => {
                warn!(%error, subscription = %id, "what became of a payment isn't known");
                return match confirmed {
                    Err(failure) if failure.did_nothing() => Err(failure.into()),
                    _ => self.answer(group, id, secret(made)).await,
                };
            }
        };
        let Err(failure) = confirmed else {
            let found = found.ok_or_else(|| gone(stripe_id))?;
            return self.answer(group, id, secret(&found)).await;
        };
        let status: Option<Status> = found.as_ref().and_then(|found| found.status.as_str().parse().ok());
        match (status, &failure) {
            (Some(Status::Incomplete), Failure::Failed(_) | Failure::NoAnswer(_)) => {
                self.answer(group, id, found.as_ref().and_then(secret)).await
            }
            (Some(Status::Incomplete), _) => {
                self.undo(stripe_id).await;
                Err(failure.into())
            }
            (Some(status), _) if status.is_live() => {
                self.answer(group, id, found.as_ref().and_then(secret)).await
            }
            _ if matches!(failure, Failure::Refused(Refusal::CardDeclined { .. })) => Err(failure.into()),
            _ => Err(Refusal::Conflict("The purchase was cancelled before it was paid.".into()).into()),
        }
    }

    /// Ends a subscription that was never paid.
    async fn undo(&self, stripe_id: &str) {
        let undone = async {
            self.stripe.cancel_now(stripe_id, None).await?;
            self.sync(stripe_id, None).await
        };
        if let Err(error) = undone.await {
            error!(%error, stripe_id, "an unpaid subscription stays; it can be paid, or cancelled");
        }
    }

    /// The checkout that the admin's group began and did not finish. Stripe is asked, and its answer kept: a customer who
    /// comes back from the bank's own page may be faster than the webhook.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; Stripe's; the database's.
    pub async fn checkout(&self, user: &User) -> Result<Option<Checkout>> {
        let group = user.must_be_admin()?;
        let Some(row) = self.store.live_subscription(group).await? else { return Ok(None) };
        if row.status != Status::Incomplete && row.status != Status::Trialing {
            return Ok(None);
        }
        let pulled = self.pull(group, row.subscription_id, &row.stripe_subscription_id, None).await?;
        match pulled.and_then(|pulled| secret(&pulled.found)) {
            Some(secret) => self.answer(group, row.subscription_id, Some(secret)).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether the user's group can still have its one trial.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a user without a group; the database's.
    pub async fn can_try(&self, user: &User) -> Result<bool> {
        Ok(!self.store.had_trial(user.must_have_group()?).await?)
    }

    pub(super) async fn answer(
        &self,
        group: GroupId,
        id: SubscriptionId,
        secret: Secret,
    ) -> Result<Checkout> {
        let subscription = self.shown(self.store.subscription(group, id).await?);
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
pub(super) fn is_stripe_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
