//! How far groups came, and the plans at the window's end.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::Shown;
use super::figures::{Definitions, NONE, rate};
use crate::domain::{Figure, Funnel, PlanFigures, TimeFigures, group_digits, share};
use crate::web::components::table::{Column, Row, Table};

#[component]
pub fn FunnelSteps(funnel: Funnel, from: DateTime<Utc>, to: DateTime<Utc>, shown: Shown) -> impl IntoView {
    let steps = [
        (Figure::SignedUp, funnel.signed_up, None),
        (Figure::CheckedOut, funnel.checked_out, Some(funnel.signed_up)),
        (Figure::Paid, funnel.paid, Some(funnel.signed_up)),
        (Figure::TrialStarted, funnel.trial_started, Some(funnel.signed_up)),
        (Figure::TrialConverted, funnel.trial_converted, Some(funnel.trial_started)),
    ];
    let rows = steps.map(|(figure, count, whole)| {
        let width = share(count, funnel.signed_up).unwrap_or_default();
        let of = match (whole, figure) {
            (None, _) => String::new(),
            (Some(whole), Figure::TrialConverted) => format!("{} of trials", rate(share(count, whole))),
            (Some(whole), _) => format!("{} of sign-ups", rate(share(count, whole))),
        };
        let href = shown.rows(figure, from, to);
        let value = if count == 0 {
            view! { "0" }.into_any()
        } else {
            let label = format!("{}: {}, the rows", figure.label(), group_digits(count));
            view! { <a href=href aria-label=label>{group_digits(count)}</a> }.into_any()
        };
        view! {
            <div class="funnel__step">
                <dt>{figure.label()}</dt>
                <dd>
                    <svg class="funnel__bar" width="100%" height="10" aria-hidden="true">
                        <rect width=format!("{}%", width.min(100.0)) height="100%" rx="3"></rect>
                    </svg>
                    <span class="funnel__count">{value}</span>
                    <span class="funnel__share">{of}</span>
                </dd>
            </div>
        }
    });
    let figures = steps.map(|(figure, ..)| figure).into();
    view! {
        <section class="section">
            <h2>"From sign-up to payment"</h2>
            <div class="panel">
                <dl class="funnel">{rows.into_iter().collect_view()}</dl>
                <Definitions figures/>
            </div>
        </section>
    }
}

#[component]
pub fn Plans(plans: Vec<PlanFigures>, total: TimeFigures, shown: Shown) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::text("Plan"),
        Column::number("Active"),
        Column::number("Past due"),
        Column::number("Trialing"),
        Column::number("MRR"),
        Column::number("Of all MRR"),
    ];
    let list = if plans.is_empty() {
        view! { <p class="empty">"No plan had a subscription at the window's end."</p> }.into_any()
    } else {
        let rows = plans.into_iter().map(|PlanFigures { plan, subscriptions, mrr }| {
            let cell = |figure: Figure, text: String, is_zero: bool| {
                if is_zero {
                    return text.into_any();
                }
                let href = format!("{}&plan_id={}", shown.rows(figure, total.from, total.to), plan.id);
                let label = format!("{text}: {} on {}, the rows", figure.label(), plan.name);
                view! { <a href=href aria-label=label>{text}</a> }.into_any()
            };
            let count = |figure, count: i64| cell(figure, group_digits(count), count == 0);
            let of = share(mrr.minor, total.mrr.end.minor);
            Row::new(plan.name.clone())
                .cell(count(Figure::Active, subscriptions.active))
                .cell(count(Figure::PastDue, subscriptions.past_due))
                .cell(count(Figure::Trialing, subscriptions.trialing))
                .cell(cell(Figure::Mrr, mrr.to_string(), mrr.minor == 0))
                .cell(of.map_or_else(|| NONE.to_owned(), |of| format!("{of:.1} %")))
        });
        view! { <Table caption="Plans" columns=COLUMNS rows=rows.collect()/> }.into_any()
    };
    view! {
        <section class="section">
            <h2>"Plans at the window's end"</h2>
            {list}
            <p class="section__note">"Plans that have a subscription, by the MRR of those on them."</p>
        </section>
    }
}
