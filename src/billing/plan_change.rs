//! Changing the plan of a subscription.
//!
//! A dearer plan is charged for at once, and begins once that is paid: until then the change waits at Stripe, which gives it
//! up after a day. A cheaper one is scheduled there to begin with the next period. So what was paid for is had, and what
//! isn't paid for isn't.

use chrono::{DateTime, Duration, Utc};
use stripe_shared::{InvoiceStatus, Subscription as StripeSubscription, SubscriptionItem};

use super::life::must_be_live;
use super::stripe::{PriceChange, Settled};
use super::sync::{gone, next_price};
use super::{Billing, time};
use crate::domain::{
    Checkout, Effective, GroupId, Intent, Money, NextCharge, Plan, PlanChange, PlanId, Refusal, Status,
    SubscriptionId, User,
};
use crate::error::{Error, Result};
use crate::storage::SubscriptionRow;

/// How old the moment may be that an amount was worked out for.
const PREVIEW_HOLDS: Duration = Duration::hours(1);
/// How far our clock and Stripe's may be apart.
const CLOCKS_DIFFER: Duration = Duration::minutes(1);

/// A change that may be made.
struct Planned {
    group: GroupId,
    row: SubscriptionRow,
    /// What the group has, on the terms that it was bought on.
    current: Plan,
    wanted: Plan,
    found: StripeSubscription,
}

impl Planned {
    fn price(&self) -> Result<&str> {
        let missing = || Error::Internal(format!("plan {} has no price at Stripe", self.wanted.id));
        self.wanted.stripe_price_id.as_deref().ok_or_else(missing)
    }

    fn item(&self) -> Result<&SubscriptionItem> {
        let missing = || Error::Stripe(format!("{} has no items", self.found.id.as_str()));
        self.found.items.data.first().ok_or_else(missing)
    }

    fn change(&self, at: DateTime<Utc>) -> Result<PriceChange<'_>> {
        Ok(PriceChange {
            subscription: self.found.id.as_str(),
            item: self.item()?.id.as_str(),
            price: self.price()?,
            at: at.timestamp(),
        })
    }

    /// Whether it is the plan that the group has, so that only what was to come of another is taken back.
    fn is_same(&self) -> bool {
        self.current.id == self.wanted.id
    }
}

impl Billing {
    /// What a change of plan comes to, before it is made. Nothing is changed.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`] for a plan that isn't there, and for another
    /// group's subscription; [`Refusal::PlanArchived`]; [`Refusal::TooManyMembers`]; a refusal on `plan_id` for a plan of
    /// another currency, and on `proration_date`; [`Refusal::Conflict`] for a subscription that is to end, has ended, or
    /// waits for a payment, and for a purchase on its way; Stripe's; the database's.
    pub async fn preview_change(
        &self,
        user: &User,
        id: SubscriptionId,
        plan: PlanId,
        at: Option<DateTime<Utc>>,
    ) -> Result<PlanChange> {
        let planned = self.planned(user, id, plan).await?;
        let end = planned.row.current_period_end;
        let (wanted, nothing) = (planned.wanted.clone(), Money::new(0, planned.wanted.price.currency));
        let next = NextCharge { amount: wanted.price, at: end };
        if planned.is_same() || planned.current.change_to(&wanted) == Effective::PeriodEnd {
            let (effective, lines) = (Effective::PeriodEnd, Vec::new());
            return Ok(PlanChange { plan: wanted, effective, at: end, due: nothing, lines, next });
        }
        let at = self.proration_date(&planned, at)?;
        if planned.row.status == Status::Trialing {
            // Nothing was paid for a trial, and nothing is until it ends.
            let (effective, lines) = (Effective::Now, Vec::new());
            return Ok(PlanChange { plan: wanted, effective, at, due: nothing, lines, next });
        }
        let invoice = self.stripe.preview_change(&planned.change(at)?).await?;
        let invoice = self.invoice(&invoice).await?;
        // Where the interval changes, a period begins now.
        let begun = invoice
            .lines
            .iter()
            .map(|line| line.period_end)
            .max()
            .filter(|_| planned.current.interval != planned.wanted.interval);
        Ok(PlanChange {
            plan: wanted,
            effective: Effective::Now,
            at,
            due: invoice.amount_due,
            next: NextCharge { at: begun.unwrap_or(end), ..next },
            lines: invoice.lines,
        })
    }

