//! What was charged, as Stripe has it.

use leptos::prelude::*;

use super::PAYMENTS;
use crate::domain::{Invoice, InvoiceLine, InvoiceStatus, Money};
use crate::web::components::badge::Badge;
use crate::web::components::submit::Of;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;

const COLUMNS: &[Column] =
    &[Column::text("Invoice"), Column::short("Date"), Column::short("Status"), Column::number("Total")];

#[component]
pub fn Payments(
    invoices: Vec<Invoice>,
    /// Whether there are older ones.
    more: bool,
    /// Whether there are newer ones.
    older: bool,
) -> impl IntoView {
    let last = invoices.last().filter(|_| more).map(|last| format!("/billing?after={}#{PAYMENTS}", last.id));
    let rows: Vec<_> = invoices.into_iter().map(row).collect();
    let list = if rows.is_empty() {
        view! { <p class="empty">"Nothing was charged yet."</p> }.into_any()
    } else {
        view! { <Table caption="Invoices" columns=COLUMNS rows/> }.into_any()
    };
    view! {
        <section class="section" id=PAYMENTS>
            <h2>"Payment history"</h2>
            {list}
            <p class="after-table">
                {older.then(|| view! { <a href=format!("/billing#{PAYMENTS}")>"Newest"</a>" " })}
                {last.map(|href| view! { <a href=href>"Older"</a> })}
            </p>
        </section>
    }
}

fn row(invoice: Invoice) -> Row {
    let number = invoice.number.clone().unwrap_or_else(|| "Draft".into());
    let (tone, label) = match invoice.status {
        InvoiceStatus::Draft => ("quiet", "Draft"),
        InvoiceStatus::Open => ("warning", "Open"),
        InvoiceStatus::Paid => ("ok", "Paid"),
        InvoiceStatus::Uncollectible => ("limit", "Uncollectible"),
        InvoiceStatus::Void => ("quiet", "Void"),
    };
    let link = |href: Option<String>, label: &'static str| {
        let of = number.clone();
        href.map(|href| view! { <a href=href target="_blank" rel="noopener">{label}<Of name=of/></a> })
    };
    let links = view! {
        <span class="links">
            {link(invoice.hosted_invoice_url.clone(), "View")}
            {link(invoice.invoice_pdf.clone(), "PDF")}
        </span>
    };
    let (total, created) = (invoice.total.to_string(), format::date(invoice.created_at));
    Row::new(view! {
        {number.clone()}
        <details class="lines">
            <summary>"Lines"<Of name=number.clone()/></summary>
            <Lines invoice/>
        </details>
    })
    .cell(created)
    .cell(view! { <Badge tone label/> })
    .cell(total)
    .actions(links)
}

#[component]
fn Lines(invoice: Invoice) -> impl IntoView {
    let sum = |label: &'static str, amount: Money| {
        (amount.minor != 0).then(|| view! { <div><dt>{label}</dt><dd>{amount.to_string()}</dd></div> })
    };
    let (adjustments, balance) = (invoice.adjustments(), invoice.from_balance());
    let balance = Money::new(-balance.minor, balance.currency);
    let lines = invoice.lines.into_iter().map(|line| view! { <Line line/> });
    view! {
        <dl class="lines__list">
            {lines.collect_view()}
            {sum("Taxes and discounts", adjustments)}
            {sum("From your balance", balance)}
        </dl>
    }
}

#[component]
fn Line(line: InvoiceLine) -> impl IntoView {
    let InvoiceLine { description, amount, period_start, period_end, .. } = line;
    view! {
        <div>
            <dt>
                {description.unwrap_or_else(|| "No description".into())}
                <span class="lines__period">{format::span(period_start, period_end)}</span>
            </dt>
            <dd>{amount.to_string()}</dd>
        </div>
    }
}
