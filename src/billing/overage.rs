//! Overage: agreeing to it, and charging it.
//!
//! A period's charges are written once, in one transaction, when the period is over. Then they are put on an invoice: on
//! the renewal's draft where there is one, and on one of their own where there is none (the subscription has ended, its plan
//! was changed, or it is a month of a yearly plan). Each step can be cut off and done again: a line is made
//! once by its key, and what Stripe has is looked for before it is asked again.

use std::collections::HashMap;

use chrono::Duration;
use stripe_billing::InvoiceItem;
use stripe_shared::{InvoiceStatus, Subscription as StripeSubscription};
use tracing::{info, warn};
use uuid::Uuid;

use super::Billing;
use super::stripe::OwnInvoice;
use super::sync::gone;
use crate::domain::{
    GroupId, Money, Notice, OverageAgreement, OverageConsent, OverageTerms, Refusal, SubscriptionId, User,
};
use crate::error::{Error, Result};
use crate::storage::{ChargeProblem, EndedPeriod, OverageCharge};

/// How many periods are worked on in one go.
const BATCH: i64 = 100;
/// Charges that are compared at a time.
const PAGE: i64 = 200;
/// How long a period's charges are kept from other processes while they are put on an invoice, and from being tried again
/// where that failed.
const RETRY: Duration = Duration::minutes(2);

impl Billing {
    /// Enables overage for the admin's group up to a ceiling for each period, or disables it. What was spent under it before
    /// stays charged. Kept with who and at which prices, and told to the group.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`], also for another group's;
    /// [`Refusal::Conflict`] for a subscription that has ended, and where its plan sells no overage; a refusal on `cap`; the
    /// database's.
    pub async fn agree_to_overage(
        &self,
        user: &User,
        id: SubscriptionId,
        agreement: &OverageAgreement,
    ) -> Result<()> {
        let group = user.must_be_admin()?;
        self.arrived(group, id).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        let ended = || Refusal::Conflict("The subscription has ended.".into());
        let row = tx.overage(group, id, now).await?.ok_or_else(ended)?;
        let prices = row.period_prices.or(row.plan_prices).map(|prices| prices.0);
        let terms = match (agreement.enabled, prices) {
            (false, _) => None,
            (true, None) => {
                return Err(Refusal::Conflict("The plan sells nothing beyond its limits.".into()).into());
            }
            (true, Some(prices)) => Some((prices, agreement.cap(prices.currency)?.minor)),
        };
        let cap = terms.map(|(_, cap)| cap);
        tx.agree_to_overage(group, user.id, &row, cap, now).await?;
        // Agreeing to the same again is no news.
        if let Some((prices, cap)) = terms
            && (row.agreed_cap != Some(cap) || row.agreed_prices != row.plan_prices)
        {
            let notice = Notice::OverageEnabled(OverageTerms::new(&prices, cap));
            tx.add_notice(group, &notice, None, now).await?;
        }
        tx.commit().await?;
        self.store.wake_notices();
        info!(subscription = %id, enabled = agreement.enabled, "overage agreed to");
        (self.on_change)(group);
        Ok(())
    }

    /// Writes the charges of periods that are over, of one group or of all, and puts on invoices what is due. What Stripe
    /// doesn't take is tried again the next time.
    ///
    /// # Errors
    /// The database's, where what there is to do can't be read.
    pub async fn charge_overage(&self, group: Option<GroupId>) -> Result<()> {
        for period in self.store.periods_to_charge(group, self.clock.now(), BATCH).await? {
            self.close_overage(period).await?;
        }
        for period in self.store.charges_due(group, self.clock.now(), BATCH).await? {
            if let Err(error) = self.place(period).await {
                warn!(period = %period.summary_id, %error, "overage not on an invoice yet");
            }
        }
        Ok(())
    }

