//! The figures over time, each as a chart with its table, and what stands at the window's end.

mod subscriptions;
mod tokens;

use leptos::prelude::*;

use super::Shown;
use super::chart::{Bar, COLUMN, Chart, Plot};
use super::figures::{Definitions, NONE};
use crate::domain::{Currency, CurrencyAnalytics, Figure, Money, TimeFigures, UsageType, group_digits};
use crate::web::components::table::{Column, Row, Table};

#[component]
pub fn Sections(analytics: CurrencyAnalytics, shown: Shown) -> impl IntoView {
    let CurrencyAnalytics { total, intervals, funnel, plans, .. } = analytics;
    let tokens = UsageType::ALL.map(|kind| {
        view! { <tokens::Tokens kind intervals=intervals.clone() total=total.clone() shown=shown.clone()/> }
    });
    view! {
        <Revenue intervals=intervals.clone() shown=shown.clone()/>
        <Movements intervals=intervals.clone() total=total.clone() shown=shown.clone()/>
        <subscriptions::Subscriptions intervals=intervals.clone() shown=shown.clone()/>
        <subscriptions::Churn intervals=intervals.clone() shown=shown.clone()/>
        <super::standing::FunnelSteps funnel from=total.from to=total.to shown=shown.clone()/>
        <super::standing::Plans plans total=total.clone() shown=shown.clone()/>
        {tokens.into_iter().collect_view()}
        <tokens::Overage intervals shown/>
    }
}

/// `$1.2k`, beside a scale whose ends are round.
fn short_money(minor: i64, currency: Currency) -> String {
    let units = minor.unsigned_abs() / 10_u64.pow(currency.decimals());
    if units < 10_000 {
        let money = Money::new(minor, currency).to_string();
        return money.strip_suffix(".00").map_or_else(|| money.clone(), str::to_owned);
    }
    let (short, unit) = if units < 1_000_000 { (units / 1_000, "k") } else { (units / 1_000_000, "M") };
    let rounded =
        Money::new(short as i64 * 10_i64.pow(currency.decimals()) * minor.signum(), currency).to_string();
    format!("{}{unit}", rounded.strip_suffix(".00").unwrap_or(&rounded))
}

/// `1.2M`.
fn short_count(count: i64) -> String {
    match count {
        ..10_000 => group_digits(count),
        10_000..1_000_000 => format!("{}k", group_digits(count / 1_000)),
        _ => format!("{}M", group_digits(count / 1_000_000)),
    }
}

/// A chart over the intervals with its heading, definitions and table.
#[component]
fn Section(
    title: &'static str,
    figures: Vec<Figure>,
    plot: Plot,
    caption: &'static str,
    columns: &'static [Column],
    rows: Vec<Row>,
    #[prop(optional, into)] note: String,
) -> impl IntoView {
    view! {
        <section class="section">
            <h2>{title}</h2>
            <div class="panel">
                {(!note.is_empty()).then(|| view! { <p class="chart__note">{note}</p> })}
                <Chart plot/>
                <Definitions figures/>
                <details class="definition">
                    <summary>"The figures as a table"</summary>
                    <Table caption columns rows/>
                </details>
            </div>
        </section>
    }
}

/// The interval's name, by its first day.
fn name(shown: &Shown, time: &TimeFigures) -> String {
    let name = shown.name(time.day);
    if time.is_over { name } else { format!("{name}, so far") }
}

fn ends(shown: &Shown, intervals: &[TimeFigures]) -> (String, String) {
    let at = |time: Option<&TimeFigures>| time.map_or_else(String::new, |time| shown.name(time.day));
    (at(intervals.first()), at(intervals.last().filter(|_| intervals.len() > 1)))
}

/// A figure that leads to its rows; nothing leads nowhere.
fn to_rows(shown: &Shown, figure: Figure, time: &TimeFigures, text: String, is_zero: bool) -> AnyView {
    if is_zero {
        return text.into_any();
    }
    let href = shown.rows(figure, time.from, time.to);
    let label = format!("{text}: {} in {}, the rows", figure.label(), name(shown, time));
    view! { <a href=href aria-label=label>{text}</a> }.into_any()
}

fn amount(shown: &Shown, figure: Figure, time: &TimeFigures, money: Money) -> AnyView {
    to_rows(shown, figure, time, money.to_string(), money.minor == 0)
}

fn count(shown: &Shown, figure: Figure, time: &TimeFigures, count: i64) -> AnyView {
    to_rows(shown, figure, time, group_digits(count), count == 0)
}