    /// Changes the plan. Where it is charged for at once, the card there is pays; a client secret is left where the bank
    /// asks its cardholder first, and the plan stays the one it was until then. A change to the plan that the group has
    /// takes back what was to come. Safe to repeat.
    ///
    /// # Errors
    /// As [`Billing::preview_change`]; [`Refusal::CardDeclined`], after which nothing has changed.
    pub async fn change_plan(
        &self,
        user: &User,
        id: SubscriptionId,
        plan: PlanId,
        at: Option<DateTime<Utc>>,
    ) -> Result<Checkout> {
        let planned = self.planned(user, id, plan).await?;
        if !planned.is_same() && planned.current.change_to(&planned.wanted) == Effective::PeriodEnd {
            self.change_later(&planned).await?;
            return self.changed(&planned, None).await;
        }
        let at = self.proration_date(&planned, at)?;
        if let Some(secret) = self.resumed(&planned).await? {
            return self.changed(&planned, Some(secret)).await;
        }
        self.take_back(&planned.found).await?;
        if planned.is_same() {
            return self.changed(&planned, None).await;
        }
        self.change_now(&planned, at).await
    }

    async fn planned(&self, user: &User, id: SubscriptionId, plan_id: PlanId) -> Result<Planned> {
        let group = user.must_be_admin()?;
        let row = self.arrived(group, id).await?;
        must_be_live(row.status)?;
        let stripe_id = row.stripe_subscription_id;
        let found = self.pull(group, id, &stripe_id, None).await?.ok_or_else(|| gone(&stripe_id))?.found;
        let row = self.store.subscription(group, id).await?;
        let current = self.shown(row.clone()).plan;
        let wanted = if current.id == plan_id { current.clone() } else { self.sold(plan_id).await? };
        if wanted.price.currency != current.price.currency {
            let message =
                "The plan is in another currency than the subscription. Cancel it to buy this plan.";
            return Err(Refusal::field("plan_id", message).into());
        }
        if let Some(seats) = wanted.max_users {
            let members = self.members(group).await?;
            if members > seats {
                return Err(Refusal::TooManyMembers { members, seats }.into());
            }
        }
        match row.status {
            Status::Active | Status::Trialing if row.cancel_at_period_end => {
                let message = "The subscription is to end. Keep it first, and then change the plan.";
                Err(Refusal::Conflict(message.into()).into())
            }
            Status::Active | Status::Trialing => Ok(Planned { group, row, current, wanted, found }),
            _ => {
                let message = "The plan can be changed once what the subscription waits for is paid.";
                Err(Refusal::Conflict(message.into()).into())
            }
        }
    }

    async fn members(&self, group: GroupId) -> Result<i64> {
        let mut tx = self.store.begin().await?;
        let members = tx.member_count(group).await?;
        tx.commit().await?;
        Ok(members)
    }

    /// A plan that can be bought.
    async fn sold(&self, id: PlanId) -> Result<Plan> {
        let plan = self.store.plan(id).await?.plan();
        if plan.archived { Err(Refusal::PlanArchived.into()) } else { Ok(plan) }
    }

    /// The moment to prorate by: that of the preview, or now.
    fn proration_date(&self, planned: &Planned, given: Option<DateTime<Utc>>) -> Result<DateTime<Utc>> {
        let Some(at) = given else { return self.now_at_stripe(&planned.found) };
        let now = self.now_at_stripe(&planned.found)?;
        if at > now - PREVIEW_HOLDS && at <= now + CLOCKS_DIFFER && at >= planned.row.current_period_start {
            return Ok(at);
        }
        let message = "Is not a moment of the last hour, in the current period. Preview the change anew.";
        Err(Refusal::field("proration_date", message).into())
    }

    /// The time that the subscription lives by: our own, or that of its test clock.
    fn now_at_stripe(&self, found: &StripeSubscription) -> Result<DateTime<Utc>> {
        let clock = found.test_clock.as_ref().and_then(|clock| clock.as_object());
        clock.map_or_else(|| Ok(self.clock.now()), |clock| time(clock.frozen_time))
    }

