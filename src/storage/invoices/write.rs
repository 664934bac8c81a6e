//! Writing an invoice as it was fetched.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{CREDIT_NOTES, CreditNoteRow, INVOICE, InvoiceRow, LINES, LineRow, REFUNDS, RefundRow, put_in};
use crate::domain::{GroupId, Invoice};
use crate::error::Result;
use crate::storage::Tx;

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
    pub async fn remove_invoice(&mut self, group: GroupId, id: &str, ticket: i64) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query("DELETE FROM invoices WHERE group_id = $1 AND id = $2 AND synced_ticket < $3")
                .bind(group)
                .bind(id)
                .bind(ticket)
                .execute(connection)
                .await?;
        });
        Ok(())
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
