//! Invoices with their lines, credit notes and refunds, as Stripe was last seen to have them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

use super::{PageRequest, PageRows, Store, Tx};
use crate::domain::{
    CreditNote, Currency, GroupId, Invoice, InvoiceLine, InvoiceStatus, Money, Refund, Refusal,
};
use crate::error::Result;

/// How much of an invoice was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// All of it.
    Whole,
    /// Not its credit notes and refunds: those that are kept stay.
    WithoutCredits,
}

/// What became of an invoice that was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceWritten {
    /// It is kept as it was.
    Same,
    Changed,
    /// A fetch that began later was written before.
    Outdated,
}

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

impl Tx {
    /// Writes an invoice as Stripe had it when the ticket was drawn. Call [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// The database's.
    pub async fn apply_invoice(
        &mut self,
        group: GroupId,
        ticket: i64,
        invoice: &Invoice,
        fetched: Fetched,
    ) -> Result<InvoiceWritten> {
        let kept: Option<InvoiceRow> = on_tx!(self, |connection| {
            sqlx::query_as(INVOICE).bind(group).bind(&invoice.id).fetch_optional(connection).await?
        });
        if kept.as_ref().is_some_and(|kept| kept.synced_ticket >= ticket) {
            return Ok(InvoiceWritten::Outdated);
        }
        let kept = match kept {
            Some(row) => on_tx!(self, |connection| with_parts!(group, [row], connection)).pop(),
            None => None,
        };
        let mut new = invoice.clone();
        if let (Fetched::WithoutCredits, Some(kept)) = (fetched, &kept) {
            new.credit_notes.clone_from(&kept.credit_notes);
            new.refunds.clone_from(&kept.refunds);
        }
        self.write_invoice(group, ticket, &new).await?;
        let Some(kept) = kept else {
            self.write_parts(group, &new).await?;
            return Ok(InvoiceWritten::Changed);
        };
        if kept.lines != new.lines || kept.credit_notes != new.credit_notes || kept.refunds != new.refunds {
            self.remove_parts(group, &new.id).await?;
            self.write_parts(group, &new).await?;
        }
        // Stripe signs its addresses anew whenever it is asked.
        new.hosted_invoice_url.clone_from(&kept.hosted_invoice_url);
        new.invoice_pdf.clone_from(&kept.invoice_pdf);
        Ok(if new == kept { InvoiceWritten::Same } else { InvoiceWritten::Changed })
    }

