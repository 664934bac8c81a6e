//! The invoices as a file, with what was paid, credited and refunded of each.

use std::collections::BTreeMap;

use super::cell::{Cell, Row};
use super::query::InvoicesQuery;
use super::usage::{GROUP, TOTAL};
use super::{Contents, PAGE, Report, Reports, Rows, Scope, groups_of};
use crate::domain::{Currency, GroupId, Money, Period, User};
use crate::error::Result;
use crate::storage::{ReportInvoiceRow, ReportSnapshot};

const WHAT: [&str; 10] = [
    "id",
    "number",
    "status",
    "currency",
    "created_at",
    "period_start",
    "period_end",
    "paid_at",
    "billing_reason",
    "subscription_id",
];
/// Each amount in minor units, and as a decimal.
const AMOUNTS: [&str; 14] = [
    "subtotal_minor",
    "subtotal",
    "tax_minor",
    "tax",
    "total_minor",
    "total",
    "amount_due_minor",
    "amount_due",
    "amount_paid_minor",
    "amount_paid",
    "credited_minor",
    "credited",
    "refunded_minor",
    "refunded",
];
const LINKS: [&str; 2] = ["hosted_invoice_url", "invoice_pdf"];

/// A report of invoices, about to be written.
pub(super) struct InvoicesReport {
    scope: Scope,
    window: Period,
}

/// The amounts of an invoice, or of all of a currency, in minor units and in the order of the columns.
type Amounts = [i64; 7];

#[derive(Default)]
struct Total {
    invoices: i64,
    amounts: BTreeMap<String, (Currency, Amounts)>,
}

impl Reports {
    /// The invoices that were made in a window, of the group or of all groups.
    ///
    /// # Errors
    /// As [`Reports::usage`].
    pub async fn invoices(&self, user: &User, query: InvoicesQuery) -> Result<Report> {
        let InvoicesQuery { format, window, group } = query;
        let report = InvoicesReport { scope: self.scope(user, group).await?, window };
        self.begin(format, "invoices".to_owned(), Contents::Invoices(report)).await
    }
}

impl InvoicesReport {
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let mut columns: Vec<_> = WHAT.into_iter().chain(AMOUNTS).chain(LINKS).collect();
        if self.scope == Scope::AllGroups {
            columns.extend(GROUP);
        }
        columns
    }

    pub(super) async fn write(self, snapshot: &mut ReportSnapshot, rows: &Rows) -> Result<()> {
        let mut total = Total::default();
        let mut after = None;
        loop {
            let groups = groups_of(snapshot, self.scope, after).await?;
            let Some((last, _)) = groups.last() else { break };
            after = Some(*last);
            for (group, name) in &groups {
                self.write_group(snapshot, rows, *group, name, &mut total).await?;
            }
        }
        rows.send(self.total(&total)).await
    }

    async fn write_group(
        &self,
        snapshot: &mut ReportSnapshot,
        rows: &Rows,
        group: GroupId,
        name: &str,
        total: &mut Total,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let position = after.as_ref().map(|(at, id): &(_, String)| (*at, id.as_str()));
            let page = snapshot.invoices(group, self.window, position, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some((last.created_at, last.id.clone()));
            let written = page.into_iter().map(|invoice| {
                total.add(&invoice);
                let mut row = row(invoice);
                if self.scope == Scope::AllGroups {
                    row.extend([Cell::word(group), Cell::Text(name.to_owned())]);
                }
                row
            });
            rows.send(written.collect()).await?;
        }
    }

    /// The last row says how many invoices there are and, where they are of one currency, what they add up to. Of several
    /// currencies, each has a row of its own before it.
    fn total(&self, total: &Total) -> Vec<Row> {
        let width = self.columns().len();
        let row_of = |label: &str, count: Cell, sums: Option<&(Currency, Amounts)>| {
            let mut row = vec![Cell::word(label), count, Cell::Empty];
            row.push(Cell::or_empty(sums, |(currency, _)| Cell::word(currency.code())));
            row.resize(WHAT.len(), Cell::Empty);
            row.extend(sums.into_iter().flat_map(|(currency, amounts)| amount_cells(*currency, amounts)));
            row.resize(width, Cell::Empty);
            row
        };
        let mut rows = Vec::new();
        if total.amounts.len() > 1 {
            rows.extend(total.amounts.values().map(|sums| row_of("subtotal", Cell::Empty, Some(sums))));
        }
        let only = if total.amounts.len() == 1 { total.amounts.values().next() } else { None };
        rows.push(row_of(TOTAL, Cell::Count(total.invoices), only));
        rows
    }
}

impl Total {
    fn add(&mut self, invoice: &ReportInvoiceRow) {
        self.invoices += 1;
        let code = invoice.currency.code().to_owned();
        let (_, sums) = self.amounts.entry(code).or_insert((invoice.currency, [0; 7]));
        for (sum, amount) in sums.iter_mut().zip(amounts(invoice)) {
            *sum += amount;
        }
    }
}

fn amounts(invoice: &ReportInvoiceRow) -> Amounts {
    [
        invoice.subtotal,
        invoice.tax,
        invoice.total,
        invoice.amount_due,
        invoice.amount_paid,
        invoice.credited,
        invoice.refunded,
    ]
}

fn amount_cells(currency: Currency, amounts: &Amounts) -> impl Iterator<Item = Cell> {
    amounts.iter().flat_map(move |&minor| [Cell::Count(minor), Cell::Decimal(Money::new(minor, currency))])
}

fn row(invoice: ReportInvoiceRow) -> Row {
    let (currency, amounts) = (invoice.currency, amounts(&invoice));
    let mut row = vec![
        Cell::Word(invoice.id),
        Cell::or_empty(invoice.number, Cell::Text),
        Cell::Word(invoice.status),
        Cell::word(currency.code()),
        Cell::Time(invoice.created_at),
        Cell::Time(invoice.period_start),
        Cell::Time(invoice.period_end),
        Cell::or_empty(invoice.paid_at, Cell::Time),
        Cell::or_empty(invoice.billing_reason, Cell::Word),
        Cell::or_empty(invoice.subscription, Cell::Word),
    ];
    row.extend(amount_cells(currency, &amounts));
    row.push(Cell::or_empty(invoice.hosted_invoice_url, Cell::Word));
    row.push(Cell::or_empty(invoice.invoice_pdf, Cell::Word));
    row
}
