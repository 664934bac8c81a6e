//! Putting overage on invoices.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use stripe_billing::InvoiceItem;
use stripe_billing::invoice::{
    CreateInvoice, CreateInvoicePendingInvoiceItemsBehavior, FinalizeInvoiceInvoice, ListInvoice, PayInvoice,
    RetrieveInvoice,
};
use stripe_billing::invoice_item::{CreateInvoiceItem, DeleteInvoiceItem, ListInvoiceItem};
use stripe_shared::{Invoice, InvoiceBillingReason, InvoiceStatus};

use tracing::info;

use super::{Failure, Result, Stripe};
use crate::billing::failure::is_missing;
use crate::domain::{Money, group_digits};
use crate::storage::OverageCharge;

/// The metadata key under which an invoice item names the charge here.
pub const CHARGE_KEY: &str = "tollgate_overage_charge";
/// The metadata key under which an invoice of its own names the period here.
const PERIOD_KEY: &str = "tollgate_overage_period";
/// The most that Stripe lists at a time.
const MOST: i64 = 100;

/// An invoice for a period's overage alone.
#[derive(Clone, Copy, Debug)]
pub struct OwnInvoice<'a> {
    pub customer: &'a str,
    /// The card that the subscription is paid by, where it has one of its own.
    pub payment_method: Option<&'a str>,
    pub currency: &'a str,
    /// The period's id.
    pub reference: &'a str,
}

impl Stripe {
    /// The draft of a subscription's renewal, which still takes lines.
    pub async fn renewal_draft(&self, subscription: &str) -> Result<Option<Invoice>> {
        let drafts = ListInvoice::new()
            .subscription(subscription)
            .status(InvoiceStatus::Draft)
            .limit(MOST)
            .send(&self.client)
            .await?;
        let renews =
            |invoice: &Invoice| invoice.billing_reason == Some(InvoiceBillingReason::SubscriptionCycle);
        Ok(drafts.data.into_iter().find(renews))
    }

    /// An invoice, or `None` where Stripe has no such.
    pub async fn find_invoice(&self, id: &str) -> Result<Option<Invoice>> {
        match RetrieveInvoice::new(id).send(&self.client).await {
            Ok(invoice) => Ok(Some(invoice)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The customer's invoice items that charge overage, by the charge's id.
    pub async fn overage_items(&self, customer: &str) -> Result<HashMap<String, InvoiceItem>> {
        let mut found = HashMap::new();
        let mut after: Option<String> = None;
        loop {
            let mut request = ListInvoiceItem::new().customer(customer).limit(MOST);
            if let Some(after) = &after {
                request = request.starting_after(after);
            }
            let page = match request.send(&self.client).await {
                Ok(page) => page,
                // A customer that was deleted has none.
                Err(error) if is_missing(&error) => return Ok(found),
                Err(error) => return Err(error.into()),
            };
            after = page.data.last().map(|item| item.id.to_string());
            for item in page.data {
                if let Some(charge) = item.metadata.as_ref().and_then(|metadata| metadata.get(CHARGE_KEY)) {
                    found.insert(charge.clone(), item);
                }
            }
            if !page.has_more || after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Puts a charge on a draft. On the same one once, also where no answer came.
    pub async fn add_overage(&self, charge: &OverageCharge, customer: &str, invoice: &str) -> Result<String> {
        let request = CreateInvoiceItem::new()
            .customer(customer)
            .invoice(invoice)
            .currency(currency(charge.currency.code())?)
            .amount(charge.amount_minor)
            .description(description(charge))
            .discountable(false)
            .period(stripe_billing::invoice_item::Period::new(
                charge.period_end.timestamp(),
                charge.period_start.timestamp(),
            ))
            .metadata([(CHARGE_KEY.to_owned(), charge.id.to_string())]);
        let item = self.send_once(&request, &format!("{}-{}-{invoice}", charge.id, charge.revision)).await?;
        Ok(item.id.to_string())
    }

    /// Takes an item away that is on no invoice. One that isn't there is fine.
    pub async fn delete_item(&self, item: &str) -> Result<()> {
        match DeleteInvoiceItem::new(item).send(&self.client).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The draft of an invoice for this period's overage alone: the one there is, or another.
    pub async fn own_draft(&self, own: &OwnInvoice<'_>, key: &str) -> Result<String> {
        let drafts = ListInvoice::new()
            .customer(own.customer)
            .status(InvoiceStatus::Draft)
            .limit(MOST)
            .send(&self.client)
            .await?;
        let names = |invoice: &&Invoice| {
            invoice.metadata.as_ref().is_some_and(|metadata| {
                metadata.get(PERIOD_KEY).is_some_and(|period| period == own.reference)
            })
        };
        if let Some(id) = drafts.data.iter().find(names).and_then(|draft| draft.id.as_ref()) {
            return Ok(id.to_string());
        }
        let mut request = CreateInvoice::new()
            .customer(own.customer)
            .currency(currency(own.currency)?)
            .auto_advance(false)
            .pending_invoice_items_behavior(CreateInvoicePendingInvoiceItemsBehavior::Exclude)
            .metadata([(PERIOD_KEY.to_owned(), own.reference.to_owned())]);
        if let Some(method) = own.payment_method {
            request = request.default_payment_method(method);
        }
        let invoice = self.send_once(&request, key).await?;
        let missing = || Failure::Failed("an invoice has no id".into());
        Ok(invoice.id.ok_or_else(missing)?.to_string())
    }

    /// Finalizes a draft and has it paid. Where the card is declined, Stripe tries again as it does for a renewal.
    pub async fn collect(&self, invoice: &str) -> Result<()> {
        FinalizeInvoiceInvoice::new(invoice).auto_advance(true).send(&self.client).await?;
        match PayInvoice::new(invoice).off_session(true).send(&self.client).await.map_err(Failure::from) {
            Ok(_) => Ok(()),
            Err(failure) if failure.did_nothing() => {
                info!(invoice, %failure, "overage isn't paid yet");
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}

/// What the invoice's line says.
fn description(charge: &OverageCharge) -> String {
    let OverageCharge { used, included, packages, package_tokens, .. } = *charge;
    let price = Money::new(charge.package_price, charge.currency);
    let day = |at: DateTime<Utc>| at.format("%-d %b %Y");
    format!(
        "{} beyond the plan, {} to {}: {} used, {} included, {} × {} for {price}",
        charge.usage_type.label(),
        day(charge.period_start),
        day(charge.period_end),
        group_digits(used),
        group_digits(included),
        group_digits(packages),
        group_digits(package_tokens),
    )
}

fn currency(code: &str) -> Result<stripe_types::Currency> {
    code.parse().map_err(|_| Failure::Failed(format!("Stripe has no currency {code}")))
}
