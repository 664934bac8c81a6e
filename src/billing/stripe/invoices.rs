//! Invoices: listing and paying them.

use stripe::StripeError;
use stripe_billing::invoice::{CreatePreviewInvoice, ListInvoice, PayInvoice, RetrieveInvoice};
use stripe_billing::invoice_line_item::ListInvoiceInvoiceLineItem;
use stripe_shared::{ApiErrorsCode, Invoice, InvoiceLineItem};

use super::{Result, Stripe};
use crate::billing::failure::is_missing;

/// The most that Stripe lists at a time.
pub(super) const MOST: i64 = 100;

/// Part of the invoices of a customer.
pub struct InvoiceList {
    pub invoices: Vec<Invoice>,
    /// Whether there are more after them.
    pub more: bool,
}

/// What became of an attempt to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paid {
    Done,
    /// The bank asks its cardholder first.
    NeedsAction,
}

impl Stripe {
    /// Some of a customer's invoices with their payments, in Stripe's order, the newest first: those after the one with the
    /// id `after`.
    pub async fn invoices(&self, customer: &str, after: Option<&str>) -> Result<InvoiceList> {
        let mut request =
            ListInvoice::new().customer(customer).limit(MOST).expand(["data.payments".to_owned()]);
        if let Some(after) = after {
            request = request.starting_after(after);
        }
        match request.send(&self.client).await {
            Ok(page) => Ok(InvoiceList { more: page.has_more && !page.data.is_empty(), invoices: page.data }),
            // A customer that was deleted has none.
            Err(error) if is_missing(&error) => Ok(InvoiceList { invoices: Vec::new(), more: false }),
            Err(error) => Err(error.into()),
        }
    }

    /// An invoice with its payments, or `None` where Stripe has no such.
    pub async fn invoice(&self, id: &str) -> Result<Option<Invoice>> {
        match RetrieveInvoice::new(id).expand(["payments".to_owned()]).send(&self.client).await {
            Ok(invoice) => Ok(Some(invoice)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The next invoice of a subscription as it would be; none where there will be no other.
    pub async fn preview(&self, subscription: &str) -> Result<Option<Invoice>> {
        match CreatePreviewInvoice::new().subscription(subscription).send(&self.client).await {
            Ok(invoice) => Ok(Some(invoice)),
            Err(StripeError::Stripe(api, _)) if api.code == Some(ApiErrorsCode::InvoiceUpcomingNone) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The lines of an invoice, of which itself carries only the first ones.
    pub async fn lines(&self, invoice: &Invoice) -> Result<Vec<InvoiceLineItem>> {
        let mut lines = invoice.lines.data.clone();
        let mut more = invoice.lines.has_more;
        while more && let (Some(id), Some(last)) = (&invoice.id, lines.last()) {
            let request = ListInvoiceInvoiceLineItem::new(id.clone()).limit(MOST);
            let page = request.starting_after(last.id.to_string()).send(&self.client).await?;
            more = page.has_more && !page.data.is_empty();
            lines.extend(page.data);
        }
        Ok(lines)
    }

    /// Pays an invoice, its customer being there to answer the bank. One that is paid already is fine.
    ///
    /// # Errors
    /// [`Refusal::CardDeclined`](crate::domain::Refusal::CardDeclined).
    pub async fn pay_invoice(&self, id: &str, payment_method: &str) -> Result<Paid> {
        let request = PayInvoice::new(id).payment_method(payment_method).off_session(false);
        match request.send(&self.client).await {
            Ok(_) => Ok(Paid::Done),
            Err(StripeError::Stripe(api, status)) => match api.code.as_ref().map(ApiErrorsCode::as_str) {
                Some("invoice_payment_intent_requires_action") => Ok(Paid::NeedsAction),
                Some("invoice_already_paid") => Ok(Paid::Done),
                _ => Err(StripeError::Stripe(api, status).into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}
