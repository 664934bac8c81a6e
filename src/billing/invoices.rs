//! What a group was charged, kept as Stripe has it: invoices with their lines, credit notes and refunds.
//!
//! As with subscriptions, an event is only a reason to fetch, and a fetch that began before the last one written is
//! dropped. So what is kept is what Stripe said, and can be read while Stripe doesn't answer.

use std::collections::HashMap;

use stripe_shared::{
    CreditNote as StripeCreditNote, Invoice as StripeInvoice, InvoiceLineItem, Refund as StripeRefund,
};
use tracing::{debug, warn};

use super::checkout::is_stripe_id;
use super::{Billing, time};
use crate::domain::{
    CreditNote, Currency, GroupId, Invoice, InvoiceLine, Money, PaymentHistory, Refund, Refusal, User,
};
use crate::error::{Error, Result};
use crate::storage::{Fetched, InboxEvent, InvoiceWritten, PageRequest, PageRows};

/// Invoices that a page shows.
const SHOWN: usize = 12;
/// Groups that are read at a time.
const GROUPS: i64 = 50;

/// Where a page of invoices ends: its last one's id at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceKey(String);

impl InvoiceKey {
    /// None for what can't be an id.
    pub fn new(id: &str) -> Option<Self> {
        is_stripe_id(id).then(|| Self(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Invoice> for InvoiceKey {
    fn from(invoice: &Invoice) -> Self {
        Self(invoice.id.clone())
    }
}

/// What became of a group's invoices when all of them were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InvoicesRead {
    pub(super) compared: u64,
    /// Those that were missing, different or gone at Stripe.
    pub(super) repaired: u64,
}

/// Refunds by the payment intent whose money they give back.
pub(super) type Refunds = HashMap<String, Vec<StripeRefund>>;

impl Billing {
    /// The invoices of the admin's group, of all its subscriptions, the newest first: as they were last fetched.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`](crate::domain::Refusal::Forbidden) for anyone but an admin; a refusal on `cursor` where
    /// there is no such invoice; the database's.
    pub async fn invoices(&self, user: &User, page: &PageRequest<InvoiceKey>) -> Result<PageRows<Invoice>> {
        let group = user.must_be_admin()?;
        let after = page.after.as_ref().map(|key| key.as_str().to_owned());
        self.store.invoices_page(group, &PageRequest { after, limit: page.limit }).await
    }

    /// A part of the history of payments as a page shows it: after the invoice with the id `after`, or from the newest on
    /// where there is no such.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`](crate::domain::Refusal::Forbidden) for anyone but an admin; the database's.
    pub async fn payment_history(&self, user: &User, after: Option<&str>) -> Result<PaymentHistory> {
        let after = after.and_then(InvoiceKey::new);
        let older = after.is_some();
        match self.invoices(user, &PageRequest { after, limit: SHOWN }).await {
            Ok(PageRows { rows, more }) => Ok(PaymentHistory { invoices: rows, more, older }),
            Err(Error::Refused(Refusal::Invalid(_))) if older => {
                let PageRows { rows, more } =
                    self.invoices(user, &PageRequest { after: None, limit: SHOWN }).await?;
                Ok(PaymentHistory { invoices: rows, more, older: false })
            }
            Err(error) => Err(error),
        }
    }

    /// Fetches the invoices that an event is about and writes them; one that it is about alone with the event marked done.
    pub(super) async fn fetch_invoices_of(&self, event: &InboxEvent) -> Result<()> {
        let subscription = event.subscription.as_deref();
        if let Some(invoice) = &event.invoice {
            let mark = subscription.is_none().then_some(event.id.as_str());
            return self.fetch_invoice(invoice, subscription, mark).await;
        }
        if let Some(payment) = &event.payment_intent {
            for invoice in self.stripe.invoices_paid_by(payment).await? {
                self.fetch_invoice(&invoice, None, None).await?;
            }
        }
        Ok(())
    }

    /// Fetches one invoice with all that belongs to it and writes it. One that isn't of a group's is left alone.
    async fn fetch_invoice(&self, id: &str, subscription: Option<&str>, mark: Option<&str>) -> Result<()> {
        let Some(group) = self.group_of(id, subscription).await? else { return Ok(()) };
        let ticket = self.store.draw_group_sync_ticket(group).await?;
        let invoice = match self.stripe.invoice(id).await? {
            Some(found) => {
                let notes = self.stripe.credit_notes_of(id).await?;
                let mut refunds = Vec::new();
                for payment in payments(&found) {
                    refunds.extend(self.stripe.refunds_of(payment).await?);
                }
                Some(whole(&found, self.stripe.lines(&found).await?, &notes, &refunds)?)
            }
            None => None,
        };
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        match &invoice {
            Some(invoice) => {
                tx.apply_invoice(group, ticket, invoice, Fetched::Whole).await?;
            }
            None => tx.remove_invoice(group, id, ticket).await?,
        }
        if let Some(event) = mark {
            tx.mark_event_done(event, self.clock.now()).await?;
        }
        tx.commit().await?;
        debug!(invoice = id, "invoice written as Stripe has it");
        Ok(())
    }

    /// Whose an invoice is.
    async fn group_of(&self, invoice: &str, subscription: Option<&str>) -> Result<Option<GroupId>> {
        if let Some(subscription) = subscription
            && let Some((group, _)) = self.store.subscription_at_stripe(subscription).await?
        {
            return Ok(Some(group));
        }
        let found = self.stripe.invoice(invoice).await?;
        match found.as_ref().and_then(|found| found.customer.as_ref()) {
            Some(customer) => self.store.group_of_customer(customer.id().as_str()).await,
            None => Ok(None),
        }
    }

    /// The invoice that a subscription was fetched with, with all of its lines. Its trouble is none of the subscription's:
    /// an event of its own, or the next comparison, has it written.
    pub(super) async fn latest_invoice(&self, found: &stripe_shared::Subscription) -> Option<Invoice> {
        let latest = found.latest_invoice.as_ref()?.as_object()?;
        match self.invoice(latest).await {
            Ok(invoice) => Some(invoice),
            Err(error) => {
                warn!(subscription = found.id.as_str(), %error, "its latest invoice can't be read");
                None
            }
        }
    }

    /// Reads the invoices of every group that became a customer since this was last done: those of before this program
    /// kept them. Those that Stripe doesn't answer for are read the next time.
    ///
    /// # Errors
    /// The database's, where the groups can't be read.
    pub async fn read_new_customers_invoices(&self) -> Result<()> {
        for (group, customer) in self.store.unread_customers(GROUPS).await? {
            if let Err(error) = self.read_invoices(group, &customer, None).await {
                warn!(%group, %error, "the group's invoices can't be read yet");
            }
        }
        Ok(())
    }

    /// Reads all of a group's invoices from Stripe and writes them. Without `refunds`, Stripe is asked for those of each
    /// payment.
    pub(super) async fn read_invoices(
        &self,
        group: GroupId,
        customer: &str,
        refunds: Option<&Refunds>,
    ) -> Result<InvoicesRead> {
        let mut sum = InvoicesRead::default();
        let ticket = self.store.draw_group_sync_ticket(group).await?;
        let mut notes: HashMap<String, Vec<StripeCreditNote>> = HashMap::new();
        for note in self.stripe.credit_notes_of_customer(customer).await? {
            notes
                .entry(note.invoice.id().as_ref().map(ToString::to_string).unwrap_or_default())
                .or_default()
                .push(note);
        }
        let mut after = None;
        loop {
            let page = self.stripe.invoices(customer, after.as_deref()).await?;
            let mut read = Vec::with_capacity(page.invoices.len());
            for found in &page.invoices {
                let id = id_of(found)?;
                let mut of_invoice = Vec::new();
                for payment in payments(found) {
                    match refunds {
                        Some(refunds) => {
                            of_invoice.extend(refunds.get(payment).into_iter().flatten().cloned())
                        }
                        None => of_invoice.extend(self.stripe.refunds_of(payment).await?),
                    }
                }
                let notes = notes.get(&id).map(Vec::as_slice).unwrap_or_default();
                read.push(whole(found, self.stripe.lines(found).await?, notes, &of_invoice)?);
            }
            let mut tx = self.store.begin().await?;
            tx.lock_group(group).await?;
            for invoice in &read {
                sum.compared += 1;
                let written = tx.apply_invoice(group, ticket, invoice, Fetched::Whole).await?;
                sum.repaired += u64::from(written == InvoiceWritten::Changed);
            }
            if !page.more {
                sum.repaired += tx.finish_invoices(group, ticket, self.clock.now()).await?;
            }
            tx.commit().await?;
            if !page.more {
                return Ok(sum);
            }
            after = read.last().map(|last| last.id.clone());
        }
    }

    /// An invoice with all of its lines, and without its credit notes and refunds.
    pub(super) async fn invoice(&self, found: &StripeInvoice) -> Result<Invoice> {
        whole(found, self.stripe.lines(found).await?, &[], &[])
    }
}

/// The ids of the payment intents that paid something of the invoice.
fn payments(found: &StripeInvoice) -> Vec<&str> {
    let all = found.payments.iter().flat_map(|payments| &payments.data);
    let paid = all.filter(|payment| payment.status == "paid");
    paid.filter_map(|payment| Some(payment.payment.payment_intent.as_ref()?.id().as_str())).collect()
}

fn id_of(found: &StripeInvoice) -> Result<String> {
    let id = found.id.as_ref().ok_or_else(|| Error::Stripe("an invoice has no id".into()))?;
    Ok(id.to_string())
}

/// All that is kept of an invoice.
fn whole(
    found: &StripeInvoice,
    lines: Vec<InvoiceLineItem>,
    notes: &[StripeCreditNote],
    refunds: &[StripeRefund],
) -> Result<Invoice> {
    let currency: Currency = found.currency.to_string().parse().map_err(Error::Stripe)?;
    let money = |minor| Money::new(minor, currency);
    let lines = lines.into_iter().map(|line| read_line(line, currency));
    let mut credit_notes = notes.iter().map(|note| read_note(note, currency)).collect::<Result<Vec<_>>>()?;
    credit_notes.sort_by(|one, other| (other.created_at, &one.id).cmp(&(one.created_at, &other.id)));
    let mut refunds =
        refunds.iter().map(|refund| read_refund(refund, currency)).collect::<Result<Vec<_>>>()?;
    refunds.sort_by(|one, other| (other.created_at, &one.id).cmp(&(one.created_at, &other.id)));
    let tax = found.total_taxes.iter().flatten().map(|tax| tax.amount).sum();
    let status = found.status.as_ref().map_or("draft", |status| status.as_str());
    let details = found.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
    Ok(Invoice {
        id: id_of(found)?,
        number: found.number.clone(),
        status: status.parse().map_err(Error::Stripe)?,
        subtotal: money(found.subtotal),
        tax: money(tax),
        total: money(found.total),
        amount_paid: money(found.amount_paid),
        amount_due: money(found.amount_due),
        credited: money(found.pre_payment_credit_notes_amount + found.post_payment_credit_notes_amount),
        billing_reason: found.billing_reason.as_ref().map(|reason| reason.as_str().to_owned()),
        subscription: details.map(|details| details.subscription.id().to_string()),
        created_at: time(found.created)?,
        period_start: time(found.period_start)?,
        period_end: time(found.period_end)?,
        paid_at: found.status_transitions.paid_at.map(time).transpose()?,
        hosted_invoice_url: found.hosted_invoice_url.clone(),
        invoice_pdf: found.invoice_pdf.clone(),
        lines: lines.collect::<Result<_>>()?,
        credit_notes,
        refunds,
    })
}

fn read_line(line: InvoiceLineItem, currency: Currency) -> Result<InvoiceLine> {
    let price = line.pricing.as_ref().and_then(|pricing| pricing.price_details.as_ref());
    let parent = line.parent.as_ref();
    let of_item = parent.and_then(|parent| parent.subscription_item_details.as_ref());
    let of_invoice_item = parent.and_then(|parent| parent.invoice_item_details.as_ref());
    Ok(InvoiceLine {
        id: line.id.to_string(),
        amount: Money::new(line.amount, currency),
        quantity: line.quantity.and_then(|quantity| i64::try_from(quantity).ok()),
        period_start: time(line.period.start)?,
        period_end: time(line.period.end)?,
        price: price.map(|details| details.price.id().to_string()),
        proration: of_item.is_some_and(|item| item.proration)
            || of_invoice_item.is_some_and(|item| item.proration),
        metadata: line.metadata.into_iter().collect(),
        description: line.description,
    })
}

fn read_note(note: &StripeCreditNote, currency: Currency) -> Result<CreditNote> {
    Ok(CreditNote {
        id: note.id.to_string(),
        number: note.number.clone(),
        status: note.status.as_str().to_owned(),
        amount: Money::new(note.total, currency),
        reason: note.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        pdf: Some(note.pdf.clone()),
        created_at: time(note.created)?,
    })
}

fn read_refund(refund: &StripeRefund, currency: Currency) -> Result<Refund> {
    Ok(Refund {
        id: refund.id.to_string(),
        charge: refund.charge.as_ref().map(|charge| charge.id().to_string()),
        status: refund.status.clone().unwrap_or_else(|| "succeeded".into()),
        amount: Money::new(refund.amount, currency),
        reason: refund.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        created_at: time(refund.created)?,
    })
}
