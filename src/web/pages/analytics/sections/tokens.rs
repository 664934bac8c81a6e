//! Tokens used against sold, and what was charged beyond.

use leptos::prelude::*;

use super::super::Shown;
use super::super::chart::{BEHIND, Bar, COLUMN, Plot};
use super::super::figures::{NONE, rate};
use super::{Section, amount, ends, name, short_count, short_money, single, to_rows};
use crate::domain::{Figure, TimeFigures, TokenFigures, UsageType, group_digits, share};
use crate::web::components::table::{Column, Row};

#[component]
pub fn Tokens(
    kind: UsageType,
    intervals: Vec<TimeFigures>,
    total: TimeFigures,
    shown: Shown,
) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::short("Time"),
        Column::number("Used"),
        Column::number("Sold"),
        Column::number("Used of sold"),
        Column::number("Used without a limit"),
    ];
    const KEYS: &[(&str, &str)] = &[("now", "Used"), ("behind", "Sold")];
    let (figure, title, caption) = match kind {
        UsageType::Llm => (Figure::LlmTokens, "LLM tokens used against sold", "LLM tokens used against sold"),
        UsageType::Voice => {
            (Figure::VoiceTokens, "Voice tokens used against sold", "Voice tokens used against sold")
        }
    };
    let of = |tokens: TokenFigures| tokens.used.zip(tokens.sold).and_then(|(used, sold)| share(used, sold));
    let columns = intervals.iter().map(|time| {
        let tokens = time.tokens[kind];
        let bar = |kind, count: i64, width, what: &str| {
            let title = format!("{}, {what}: {}", name(&shown, time), group_digits(count));
            Bar { kind, from: 0, to: count, width, title }
        };
        vec![
            bar("behind", tokens.sold.unwrap_or_default(), BEHIND, "sold"),
            bar("now", tokens.used.unwrap_or_default(), COLUMN, "used"),
        ]
    });
    let plot = Plot {
        label: format!("{caption} by interval. {} of what was sold was used.", rate(of(total.tokens[kind]))),
        columns: columns.collect(),
        keys: KEYS,
        ends: ends(&shown, &intervals),
        written: Box::new(short_count),
    };
    let row = |name: String, time: &TimeFigures| {
        let tokens = time.tokens[kind];
        let text = |count: Option<i64>| count.map_or_else(|| NONE.to_owned(), group_digits);
        Row::new(name)
            .cell(to_rows(&shown, figure, time, text(tokens.used), tokens.used.is_none()))
            .cell(text(tokens.sold))
            .cell(rate(of(tokens)))
            .cell(to_rows(&shown, figure, time, text(tokens.used_unlimited), tokens.used_unlimited.is_none()))
    };
    let whole = std::iter::once(row("The whole window".to_owned(), &total));
    let rows = whole.chain(intervals.iter().rev().map(|time| row(name(&shown, time), time))).collect();
    view! {
        <Section
            title
            figures=vec![figure]
            plot
            caption
            columns=COLUMNS
            rows
            note="By the usage periods that ended. — stands where none did, so that nothing is known yet."
        />
    }
}

#[component]
pub fn Overage(intervals: Vec<TimeFigures>, shown: Shown) -> impl IntoView {
    const COLUMNS: &[Column] = &[Column::short("Time"), Column::number("Charged")];
    let currency = shown.currency;
    let plot = single(&shown, &intervals, "Overage charged in each interval", |time| {
        (time.overage.minor, time.overage.to_string())
    });
    let plot = Plot { written: Box::new(move |minor| short_money(minor, currency)), ..plot };
    let rows = intervals
        .iter()
        .rev()
        .map(|time| Row::new(name(&shown, time)).cell(amount(&shown, Figure::Overage, time, time.overage)));
    view! {
        <Section
            title="Overage"
            figures=vec![Figure::Overage]
            plot
            caption="Overage"
            columns=COLUMNS
            rows=rows.collect()
        />
    }
}