    /// Where this change waits for the bank already: what is left to confirm.
    async fn resumed(&self, planned: &Planned) -> Result<Option<String>> {
        let waits =
            planned.found.pending_update.as_ref().and_then(|update| update.subscription_items.as_ref());
        let price = planned.price()?;
        if !waits.is_some_and(|items| items.iter().any(|item| item.price.id.as_str() == price)) {
            return Ok(None);
        }
        let Some(secret) = waiting_secret(&planned.found) else { return Ok(None) };
        match self.stripe.settled(&secret).await? {
            Settled::NeedsAction => Ok(Some(secret)),
            Settled::Paid | Settled::Refused(_) => Ok(None),
        }
    }

    /// Takes back what waits, or is to begin with the next period.
    async fn take_back(&self, found: &StripeSubscription) -> Result<()> {
        if found.pending_update.is_some()
            && let Some(invoice) = open_invoice(found)
        {
            self.stripe.void_invoice(&invoice).await?;
        }
        self.release(found).await
    }

    async fn change_later(&self, planned: &Planned) -> Result<()> {
        if next_price(&planned.found).as_deref() == Some(planned.price()?) {
            return Ok(());
        }
        self.take_back(&planned.found).await?;
        Ok(self.stripe.schedule_price(&planned.found, planned.price()?).await?)
    }

    async fn change_now(&self, planned: &Planned, at: DateTime<Utc>) -> Result<Checkout> {
        let change = planned.change(at)?;
        // Another attempt after one that failed is another one: that one's invoice is the latest then.
        let latest = planned.found.latest_invoice.as_ref().and_then(|invoice| invoice.id().as_ref());
        let latest = latest.map_or("", |id| id.as_str());
        let key = format!("change-{}-{}-{latest}", change.subscription, change.price);
        let failure = match self.stripe.change_price(&change, &key).await {
            Ok(_) => None,
            // It may have been done all the same.
            Err(failure) if !failure.did_nothing() => Some(failure),
            Err(failure) => return Err(failure.into()),
        };
        let stripe_id = planned.found.id.as_str();
        let id = planned.row.subscription_id;
        let now = self.pull(planned.group, id, stripe_id, None).await?.ok_or_else(|| gone(stripe_id))?;
        if now.state.stripe_price_id == change.price {
            return self.changed(planned, None).await;
        }
        let Some(secret) = waiting_secret(&now.found).filter(|_| now.found.pending_update.is_some()) else {
            return Err(failure.map_or_else(
                || Error::Stripe(format!("{stripe_id} neither changed nor waits for a payment")),
                Error::from,
            ));
        };
        match self.stripe.settled(&secret).await? {
            Settled::NeedsAction => self.changed(planned, Some(secret)).await,
            Settled::Paid => self.changed(planned, None).await,
            Settled::Refused(refusal) => {
                self.take_back(&now.found).await?;
                self.pull(planned.group, id, stripe_id, None).await?;
                Err(refusal.into())
            }
        }
    }

    async fn changed(&self, planned: &Planned, secret: Option<String>) -> Result<Checkout> {
        let (group, id) = (planned.group, planned.row.subscription_id);
        if secret.is_none() {
            self.pull(group, id, planned.found.id.as_str(), None).await?;
        }
        self.answer(group, id, secret.map(|secret| (secret, Intent::Payment))).await
    }
}

/// The id of the newest invoice, if it is open.
fn open_invoice(found: &StripeSubscription) -> Option<String> {
    let invoice = found.latest_invoice.as_ref()?.as_object()?;
    invoice.id.as_ref().filter(|_| invoice.status == Some(InvoiceStatus::Open)).map(ToString::to_string)
}

/// What is left to confirm of the newest invoice, if it is open.
fn waiting_secret(found: &StripeSubscription) -> Option<String> {
    open_invoice(found)?;
    let invoice = found.latest_invoice.as_ref()?.as_object()?;
    invoice.confirmation_secret.as_ref().map(|secret| secret.client_secret.clone())
}
