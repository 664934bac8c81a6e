//! Invoices, which are Stripe's: nothing of them is kept here.

use futures::future::try_join_all;
use stripe_shared::Invoice as StripeInvoice;

use super::checkout::is_stripe_id;
use super::stripe::InvoiceList;
use super::{Billing, time};
use crate::domain::{Currency, Invoice, InvoiceLine, Money, User};
use crate::error::{Error, Result};
use crate::storage::{PageRequest, PageRows};

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

impl Billing {
    /// The invoices of the admin's group, of all its subscriptions, in Stripe's order: the newest first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; a refusal on `cursor` where Stripe has no such invoice; Stripe's;
    /// the database's.
    pub async fn invoices(&self, user: &User, page: &PageRequest<InvoiceKey>) -> Result<PageRows<Invoice>> {
        let group = user.must_be_admin()?;
        match self.store.stripe_customer(group).await? {
            Some(customer) => self.invoices_of(&customer, page).await,
            None => Ok(PageRows { rows: Vec::new(), more: false }),
        }
    }

    pub(super) async fn invoices_of(
        &self,
        customer: &str,
        page: &PageRequest<InvoiceKey>,
    ) -> Result<PageRows<Invoice>> {
        let after = page.after.as_ref().map(InvoiceKey::as_str);
        let InvoiceList { invoices, more } = self.stripe.invoices(customer, after, page.limit).await?;
        let rows = try_join_all(invoices.iter().map(|found| self.invoice(found))).await?;
        Ok(PageRows { rows, more })
    }

    /// An invoice with all of its lines.
    pub(super) async fn invoice(&self, found: &StripeInvoice) -> Result<Invoice> {
        let id = found.id.as_ref().ok_or_else(|| Error::Stripe("an invoice has no id".into()))?.to_string();
        let currency: Currency = found.currency.to_string().parse().map_err(Error::Stripe)?;
        let money = |minor| Money::new(minor, currency);
        let lines = self.stripe.lines(found).await?;
        let lines = lines.into_iter().map(|line| {
            Ok(InvoiceLine {
                description: line.description,
                amount: money(line.amount),
                quantity: line.quantity.and_then(|quantity| i64::try_from(quantity).ok()),
                period_start: time(line.period.start)?,
                period_end: time(line.period.end)?,
            })
        });
        Ok(Invoice {
            id,
            number: found.number.clone(),
            status: found
                .status
                .as_ref()
                .map_or("draft", |status| status.as_str())
                .parse()
                .map_err(Error::Stripe)?,
            total: money(found.total),
            amount_paid: money(found.amount_paid),
            amount_due: money(found.amount_due),
            created_at: time(found.created)?,
            period_start: time(found.period_start)?,
            period_end: time(found.period_end)?,
            hosted_invoice_url: found.hosted_invoice_url.clone(),
            invoice_pdf: found.invoice_pdf.clone(),
            lines: lines.collect::<Result<_>>()?,
        })
    }
}
