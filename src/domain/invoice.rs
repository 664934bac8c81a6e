//! Invoices with their credit notes and refunds, as Stripe has them.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Currency, Money};

/// Where an invoice stands, in Stripe's words.
/// Source: <https://docs.stripe.com/api/invoices/object#invoice_object-status>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum InvoiceStatus {
    /// Not sent yet, and it may still change.
    Draft,
    Open,
    Paid,
    /// Not expected to be paid any more; it can be.
    Uncollectible,
    Void,
}

impl InvoiceStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }
}

impl FromStr for InvoiceStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "draft" => Ok(Self::Draft),
            "open" => Ok(Self::Open),
            "paid" => Ok(Self::Paid),
            "uncollectible" => Ok(Self::Uncollectible),
            "void" => Ok(Self::Void),
            _ => Err(format!("{text:?} is not an invoice's status")),
        }
    }
}

impl TryFrom<String> for InvoiceStatus {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "InvoiceFields")]
pub struct Invoice {
    /// At Stripe, as the number.
    pub id: String,
    /// None for a draft.
    pub number: Option<String>,
    pub status: InvoiceStatus,
    /// Before taxes and discounts of the invoice.
    pub subtotal: Money,
    pub tax: Money,
    pub total: Money,
    pub amount_paid: Money,
    /// The total less what the customer's balance pays.
    pub amount_due: Money,
    /// What its credit notes take back.
    pub credited: Money,
    /// Why it was made, in Stripe's words: `subscription_cycle` and the like.
    pub billing_reason: Option<String>,
    /// Of which subscription at Stripe it is.
    pub subscription: Option<String>,
    pub created_at: DateTime<Utc>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    /// Stripe's page of it, where an open one can be paid. None for a draft.
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    pub lines: Vec<InvoiceLine>,
    /// The newest first.
    pub credit_notes: Vec<CreditNote>,
    /// The newest first.
    pub refunds: Vec<Refund>,
}

/// A part of what a group was charged, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentHistory {
    pub invoices: Vec<Invoice>,
    /// Whether there are older ones.
    pub more: bool,
    /// Whether there are newer ones.
    pub older: bool,
}

impl Invoice {
    /// What was given back of its payment, or is on its way.
    pub fn refunded(&self) -> Money {
        let minor =
            self.refunds.iter().filter(|refund| refund.counts()).map(|refund| refund.amount.minor).sum();
        Money::new(minor, self.total.currency)
    }

    /// What taxes, discounts and the like change in the sum of the lines.
    pub fn adjustments(&self) -> Money {
        let lines: i64 = self.lines.iter().map(|line| line.amount.minor).sum();
        Money::new(self.total.minor - lines, self.total.currency)
    }

    /// What the customer's balance pays; below zero where it adds to what is due.
    pub fn from_balance(&self) -> Money {
        Money::new(self.total.minor - self.amount_due.minor, self.total.currency)
    }
}

/// What an invoice is for. An amount below zero is a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceLine {
    /// At Stripe.
    pub id: String,
    pub description: Option<String>,
    pub amount: Money,
    pub quantity: Option<i64>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    /// The price's id at Stripe.
    pub price: Option<String>,
    /// Whether it is for a part of a period.
    pub proration: bool,
    /// What was kept with it at Stripe.
    pub metadata: BTreeMap<String, String>,
}

/// What takes back a part of an invoice, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNote {
    /// At Stripe, as the number.
    pub id: String,
    pub number: String,
    /// `issued` or `void`.
    pub status: String,
    pub amount: Money,
    /// In Stripe's words.
    pub reason: Option<String>,
    pub pdf: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl CreditNote {
    /// Whether it takes anything back.
    pub fn counts(&self) -> bool {
        self.status != "void"
    }
}

/// Money that went back to who paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// At Stripe, as the charge.
    pub id: String,
    pub charge: Option<String>,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    pub status: String,
    pub amount: Money,
    /// In Stripe's words.
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl Refund {
    /// Whether the money goes back.
    pub fn counts(&self) -> bool {
        !matches!(self.status.as_str(), "failed" | "canceled")
    }
}

/// An invoice as JSON has it: its amounts decimal strings in the currency's own number of decimals.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = Invoice))]
pub struct InvoiceFields {
    /// At Stripe.
    pub id: String,
    /// Null for a draft.
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub total: String,
    pub amount_paid: String,
    /// The total less what the group's balance at Stripe pays.
    pub amount_due: String,
    /// By its credit notes.
    pub amount_credited: String,
    /// Failed and canceled refunds don't count.
    pub amount_refunded: String,
    /// Lower-case ISO 4217 code, of the lines' amounts too.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub currency: Currency,
    pub created_at: DateTime<Utc>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    /// Stripe's page of the invoice, where an open one can be paid; null for a draft.
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    pub lines: Vec<InvoiceLineFields>,
    /// The newest first.
    pub credit_notes: Vec<CreditNoteFields>,
    /// The newest first.
    pub refunds: Vec<RefundFields>,
}

