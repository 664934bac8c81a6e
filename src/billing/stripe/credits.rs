//! What is given back: credit notes and refunds.

use stripe_billing::credit_note::ListCreditNote;
use stripe_billing::invoice_payment::{
    ListInvoicePayment, ListInvoicePaymentPayment, ListInvoicePaymentPaymentType,
};
use stripe_core::refund::ListRefund;
use stripe_shared::{CreditNote, Refund};

use super::invoices::MOST;
use super::{Result, Stripe};
use crate::billing::failure::is_missing;

impl Stripe {
    /// The credit notes of an invoice.
    pub async fn credit_notes_of(&self, invoice: &str) -> Result<Vec<CreditNote>> {
        self.credit_notes(ListCreditNote::new().invoice(invoice)).await
    }

    /// The credit notes of all invoices of a customer.
    pub async fn credit_notes_of_customer(&self, customer: &str) -> Result<Vec<CreditNote>> {
        self.credit_notes(ListCreditNote::new().customer(customer)).await
    }

    async fn credit_notes(&self, list: ListCreditNote) -> Result<Vec<CreditNote>> {
        let list = list.limit(MOST);
        let mut notes: Vec<CreditNote> = Vec::new();
        loop {
            let mut request = list.clone();
            if let Some(last) = notes.last() {
                request = request.starting_after(last.id.to_string());
            }
            let page = match request.send(&self.client).await {
                Ok(page) => page,
                Err(error) if is_missing(&error) => return Ok(notes),
                Err(error) => return Err(error.into()),
            };
            let more = page.has_more && !page.data.is_empty();
            notes.extend(page.data);
            if !more {
                return Ok(notes);
            }
        }
    }

    /// The refunds of a payment.
    pub async fn refunds_of(&self, payment_intent: &str) -> Result<Vec<Refund>> {
        self.list_refunds(ListRefund::new().payment_intent(payment_intent)).await
    }

    /// Every refund of the account: Stripe doesn't list those of a customer.
    pub async fn refunds(&self) -> Result<Vec<Refund>> {
        self.list_refunds(ListRefund::new()).await
    }

    async fn list_refunds(&self, list: ListRefund) -> Result<Vec<Refund>> {
        let list = list.limit(MOST);
        let mut refunds: Vec<Refund> = Vec::new();
        loop {
            let mut request = list.clone();
            if let Some(last) = refunds.last() {
                request = request.starting_after(last.id.to_string());
            }
            let page = match request.send(&self.client).await {
                Ok(page) => page,
                Err(error) if is_missing(&error) => return Ok(refunds),
                Err(error) => return Err(error.into()),
            };
            let more = page.has_more && !page.data.is_empty();
            refunds.extend(page.data);
            if !more {
                return Ok(refunds);
            }
        }
    }

    /// The ids of the invoices that a payment is for.
    pub async fn invoices_paid_by(&self, payment_intent: &str) -> Result<Vec<String>> {
        let mut payment = ListInvoicePaymentPayment::new(ListInvoicePaymentPaymentType::PaymentIntent);
        payment.payment_intent = Some(payment_intent.to_owned());
        match ListInvoicePayment::new().payment(payment).limit(MOST).send(&self.client).await {
            Ok(page) => {
                let ids = page.data.iter().filter_map(|payment| payment.invoice.id().as_ref());
                Ok(ids.map(ToString::to_string).collect())
            }
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}
