//! What was charged, credited and refunded, as Stripe has it.

use leptos::prelude::*;

use super::PAYMENTS;
use crate::domain::{CreditNote, Invoice, InvoiceLine, InvoiceStatus, Money, PaymentHistory, Refund};
use crate::web::components::badge::Badge;
use crate::web::components::submit::Of;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;

const COLUMNS: &[Column] =
    &[Column::text("Invoice"), Column::short("Date"), Column::short("Status"), Column::number("Total")];

#[component]
pub fn Payments(
    history: PaymentHistory,
    /// The page that it is a part of.
    #[prop(into)]
    path: String,
) -> impl IntoView {
    let PaymentHistory { invoices, more, older } = history;
    let last = invoices.last().filter(|_| more).map(|last| format!("{path}?after={}#{PAYMENTS}", last.id));
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
                {older.then(|| view! { <a href=format!("{path}#{PAYMENTS}")>"Newest"</a>" " })}
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
    let given_back =
        [("credited", invoice.credited), ("refunded", invoice.refunded())].map(|(how, amount)| {
            let text = format!("{amount} {how}");
            (amount.minor != 0).then(|| view! { <span class="given-back">{text}</span> })
        });
    Row::new(view! {
        {number.clone()}
        <details class="lines">
            <summary>"Lines"<Of name=number.clone()/></summary>
            <Lines invoice/>
        </details>
    })
    .cell(created)
    .cell(view! { <Badge tone label/> })
    .cell(view! { {total} {given_back} })
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
    let notes = invoice.credit_notes.into_iter().map(|note| view! { <Note note/> });
    let refunds = invoice.refunds.into_iter().map(|refund| view! { <Back refund/> });
    view! {
        <dl class="lines__list">
            {lines.collect_view()}
            {sum("Taxes and discounts", adjustments)}
            {sum("From your balance", balance)}
            {notes.collect_view()}
            {refunds.collect_view()}
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

#[component]
fn Note(note: CreditNote) -> impl IntoView {
    let label = if note.counts() { "Credit note" } else { "Credit note, void" };
    let number = match note.pdf.clone() {
        Some(pdf) => {
            view! { <a href=pdf target="_blank" rel="noopener">{note.number.clone()}</a> }.into_any()
        }
        None => note.number.clone().into_any(),
    };
    view! {
        <div>
            <dt>
                {label} " " {number}
                <span class="lines__period">{format::date(note.created_at)} {because(note.reason)}</span>
            </dt>
            <dd>{taken_back(note.amount)}</dd>
        </div>
    }
}

#[component]
fn Back(refund: Refund) -> impl IntoView {
    let label = match refund.status.as_str() {
        "succeeded" => "Refund",
        "failed" => "Refund, failed",
        "canceled" => "Refund, canceled",
        _ => "Refund, on its way",
    };
    view! {
        <div>
            <dt>
                {label}
                <span class="lines__period">{format::date(refund.created_at)} {because(refund.reason)}</span>
            </dt>
            <dd>{taken_back(refund.amount)}</dd>
        </div>
    }
}

fn taken_back(amount: Money) -> String {
    Money::new(-amount.minor, amount.currency).to_string()
}

/// Stripe's word for a reason, as a person reads it.
fn because(reason: Option<String>) -> Option<String> {
    reason.map(|reason| format!(" · {}", reason.replace('_', " ")))
}