/// A credit note as JSON has it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = CreditNote))]
pub struct CreditNoteFields {
    /// At Stripe.
    pub id: String,
    pub number: String,
    /// `issued` or `void`.
    pub status: String,
    pub amount: String,
    pub reason: Option<String>,
    pub pdf: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A refund as JSON has it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = Refund))]
pub struct RefundFields {
    /// At Stripe.
    pub id: String,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    pub status: String,
    pub amount: String,
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A line of an invoice as JSON has it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = InvoiceLine))]
pub struct InvoiceLineFields {
    pub description: Option<String>,
    /// Below zero for a credit.
    pub amount: String,
    pub quantity: Option<i64>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
}

impl From<Invoice> for InvoiceFields {
    fn from(invoice: Invoice) -> Self {
        let refunded = invoice.refunded();
        Self {
            id: invoice.id,
            number: invoice.number,
            status: invoice.status,
            total: invoice.total.decimal(),
            amount_paid: invoice.amount_paid.decimal(),
            amount_due: invoice.amount_due.decimal(),
            amount_credited: invoice.credited.decimal(),
            amount_refunded: refunded.decimal(),
            currency: invoice.total.currency,
            created_at: invoice.created_at,
            period_start: invoice.period_start,
            period_end: invoice.period_end,
            hosted_invoice_url: invoice.hosted_invoice_url,
            invoice_pdf: invoice.invoice_pdf,
            lines: invoice.lines.into_iter().map(InvoiceLineFields::from).collect(),
            credit_notes: invoice.credit_notes.into_iter().map(CreditNoteFields::from).collect(),
            refunds: invoice.refunds.into_iter().map(RefundFields::from).collect(),
        }
    }
}

impl From<CreditNote> for CreditNoteFields {
    fn from(note: CreditNote) -> Self {
        let CreditNote { id, number, status, amount, reason, pdf, created_at } = note;
        Self { id, number, status, amount: amount.decimal(), reason, pdf, created_at }
    }
}

impl From<Refund> for RefundFields {
    fn from(refund: Refund) -> Self {
        let Refund { id, charge: _, status, amount, reason, created_at } = refund;
        Self { id, status, amount: amount.decimal(), reason, created_at }
    }
}

impl From<InvoiceLine> for InvoiceLineFields {
    fn from(line: InvoiceLine) -> Self {
        Self {
            description: line.description,
            amount: line.amount.decimal(),
            quantity: line.quantity,
            period_start: line.period_start,
            period_end: line.period_end,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn invoice() -> Invoice {
        let (start, end) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + chrono::Duration::days(30));
        let line = |amount| InvoiceLine {
            id: "il_1".into(),
            price: None,
            proration: false,
            metadata: BTreeMap::new(),
            description: Some("1 × Basic".into()),
            amount: usd(amount),
            quantity: Some(1),
            period_start: start,
            period_end: end,
        };
        Invoice {
            id: "in_1".into(),
            number: Some("ABC-0001".into()),
            status: InvoiceStatus::Paid,
            subtotal: usd(2_999),
            tax: usd(0),
            total: usd(2_999),
            amount_paid: usd(2_499),
            amount_due: usd(2_499),
            credited: usd(0),
            billing_reason: None,
            subscription: None,
            created_at: start,
            period_start: start,
            period_end: end,
            paid_at: Some(start),
            hosted_invoice_url: None,
            invoice_pdf: None,
            lines: vec![line(3_500), line(-667)],
            credit_notes: Vec::new(),
            refunds: ["succeeded", "failed", "pending"]
                .map(|status| Refund {
                    id: "re_1".into(),
                    charge: None,
                    status: status.into(),
                    amount: usd(100),
                    reason: None,
                    created_at: start,
                })
                .into(),
        }
    }

    #[test]
    fn an_invoice_is_written_with_decimal_amounts() {
        let written = serde_json::to_value(invoice()).unwrap();
        assert_eq!(written["status"], "paid");
        assert_eq!((&written["total"], &written["currency"]), (&json!("29.99"), &json!("usd")));
        assert_eq!(written["lines"][1]["amount"], "-6.67");
        assert_eq!(written["amount_refunded"], "2.00", "what failed doesn't count");
    }

    #[test]
    fn what_the_lines_dont_say_is_the_rest() {
        let invoice = invoice();
        assert_eq!(invoice.adjustments(), usd(166));
        assert_eq!(invoice.from_balance(), usd(500));
    }
}
