//! The period's days as columns, with the even pace and the period before behind them.
//!
//! Drawn as SVG whose places are attributes: the page's Content-Security-Policy forbids inline styles.

use chrono::{DateTime, NaiveDate, Utc};
use leptos::prelude::*;

use super::events::link;
use crate::domain::{PerType, Period, PeriodDays, Resource, Sums, UsageType, group_digits};
use crate::metering::Overview;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;

/// How much of a day's place its column takes, and that of the period before behind it, in per cent.
const COLUMN: f64 = 56.0;
const BEFORE: f64 = 84.0;
/// The plot's height above the highest column, as a share of it.
const HEADROOM: f64 = 1.06;

const COLUMNS: &[Column] = &[
    Column::short("Day"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
    Column::number("Events"),
    Column::number("LLM before"),
    Column::number("Voice before"),
];

#[component]
pub fn Days(overview: Overview, resources: PerType<Resource>) -> impl IntoView {
    let Overview { as_of, current, before, .. } = overview;
    let charts = resources.iter().filter(|(kind, resource)| {
        resource.is_included() || current.days.iter().any(|day| day.tokens()[*kind] > 0)
    });
    let charts = charts.map(|(usage_type, resource)| {
        let plot = Plot::new(usage_type, resource.limit, &current, before.as_ref(), as_of);
        view! { <Chart plot/> }
    });
    let charts = charts.collect_view();
    let rows = (0..=current.index(as_of)).rev().map(|index| {
        let (day, date) = (current.days[index], current.date(index));
        let then = before.as_ref().map(|before| before.days.get(index).copied().unwrap_or_default());
        let count = |count: Option<i64>| count.map_or_else(|| "–".to_owned(), group_digits);
        let href = link(&[], Some(whole_day(date)));
        Row::new(view! { <a href=href>{format::day_of_year(date)}</a> })
            .cell(group_digits(day.llm))
            .cell(group_digits(day.voice))
            .cell(group_digits(day.events))
            .cell(count(then.map(|then| then.llm)))
            .cell(count(then.map(|then| then.voice)))
    });
    let rows = rows.collect();
    view! {
        <section class="section">
            <h2>"Day by day"</h2>
            <div class="panel days">{charts}</div>
            <details class="days__table">
                <summary>"The days as a table"</summary>
                <Table caption="Usage by day" columns=COLUMNS rows/>
            </details>
        </section>
    }
}

/// A calendar day in UTC.
fn whole_day(date: NaiveDate) -> Period {
    let start = date.and_time(chrono::NaiveTime::MIN).and_utc();
    Period { start, end: start + chrono::Duration::days(1) }
}

/// What one chart shows.
struct Plot {
    usage_type: UsageType,
    columns: Vec<Day>,
    /// Tokens a day that use up the allowance at the period's very end.
    pace: Option<f64>,
    highest: f64,
    summary: String,
    /// The dates below: the first, today's and the last.
    first: String,
    last: String,
    has_before: bool,
}

/// One day of a chart.
struct Day {
    date: NaiveDate,
    tokens: i64,
    before: i64,
    is_today: bool,
}

impl Plot {
    fn new(
        usage_type: UsageType,
        limit: Option<i64>,
        current: &PeriodDays,
        before: Option<&PeriodDays>,
        now: DateTime<Utc>,
    ) -> Self {
        let of = |day: &Sums| day.tokens()[usage_type];
        let today = current.index(now);
        let columns = current.days.iter().enumerate().map(|(index, day)| Day {
            date: current.date(index),
            tokens: of(day),
            before: before.and_then(|before| before.days.get(index)).map_or(0, of),
            is_today: index == today,
        });
        let columns: Vec<_> = columns.collect();
        let length = (current.period.end - current.period.start).num_seconds() as f64 / 86_400.0;
        let pace = limit.filter(|limit| *limit > 0).map(|limit| limit as f64 / length);
        let most = columns.iter().map(|column| column.tokens.max(column.before)).max().unwrap_or_default();
        let highest = (most as f64).max(pace.unwrap_or_default()).max(1.0) * HEADROOM;
        let busiest = columns.iter().max_by_key(|column| column.tokens).filter(|column| column.tokens > 0);
        let busiest = busiest.map_or_else(
            || "Nothing used yet".to_owned(),
            |column| format!("Most on {}: {}", format::day_of_year(column.date), group_digits(column.tokens)),
        );
        let even = pace.map(|pace| format!(" · even pace: {} a day", group_digits(pace as i64)));
        Self {
            usage_type,
            pace,
            highest,
            summary: busiest + &even.unwrap_or_default(),
            first: format::day_of_year(current.date(0)),
            last: format::day_of_year(current.date(current.days.len() - 1)),
            has_before: before.is_some(),
            columns,
        }
    }

    /// How far below the plot's top a number of tokens stands, in per cent.
    fn y(&self, tokens: f64) -> f64 {
        100.0 - tokens / self.highest * 100.0
    }

    /// A column of `share` per cent of its day's place.
    fn rect(&self, index: usize, tokens: i64, share: f64, class: &'static str, title: String) -> AnyView {
        let place = 100.0 / self.columns.len() as f64;
        let x = place * (index as f64 + (100.0 - share) / 200.0);
        let y = self.y(tokens as f64);
        view! {
            <rect
                class=class
                x=percent(x)
                y=percent(y)
                width=percent(place * share / 100.0)
                height=percent(100.0 - y)
            >
                <title>{title}</title>
            </rect>
        }
        .into_any()
    }
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 100.0).round() / 100.0)
}

#[component]
fn Chart(plot: Plot) -> impl IntoView {
    let columns = plot.columns.iter().enumerate().map(|(index, column)| {
        let date = format::day_of_year(column.date);
        let before = (column.before > 0).then(|| {
            let title = format!("The period before: {}", group_digits(column.before));
            plot.rect(index, column.before, BEFORE, "days__before", title)
        });
        let now = (column.tokens > 0).then(|| {
            let class = if column.is_today { "days__now days__now--today" } else { "days__now" };
            plot.rect(index, column.tokens, COLUMN, class, format!("{date}: {}", group_digits(column.tokens)))
        });
        view! {
            {before}
            {now}
        }
    });
    let columns = columns.collect_view();
    let pace = plot.pace.map(|pace| {
        let y = percent(plot.y(pace));
        view! { <line class="days__pace" x1="0" x2="100%" y1=y.clone() y2=y.clone()></line> }
    });
    let today =
        plot.columns.iter().find(|column| column.is_today).map(|column| format::day_of_year(column.date));
    let label = format!("{} by day. {}.", plot.usage_type.label(), plot.summary);
    let before =
        plot.has_before.then(|| view! { <span class="key" data-kind="before">"Period before"</span> });
    let even = plot.pace.map(|_| view! { <span class="key" data-kind="pace">"Even pace"</span> });
    view! {
        <figure class="days__chart">
            <figcaption>
                <h3>{plot.usage_type.label()}</h3>
                <p>{plot.summary.clone()}</p>
            </figcaption>
            <svg class="days__plot" width="100%" height="140" role="img" aria-label=label>
                {columns}
                {pace}
            </svg>
            <p class="days__axis">
                <span>{plot.first.clone()}</span>
                <span class="days__keys">
                    <span class="key" data-kind="now">{today.map(|today| format!("This period, to {today}"))}</span>
                    {before}
                    {even}
                </span>
                <span>{plot.last.clone()}</span>
            </p>
        </figure>
    }
}
