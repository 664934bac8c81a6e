//! What an operator has to look at: events of Stripe's that nobody could work off, and charges that Stripe has otherwise.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::billing::ChargeProblem;
use crate::domain::{GivenUpEvent, Money};
use crate::web::components::form::Form;
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::events::RetryEvent;

const EVENT_COLUMNS: &[Column] = &[
    Column::text("Event"),
    Column::text("Type"),
    Column::short("Received"),
    Column::number("Tries"),
    Column::text("Last error"),
];

/// The events that were tried too often.
#[component]
pub fn GivenUp(events: Vec<GivenUpEvent>) -> impl IntoView {
    let rows = events.into_iter().map(|event| {
        let (id, of) = (event.id.clone(), event.id.clone());
        let again = view! {
            <Form to=RetryEvent::PATH>
                <input type="hidden" name="id" value=id/>
                <Submit label="Try again" tone="plain" of/>
            </Form>
        };
        Row::new(view! { <code>{event.id}</code> })
            .cell(view! { <code>{event.event_type}</code> })
            .cell(format::date_time(event.received_at))
            .cell(event.attempts)
            .cell(event.last_error)
            .actions(again)
    });
    view! {
        <section class="section">
            <h2>"Stripe's events that were set aside"</h2>
            <p class="section__note">
                "Each was tried too often in vain. They hold up nothing else: what they are about is also compared with \
                 Stripe each hour."
            </p>
            <Table caption="Stripe's events that were set aside" columns=EVENT_COLUMNS rows=rows.collect()/>
        </section>
    }
}

const CHARGE_COLUMNS: &[Column] = &[
    Column::text("Group"),
    Column::short("Tokens"),
    Column::text("Period"),
    Column::number("Due"),
    Column::text("Invoice"),
    Column::text("What differs"),
];

/// The charges of overage that Stripe has otherwise.
#[component]
pub fn ChargeProblems(charges: Vec<ChargeProblem>) -> impl IntoView {
    let rows = charges.into_iter().map(|charge| {
        Row::new(charge.group_name)
            .cell(charge.usage_type.label())
            .cell(format::span(charge.period_start, charge.period_end))
            .cell(Money::new(charge.amount_minor, charge.currency).to_string())
            .cell(charge.stripe_invoice.map(|invoice| view! { <code>{invoice}</code> }))
            .cell(charge.problem)
    });
    view! {
        <section class="section">
            <h2>"Overage that differs at Stripe"</h2>
            <p class="section__note">
                "Nothing of this is changed by itself: put it right at Stripe. Each hour the charges are compared, and one \
                 that agrees leaves this list."
            </p>
            <Table caption="Overage that differs at Stripe" columns=CHARGE_COLUMNS rows=rows.collect()/>
        </section>
    }
}