    async fn close_overage(&self, period: EndedPeriod) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.lock_group(period.group_id).await?;
        tx.close_overage(period, self.clock.now()).await?;
        tx.commit().await
    }

    /// Puts a period's charges on an invoice.
    async fn place(&self, period: EndedPeriod) -> Result<()> {
        let now = self.clock.now();
        let mut charges = self.store.claim_charges(period, now, now + RETRY).await?;
        let Some(first) = charges.first() else { return Ok(()) };
        let (stripe_id, attempts) = (first.stripe_subscription_id.clone(), first.attempts);
        let found = self.stripe.subscription(&stripe_id).await?.ok_or_else(|| gone(&stripe_id))?;
        let customer = found.customer.id().to_string();
        if attempts > 1 {
            // An earlier attempt was cut off: Stripe may have done what it was asked.
            self.find_items(&mut charges, &customer).await?;
        }
        let invoice = self.target(period, &charges, &found, &customer).await?;
        for charge in charges.iter().filter(|charge| charge.stripe_item.is_none()) {
            let item = self.stripe.add_overage(charge, &customer, &invoice.id).await?;
            self.store.note_charge_item(charge.id, &invoice.id, &item).await?;
        }
        if invoice.is_own {
            self.stripe.collect(&invoice.id).await?;
        }
        self.store.mark_charges_placed(period, self.clock.now()).await?;
        info!(%stripe_id, invoice = invoice.id, "overage put on an invoice");
        (self.on_change)(period.group_id);
        Ok(())
    }

    async fn find_items(&self, charges: &mut [OverageCharge], customer: &str) -> Result<()> {
        let items = self.stripe.overage_items(customer).await?;
        for charge in charges {
            if let Some((invoice, item)) = self.on_invoice(items.get(&charge.id.to_string())).await? {
                self.store.note_charge_item(charge.id, &invoice, &item).await?;
                (charge.stripe_invoice, charge.stripe_item) = (Some(invoice), Some(item));
            } else if charge.stripe_item.is_some() {
                self.store.lift_charge(charge.id, self.clock.now() + RETRY).await?;
                (charge.stripe_invoice, charge.stripe_item) = (None, None);
                charge.revision += 1;
            }
        }
        Ok(())
    }

    /// The invoice that takes a period's charges: the one that an earlier attempt chose, while it takes lines; the renewal's
    /// draft; or one of their own.
    async fn target(
        &self,
        period: EndedPeriod,
        charges: &[OverageCharge],
        found: &StripeSubscription,
        customer: &str,
    ) -> Result<Target> {
        let all_there = charges.iter().all(|charge| charge.stripe_item.is_some());
        if let Some(chosen) = charges.iter().find_map(|charge| charge.stripe_invoice.clone())
            && let Some(invoice) = self.stripe.find_invoice(&chosen).await?
        {
            let is_draft = invoice.status == Some(InvoiceStatus::Draft);
            if is_draft || all_there {
                let renews = invoice.parent.is_some();
                return Ok(Target { id: chosen, is_own: is_draft && !renews });
            }
        }
        let renewal = self.stripe.renewal_draft(found.id.as_str()).await?;
        if let Some(draft) = renewal.and_then(|draft| draft.id) {
            return Ok(Target { id: draft.to_string(), is_own: false });
        }
        let reference = period.summary_id.to_string();
        let method = found.default_payment_method.as_ref().map(|method| method.id().to_string());
        let (currency, attempt) =
            charges.first().map_or(("", 0), |charge| (charge.currency.code(), charge.attempts));
        let own = OwnInvoice { customer, payment_method: method.as_deref(), currency, reference: &reference };
        let id = self.stripe.own_draft(&own, &format!("{reference}-{attempt}")).await?;
        Ok(Target { id, is_own: true })
    }

    /// Compares the charges on invoices with what Stripe has there. One that is on none any more is put on another; what
    /// else differs is named. Gives how many were compared, put right, and differ.
    pub(super) async fn compare_overage(&self) -> Result<ComparedCharges> {
        let mut sum = ComparedCharges::default();
        let mut customers: HashMap<String, HashMap<String, InvoiceItem>> = HashMap::new();
        let mut after = Uuid::nil();
        loop {
            let page = self.store.charges_to_compare(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(sum) };
            after = last.id;
            for charge in page {
                sum.compared += 1;
                match self.compare_charge(&charge, &mut customers).await {
                    Ok(Compared::Agrees) if charge.problem.is_some() => {
                        self.store.note_charge_problem(charge.id, None).await?;
                    }
                    Ok(Compared::Agrees) => {}
                    Ok(Compared::Repaired) => sum.repaired += 1,
                    Ok(Compared::Differs(problem)) => {
                        warn!(charge = %charge.id, problem, "overage differs at Stripe");
                        self.store.note_charge_problem(charge.id, Some(&problem)).await?;
                        sum.failed += 1;
                    }
                    Err(error) => {
                        warn!(charge = %charge.id, %error, "overage not compared with Stripe");
                        sum.failed += 1;
                    }
                }
            }
        }
    }

    async fn compare_charge(
        &self,
        charge: &OverageCharge,
        customers: &mut HashMap<String, HashMap<String, InvoiceItem>>,
    ) -> Result<Compared> {
        let stripe_id = &charge.stripe_subscription_id;
        let found = self.stripe.subscription(stripe_id).await?.ok_or_else(|| gone(stripe_id))?;
        let customer = found.customer.id().to_string();
        if !customers.contains_key(&customer) {
            let items = self.stripe.overage_items(&customer).await?;
            customers.insert(customer.clone(), items);
        }
        let item = customers.get(&customer).and_then(|items| items.get(&charge.id.to_string()));
        let there = self.on_invoice(item).await?;
        let Some((item, (invoice, _))) = item.zip(there) else {
            let now = self.clock.now();
            self.store.lift_charge(charge.id, now).await?;
            self.place(charge.ended()).await?;
            return Ok(Compared::Repaired);
        };
        let due = Money::new(charge.amount_minor, charge.currency);
        if item.amount != due.minor || item.currency.to_string() != due.currency.code() {
            let there = match item.currency.to_string().parse() {
                Ok(currency) => Money::new(item.amount, currency).to_string(),
                Err(_) => format!("{} {}", item.amount, item.currency),
            };
            return Ok(Compared::Differs(format!("Stripe's line is {there} where {due} is due.")));
        }
        let Some(invoice) = self.stripe.find_invoice(&invoice).await? else { return Ok(Compared::Agrees) };
        match invoice.status {
            Some(InvoiceStatus::Draft) => Ok(Compared::Agrees),
            Some(InvoiceStatus::Void) => {
                let problem = format!("Its invoice was voided at Stripe; {due} isn't charged.");
                Ok(Compared::Differs(problem))
            }
            _ => {
                self.store.confirm_charge(charge.id, self.clock.now()).await?;
                Ok(Compared::Agrees)
            }
        }
    }

    /// The ids of an item's invoice and of itself. One whose draft was deleted is on none, and would go on whichever invoice
    /// comes next: it is taken away.
    async fn on_invoice(&self, item: Option<&InvoiceItem>) -> Result<Option<(String, String)>> {
        let Some(item) = item else { return Ok(None) };
        let id = item.id.to_string();
        match &item.invoice {
            Some(invoice) => {
                let missing = || Error::Stripe(format!("{id} is on an invoice without an id"));
                Ok(Some((invoice.id().as_ref().ok_or_else(missing)?.to_string(), id)))
            }
            None => {
                self.stripe.delete_item(&id).await?;
                Ok(None)
            }
        }
    }

    /// What the admin's group was charged beyond its limits, the latest period first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; the database's.
    pub async fn overage_charges(&self, user: &User) -> Result<Vec<OverageCharge>> {
        let group = user.must_be_admin()?;
        self.store.overage_charges(group, BATCH).await
    }

    /// Charges of any group of which something differs at Stripe, the latest first: an operator has to look at them.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; the database's.
    pub async fn charge_problems(&self, user: &User) -> Result<Vec<ChargeProblem>> {
        user.must_be_superadmin()?;
        self.store.charge_problems(BATCH).await
    }

    /// What admins of the group agreed to, the latest first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; the database's.
    pub async fn overage_consents(&self, user: &User) -> Result<Vec<OverageConsent>> {
        let group = user.must_be_admin()?;
        self.store.overage_consents(group, BATCH).await
    }
}

/// An invoice that takes charges.
struct Target {
    id: String,
    /// Whether it is for overage alone, so that it has to be collected.
    is_own: bool,
}

enum Compared {
    Agrees,
    Repaired,
    Differs(String),
}

/// What a comparison of charges found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ComparedCharges {
    pub(super) compared: u64,
    pub(super) repaired: u64,
    pub(super) failed: u64,
}
