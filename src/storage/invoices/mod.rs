//! Invoices with their lines, credit notes and refunds, as Stripe was last seen to have them.

/// Reads what belongs to these invoices of the group, which are neighbours in the order of the list.
macro_rules! with_parts {
    ($group:expr, $rows:expr, $connection:expr) => {{
        let mut invoices: Vec<Invoice> = $rows.into_iter().map(Invoice::from).collect();
        if let (Some(first), Some(last)) = (invoices.first(), invoices.last()) {
            // The newest comes first.
            let (from, to) = ((last.created_at, last.id.clone()), (first.created_at, first.id.clone()));
            macro_rules! parts {
                ($statement:expr) => {
                    sqlx::query_as($statement)
                        .bind($group)
                        .bind(from.0)
                        .bind(&from.1)
                        .bind(to.0)
                        .bind(&to.1)
                        .fetch_all(&mut *$connection)
                        .await?
                };
            }
            let lines: Vec<LineRow> = parts!(LINES);
            let notes: Vec<CreditNoteRow> = parts!(CREDIT_NOTES);
            let refunds: Vec<RefundRow> = parts!(REFUNDS);
            put_in(&mut invoices, lines, notes, refunds);
        }
        invoices
    }};
}

mod write;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{PageRequest, PageRows, Store};
use crate::domain::{
    CreditNote, Currency, GroupId, Invoice, InvoiceLine, InvoiceStatus, Money, Refund, Refusal,
};
use crate::error::Result;

pub use write::{Fetched, InvoiceWritten};

#[derive(FromRow)]
struct InvoiceRow {
    id: String,
    number: Option<String>,
    #[sqlx(try_from = "String")]
    status: InvoiceStatus,
    #[sqlx(try_from = "String")]
    currency: Currency,
    subtotal: i64,
    tax: i64,
    total: i64,
    amount_due: i64,
    amount_paid: i64,
    credited: i64,
    billing_reason: Option<String>,
    subscription: Option<String>,
    created_at: DateTime<Utc>,
    period_start: DateTime<Utc>,
    period_end: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
    hosted_invoice_url: Option<String>,
    invoice_pdf: Option<String>,
    synced_ticket: i64,
}

#[derive(FromRow)]
struct LineRow {
    invoice_id: String,
    id: String,
    description: Option<String>,
    amount: i64,
    quantity: Option<i64>,
    period_start: DateTime<Utc>,
    period_end: DateTime<Utc>,
    price: Option<String>,
    proration: bool,
    metadata: Json<BTreeMap<String, String>>,
}

#[derive(FromRow)]
struct CreditNoteRow {
    invoice_id: String,
    id: String,
    number: String,
    status: String,
    amount: i64,
    reason: Option<String>,
    pdf: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct RefundRow {
    invoice_id: String,
    id: String,
    charge: Option<String>,
    status: String,
    amount: i64,
    reason: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        let money = |minor| Money::new(minor, row.currency);
        Self {
            status: row.status,
            subtotal: money(row.subtotal),
            tax: money(row.tax),
            total: money(row.total),
            amount_due: money(row.amount_due),
            amount_paid: money(row.amount_paid),
            credited: money(row.credited),
            id: row.id,
            number: row.number,
            billing_reason: row.billing_reason,
            subscription: row.subscription,
            created_at: row.created_at,
            period_start: row.period_start,
            period_end: row.period_end,
            paid_at: row.paid_at,
            hosted_invoice_url: row.hosted_invoice_url,
            invoice_pdf: row.invoice_pdf,
            lines: Vec::new(),
            credit_notes: Vec::new(),
            refunds: Vec::new(),
        }
    }
}

impl LineRow {
    fn line(self, currency: Currency) -> InvoiceLine {
        InvoiceLine {
            id: self.id,
            description: self.description,
            amount: Money::new(self.amount, currency),
            quantity: self.quantity,
            period_start: self.period_start,
            period_end: self.period_end,
            price: self.price,
            proration: self.proration,
            metadata: self.metadata.0,
        }
    }
}

impl CreditNoteRow {
    fn note(self, currency: Currency) -> CreditNote {
        let Self { id, number, status, amount, reason, pdf, created_at, .. } = self;
        CreditNote { id, number, status, amount: Money::new(amount, currency), reason, pdf, created_at }
    }
}

impl RefundRow {
    fn refund(self, currency: Currency) -> Refund {
        let Self { id, charge, status, amount, reason, created_at, .. } = self;
        Refund { id, charge, status, amount: Money::new(amount, currency), reason, created_at }
    }
}

const INVOICE: &str = "SELECT id, number, status, currency, subtotal, tax, total, amount_due, amount_paid, credited,
         billing_reason, subscription, created_at, period_start, period_end, paid_at, hosted_invoice_url, invoice_pdf,
         synced_ticket
     FROM invoices WHERE group_id = $1 AND id = $2";

/// One page. Stripe's order is that of creation; of those of the same second any is as good, as long as it stays.
const PAGE: &str = "SELECT id, number, status, currency, subtotal, tax, total, amount_due, amount_paid, credited,
         billing_reason, subscription, created_at, period_start, period_end, paid_at, hosted_invoice_url, invoice_pdf,
         synced_ticket
     FROM invoices
     WHERE group_id = $1 AND ($2 IS NULL
         OR (created_at, id) < (SELECT i.created_at, i.id FROM invoices i WHERE i.group_id = $1 AND i.id = $2))
     ORDER BY created_at DESC, id DESC LIMIT $3";