    async fn write_invoice(&mut self, group: GroupId, ticket: i64, invoice: &Invoice) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO invoices (group_id, id, number, status, currency, subtotal, tax, total, amount_due,
                     amount_paid, credited, billing_reason, subscription, created_at, period_start, period_end,
                     paid_at, hosted_invoice_url, invoice_pdf, synced_ticket)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
                 ON CONFLICT (group_id, id) DO UPDATE SET number = excluded.number, status = excluded.status,
                     currency = excluded.currency, subtotal = excluded.subtotal, tax = excluded.tax,
                     total = excluded.total, amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
                     credited = excluded.credited, billing_reason = excluded.billing_reason,
                     subscription = excluded.subscription, created_at = excluded.created_at,
                     period_start = excluded.period_start, period_end = excluded.period_end,
                     paid_at = excluded.paid_at, hosted_invoice_url = excluded.hosted_invoice_url,
                     invoice_pdf = excluded.invoice_pdf, synced_ticket = excluded.synced_ticket",
            )
            .bind(group)
            .bind(&invoice.id)
            .bind(&invoice.number)
            .bind(invoice.status.as_str())
            .bind(invoice.total.currency.code())
            .bind(invoice.subtotal.minor)
            .bind(invoice.tax.minor)
            .bind(invoice.total.minor)
            .bind(invoice.amount_due.minor)
            .bind(invoice.amount_paid.minor)
            .bind(invoice.credited.minor)
            .bind(&invoice.billing_reason)
            .bind(&invoice.subscription)
            .bind(invoice.created_at)
            .bind(invoice.period_start)
            .bind(invoice.period_end)
            .bind(invoice.paid_at)
            .bind(&invoice.hosted_invoice_url)
            .bind(&invoice.invoice_pdf)
            .bind(ticket)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    async fn remove_parts(&mut self, group: GroupId, invoice: &str) -> Result<()> {
        on_tx!(self, |connection| {
            for statement in [
                "DELETE FROM invoice_lines WHERE group_id = $1 AND invoice_id = $2",
                "DELETE FROM credit_notes WHERE group_id = $1 AND invoice_id = $2",
                "DELETE FROM refunds WHERE group_id = $1 AND invoice_id = $2",
            ] {
                sqlx::query(statement).bind(group).bind(invoice).execute(&mut *connection).await?;
            }
        });
        Ok(())
    }

    async fn write_parts(&mut self, group: GroupId, invoice: &Invoice) -> Result<()> {
        on_tx!(self, |connection| {
            for (position, line) in (0_i64..).zip(&invoice.lines) {
                sqlx::query(
                    "INSERT INTO invoice_lines (group_id, invoice_id, position, id, description, amount, quantity,
                         period_start, period_end, price, proration, metadata)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                )
                .bind(group)
                .bind(&invoice.id)
                .bind(position)
                .bind(&line.id)
                .bind(&line.description)
                .bind(line.amount.minor)
                .bind(line.quantity)
                .bind(line.period_start)
                .bind(line.period_end)
                .bind(&line.price)
                .bind(line.proration)
                .bind(Json(&line.metadata))
                .execute(&mut *connection)
                .await?;
            }
            for note in &invoice.credit_notes {
                sqlx::query(
                    "INSERT INTO credit_notes (group_id, invoice_id, id, number, status, amount, reason, pdf, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(group)
                .bind(&invoice.id)
                .bind(&note.id)
                .bind(&note.number)
                .bind(&note.status)
                .bind(note.amount.minor)
                .bind(&note.reason)
                .bind(&note.pdf)
                .bind(note.created_at)
                .execute(&mut *connection)
                .await?;
            }
            for refund in &invoice.refunds {
                sqlx::query(
                    "INSERT INTO refunds (group_id, invoice_id, id, charge, status, amount, reason, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(group)
                .bind(&invoice.id)
                .bind(&refund.id)
                .bind(&refund.charge)
                .bind(&refund.status)
                .bind(refund.amount.minor)
                .bind(&refund.reason)
                .bind(refund.created_at)
                .execute(&mut *connection)
                .await?;
            }
        });
        Ok(())
    }

    /// Removes an invoice that Stripe doesn't have any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_invoice(&mut self, group: GroupId, id: &str, ticket: i64) -> Result<bool> {
        let removed = on_tx!(self, |connection| {
            sqlx::query("DELETE FROM invoices WHERE group_id = $1 AND id = $2 AND synced_ticket < $3")
                .bind(group)
                .bind(id)
                .bind(ticket)
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(removed > 0)
    }

    /// Notes that all of the group's invoices were read and written under this ticket. Drafts that weren't among them
    /// are gone: Stripe deletes no others. Gives how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn finish_invoices(&mut self, group: GroupId, ticket: i64, now: DateTime<Utc>) -> Result<u64> {
        Ok(on_tx!(self, |connection| {
            sqlx::query("UPDATE groups SET invoices_read_at = COALESCE(invoices_read_at, $2) WHERE id = $1")
                .bind(group)
                .bind(now)
                .execute(&mut *connection)
                .await?;
            sqlx::query(
                "DELETE FROM invoices WHERE group_id = $1 AND status = 'draft' AND synced_ticket < $2",
            )
            .bind(group)
            .bind(ticket)
            .execute(&mut *connection)
            .await?
            .rows_affected()
        }))
    }
}