/// One column for each interval.
fn single(
    shown: &Shown,
    intervals: &[TimeFigures],
    label: &str,
    value: impl Fn(&TimeFigures) -> (i64, String),
) -> Plot {
    let columns = intervals.iter().map(|time| {
        let (value, text) = value(time);
        let kind = if time.is_over { "now" } else { "running" };
        vec![Bar { kind, from: 0, to: value, width: COLUMN, title: format!("{}: {text}", name(shown, time)) }]
    });
    let last = intervals.last().map(|time| format!("{}: {}", name(shown, time), value(time).1));
    Plot {
        label: format!("{label}. {}.", last.unwrap_or_default()),
        columns: columns.collect(),
        keys: &[],
        ends: ends(shown, intervals),
        written: Box::new(group_digits),
    }
}

#[component]
fn Revenue(intervals: Vec<TimeFigures>, shown: Shown) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::short("Time"),
        Column::number("MRR"),
        Column::number("Groups that pay"),
        Column::number("Average per group"),
    ];
    let currency = shown.currency;
    let plot = single(&shown, &intervals, "MRR at each interval's end", |time| {
        (time.mrr.end.minor, time.mrr.end.to_string())
    });
    let plot = Plot { written: Box::new(move |minor| short_money(minor, currency)), ..plot };
    let rows = intervals.iter().rev().map(|time| {
        let average = time.average_revenue.map_or_else(|| NONE.to_owned(), |money| money.to_string());
        Row::new(name(&shown, time))
            .cell(amount(&shown, Figure::Mrr, time, time.mrr.end))
            .cell(count(&shown, Figure::AverageRevenue, time, time.paying_groups))
            .cell(average)
    });
    view! {
        <Section
            title="Monthly recurring revenue"
            figures=vec![Figure::Mrr, Figure::AverageRevenue]
            plot
            caption="Monthly recurring revenue"
            columns=COLUMNS
            rows=rows.collect()
        />
    }
}

#[component]
fn Movements(intervals: Vec<TimeFigures>, total: TimeFigures, shown: Shown) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::short("Time"),
        Column::number("Start"),
        Column::number("New"),
        Column::number("Reactivation"),
        Column::number("Expansion"),
        Column::number("Contraction"),
        Column::number("Churn"),
        Column::number("End"),
    ];
    const KEYS: &[(&str, &str)] = &[
        ("new", "New"),
        ("reactivation", "Reactivation"),
        ("expansion", "Expansion"),
        ("contraction", "Contraction"),
        ("churn", "Churn"),
    ];
    let currency = shown.currency;
    let columns = intervals.iter().map(|time| {
        // What was won is piled up, what was lost hangs down.
        let (mut up, mut down) = (0, 0);
        let bars = time.mrr.steps().map(|(figure, money)| {
            let pile = if money.minor < 0 { &mut down } else { &mut up };
            let from = *pile;
            *pile += money.minor;
            let title = format!("{}, {}: {money}", name(&shown, time), figure.label());
            Bar { kind: figure.as_str(), from, to: *pile, width: COLUMN, title }
        });
        bars.into()
    });
    let moved = Money::new(total.mrr.end.minor - total.mrr.start.minor, currency);
    let plot = Plot {
        label: format!("How MRR moved in each interval. {moved} in all."),
        columns: columns.collect(),
        keys: KEYS,
        ends: ends(&shown, &intervals),
        written: Box::new(move |minor| short_money(minor, currency)),
    };
    let row = |name: String, time: &TimeFigures| {
        let row = Row::new(name).cell(time.mrr.start.to_string());
        let steps = time.mrr.steps();
        steps
            .into_iter()
            .fold(row, |row, (figure, money)| row.cell(amount(&shown, figure, time, money)))
            .cell(amount(&shown, Figure::Mrr, time, time.mrr.end))
    };
    let whole = std::iter::once(row("The whole window".to_owned(), &total));
    let rows = whole.chain(intervals.iter().rev().map(|time| row(name(&shown, time), time))).collect();
    view! {
        <Section
            title="How it moved"
            figures=vec![
                Figure::New,
                Figure::Reactivation,
                Figure::Expansion,
                Figure::Contraction,
                Figure::Churn,
            ]
            plot
            caption="Roll-forward of MRR"
            columns=COLUMNS
            rows
            note="Start + new + reactivation + expansion − contraction − churn = end, exactly. Months that are over don't change."
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_s_figures_are_short() {
        let usd = |minor| short_money(minor, Currency::USD);
        assert_eq!(
            [usd(5_000), usd(50), usd(2_000_000), usd(-500_000_000)],
            ["$50", "$0.50", "$20k", "-$5M"]
        );
        assert_eq!([short_count(9_999), short_count(50_000), short_count(2_000_000)], ["9,999", "50k", "2M"]);
    }
}