/// Of the invoices from `($2, $3)` to `($4, $5)`, by time of creation and id; as the next two.
const LINES: &str =
    "SELECT l.invoice_id, l.id, l.description, l.amount, l.quantity, l.period_start, l.period_end, l.price,
         l.proration, l.metadata
     FROM invoices i JOIN invoice_lines l ON l.group_id = i.group_id AND l.invoice_id = i.id
     WHERE i.group_id = $1 AND (i.created_at, i.id) >= ($2, $3) AND (i.created_at, i.id) <= ($4, $5)
     ORDER BY l.invoice_id, l.position";
const CREDIT_NOTES: &str =
    "SELECT n.invoice_id, n.id, n.number, n.status, n.amount, n.reason, n.pdf, n.created_at
     FROM invoices i JOIN credit_notes n ON n.group_id = i.group_id AND n.invoice_id = i.id
     WHERE i.group_id = $1 AND (i.created_at, i.id) >= ($2, $3) AND (i.created_at, i.id) <= ($4, $5)
     ORDER BY n.created_at DESC, n.id";
const REFUNDS: &str = "SELECT r.invoice_id, r.id, r.charge, r.status, r.amount, r.reason, r.created_at
     FROM invoices i JOIN refunds r ON r.group_id = i.group_id AND r.invoice_id = i.id
     WHERE i.group_id = $1 AND (i.created_at, i.id) >= ($2, $3) AND (i.created_at, i.id) <= ($4, $5)
     ORDER BY r.created_at DESC, r.id";

fn put_in(invoices: &mut [Invoice], lines: Vec<LineRow>, notes: Vec<CreditNoteRow>, refunds: Vec<RefundRow>) {
    let mut by_id: HashMap<String, &mut Invoice> =
        invoices.iter_mut().map(|invoice| (invoice.id.clone(), invoice)).collect();
    for line in lines {
        if let Some(invoice) = by_id.get_mut(&line.invoice_id) {
            invoice.lines.push(line.line(invoice.total.currency));
        }
    }
    for note in notes {
        if let Some(invoice) = by_id.get_mut(&note.invoice_id) {
            invoice.credit_notes.push(note.note(invoice.total.currency));
        }
    }
    for refund in refunds {
        if let Some(invoice) = by_id.get_mut(&refund.invoice_id) {
            invoice.refunds.push(refund.refund(invoice.total.currency));
        }
    }
}

impl Store {
    /// One page of the group's invoices, newest first, after the one with the id that the page begins after.
    ///
    /// # Errors
    /// A refusal on `cursor` where the group has no such invoice; the database's.
    pub async fn invoices_page(
        &self,
        group: GroupId,
        page: &PageRequest<String>,
    ) -> Result<PageRows<Invoice>> {
        let after = page.after.as_deref();
        if let Some(after) = after {
            let found: Option<InvoiceRow> = on_db!(self, |pool| {
                sqlx::query_as(INVOICE).bind(group).bind(after).fetch_optional(pool).await?
            });
            if found.is_none() {
                return Err(Refusal::field("cursor", "Is not a cursor that this list gave.").into());
            }
        }
        let rows: Vec<InvoiceRow> = on_db!(self, |pool| {
            sqlx::query_as(PAGE).bind(group).bind(after).bind(page.rows()).fetch_all(pool).await?
        });
        let PageRows { rows, more } = page.page(rows);
        let rows = on_db!(self, |pool| {
            let mut connection = pool.acquire().await?;
            with_parts!(group, rows, connection)
        });
        Ok(PageRows { rows, more })
    }

    /// Draws the number that a fetch of the group's invoices will be written under.
    ///
    /// # Errors
    /// The database's.
    pub async fn draw_group_sync_ticket(&self, group: GroupId) -> Result<i64> {
        Ok(write_db!(self, |pool| {
            sqlx::query_scalar(
                "UPDATE groups SET sync_ticket = sync_ticket + 1 WHERE id = $1 RETURNING sync_ticket",
            )
            .bind(group)
            .fetch_one(pool)
            .await?
        }))
    }

    /// The group that is this customer at Stripe, if one is.
    ///
    /// # Errors
    /// The database's.
    pub async fn group_of_customer(&self, customer: &str) -> Result<Option<GroupId>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar("SELECT id FROM groups WHERE stripe_customer_id = $1")
                .bind(customer)
                .fetch_optional(pool)
                .await?
        }))
    }

    /// At most `limit` groups that are customers at Stripe, after `after`, in the order of their ids.
    ///
    /// # Errors
    /// The database's.
    pub async fn customers_after(
        &self,
        after: Option<GroupId>,
        limit: i64,
    ) -> Result<Vec<(GroupId, String)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, stripe_customer_id FROM groups WHERE id > $1 AND stripe_customer_id IS NOT NULL
                 ORDER BY id LIMIT $2",
            )
            .bind(after.unwrap_or(GroupId(Uuid::nil())))
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// At most `limit` groups that are customers at Stripe, and whose invoices weren't read yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn unread_customers(&self, limit: i64) -> Result<Vec<(GroupId, String)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, stripe_customer_id FROM groups
                 WHERE invoices_read_at IS NULL AND stripe_customer_id IS NOT NULL ORDER BY id LIMIT $1",
            )
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }
}
