//! The figures of the window as a whole, each with what it is and a way to its rows.

use leptos::prelude::*;

use super::Shown;
use crate::domain::{Figure, Money, TimeFigures, group_digits};

/// A figure that can't be had.
pub const NONE: &str = "—";

/// `4.2 %`, `4.0 %`.
pub fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| NONE.to_owned(), |rate| format!("{rate:.1} %"))
}

#[component]
pub fn Figures(total: TimeFigures, intervals: Vec<TimeFigures>, shown: Shown) -> impl IntoView {
    let rows = |figure: Figure| shown.rows(figure, total.from, total.to);
    let (mrr, counts) = (total.mrr, total.subscriptions);
    let grown = Money::new(mrr.end.minor - mrr.start.minor, mrr.end.currency);
    let sign = if grown.minor > 0 { "+" } else { "" };
    let since = format!("{sign}{grown} since the window began");
    let average = total.average_revenue.map_or_else(|| NONE.to_owned(), |money| money.to_string());
    let average_text = match total.paying_groups {
        0 => "No group pays.".to_owned(),
        1 => "One group pays.".to_owned(),
        groups => format!("{} groups pay.", group_digits(groups)),
    };
    // A rate is of one interval: over a window in which MRR grows it would say nothing.
    let over = intervals.iter().rev().find(|time| time.is_over);
    let lost = over.map(|time| time.churn.mrr_rate);
    let churn_text = match over {
        None => format!("No {} of the window is over yet.", shown.interval.as_str()),
        Some(time) if time.churn.mrr_rate.is_none() => {
            format!("Nothing was paid when {} began.", shown.name(time.day))
        }
        Some(time) => {
            let (name, churn) = (shown.name(time.day), time.churn);
            let groups = match churn.groups {
                1 => "one group".to_owned(),
                groups => format!("{} groups", group_digits(groups)),
            };
            format!("In {name}: {} of {groups}, {} of groups", time.mrr.churn, rate(churn.group_rate))
        }
    };
    let churn_rows =
        over.map_or_else(|| rows(Figure::Churn), |time| shown.rows(Figure::Churn, time.from, time.to));
    view! {
        <div class="stats">
            <Stat figure=Figure::Mrr value=mrr.end.to_string() text=since href=rows(Figure::Mrr)/>
            <Stat figure=Figure::AverageRevenue value=average text=average_text href=rows(Figure::AverageRevenue)/>
            <Stat figure=Figure::Churn value=rate(lost.flatten()) text=churn_text href=churn_rows/>
            <Stat figure=Figure::Active value=group_digits(counts.active) text="subscriptions" href=rows(Figure::Active)/>
            <Stat figure=Figure::Trialing value=group_digits(counts.trialing) text="subscriptions" href=rows(Figure::Trialing)/>
            <Stat figure=Figure::PastDue value=group_digits(counts.past_due) text="subscriptions" href=rows(Figure::PastDue)/>
        </div>
    }
}

#[component]
fn Stat(figure: Figure, value: String, #[prop(into)] text: String, href: String) -> impl IntoView {
    view! {
        <article class="stat" aria-label=figure.label()>
            <h2>{figure.label()}</h2>
            <p class="stat__value"><a href=href aria-label=format!("{value}: see the rows")>{value.clone()}</a></p>
            <p class="stat__text">{text}</p>
            <Definitions figures=vec![figure]/>
        </article>
    }
}

/// What figures are, to be opened.
#[component]
pub fn Definitions(figures: Vec<Figure>) -> impl IntoView {
    let (summary, text) = match figures.as_slice() {
        [figure] => (question(*figure), view! { <p>{figure.definition()}</p> }.into_any()),
        figures => {
            let list = figures.iter().map(|figure| {
                view! {
                    <dt>{figure.label()}</dt>
                    <dd>{figure.definition()}</dd>
                }
            });
            ("What these are".to_owned(), view! { <dl>{list.collect_view()}</dl> }.into_any())
        }
    };
    view! {
        <details class="definition">
            <summary>{summary}</summary>
            {text}
        </details>
    }
}

/// What a definition answers.
fn question(figure: Figure) -> String {
    match figure {
        Figure::Mrr => "What MRR is".to_owned(),
        Figure::Active | Figure::Trialing | Figure::PastDue => {
            format!("What “{}” is", figure.label().to_lowercase())
        }
        Figure::LlmTokens | Figure::VoiceTokens => "What used and sold are".to_owned(),
        figure => format!("What {} is", figure.label().to_lowercase()),
    }
}
