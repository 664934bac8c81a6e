//! How many subscriptions there are, and how many groups leave.

use leptos::prelude::*;

use super::super::Shown;
use super::super::chart::{Bar, COLUMN, Plot};
use super::super::figures::rate;
use super::{Section, amount, count, ends, name, short_count, single};
use crate::domain::{Figure, TimeFigures, group_digits};
use crate::web::components::table::{Column, Row};

#[component]
pub fn Subscriptions(intervals: Vec<TimeFigures>, shown: Shown) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::short("Time"),
        Column::number("Active"),
        Column::number("Past due"),
        Column::number("Trialing"),
    ];
    const KEYS: &[(&str, &str)] = &[("active", "Active"), ("past_due", "Past due"), ("trialing", "Trialing")];
    let parts = |time: &TimeFigures| {
        let counts = time.subscriptions;
        [
            (Figure::Active, counts.active),
            (Figure::PastDue, counts.past_due),
            (Figure::Trialing, counts.trialing),
        ]
    };
    let columns = intervals.iter().map(|time| {
        let mut pile = 0;
        let bars = parts(time).map(|(figure, count)| {
            let from = pile;
            pile += count;
            let title = format!("{}, {}: {}", name(&shown, time), figure.label(), group_digits(count));
            Bar { kind: figure.as_str(), from, to: pile, width: COLUMN, title }
        });
        bars.into()
    });
    let now = intervals.last().map(|time| time.subscriptions).unwrap_or_default();
    let plot = Plot {
        label: format!(
            "Subscriptions at each interval's end. At last {} active, {} past due, {} trialing.",
            now.active, now.past_due, now.trialing
        ),
        columns: columns.collect(),
        keys: KEYS,
        ends: ends(&shown, &intervals),
        written: Box::new(short_count),
    };
    let rows = intervals.iter().rev().map(|time| {
        let row = Row::new(name(&shown, time));
        parts(time)
            .into_iter()
            .fold(row, |row, (figure, subscriptions)| row.cell(count(&shown, figure, time, subscriptions)))
    });
    view! {
        <Section
            title="Subscriptions"
            figures=vec![Figure::Active, Figure::PastDue, Figure::Trialing]
            plot
            caption="Subscriptions"
            columns=COLUMNS
            rows=rows.collect()
        />
    }
}

#[component]
pub fn Churn(intervals: Vec<TimeFigures>, shown: Shown) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::short("Time"),
        Column::number("MRR lost"),
        Column::number("Of MRR"),
        Column::number("Groups lost"),
        Column::number("Of groups"),
    ];
    // Tenths of a per cent.
    let plot = single(&shown, &intervals, "Share of MRR that was lost in each interval", |time| {
        let tenths = time.churn.mrr_rate.map_or(0, |rate| (rate * 10.0) as i64);
        (tenths, rate(time.churn.mrr_rate))
    });
    let written = |tenths: i64| match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        rest => format!("{}.{rest} %", tenths / 10),
    };
    let plot = Plot { written: Box::new(written), ..plot };
    let rows = intervals.iter().rev().map(|time| {
        Row::new(name(&shown, time))
            .cell(amount(&shown, Figure::Churn, time, time.mrr.churn))
            .cell(rate(time.churn.mrr_rate))
            .cell(group_digits(time.churn.groups))
            .cell(rate(time.churn.group_rate))
    });
    view! {
        <Section
            title="Churn"
            figures=vec![Figure::Churn]
            plot
            caption="Churn"
            columns=COLUMNS
            rows=rows.collect()
            note="— stands where nothing was paid at an interval's start: there is nothing to be a share of."
        />
    }
}
