//! Earlier periods.

use leptos::prelude::*;

use super::events::link;
use crate::domain::{Period, PeriodUsage, Resource, group_digits};
use crate::web::components::count::count;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;

const COLUMNS: &[Column] = &[
    Column::short("Period"),
    Column::text("Plan"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
];

#[component]
pub fn History(
    history: Vec<PeriodUsage>,
    /// Whether the viewer may see the periods' events.
    #[prop(default = true)]
    has_events: bool,
) -> impl IntoView {
    if history.is_empty() {
        return None;
    }
    let rows = history.into_iter().map(|period| {
        let span = format::span(period.start, period.end);
        let events = has_events.then(|| link(&[], Some(Period { start: period.start, end: period.end })));
        let name = match events {
            Some(href) => view! { <a href=href>{span}</a> }.into_any(),
            None => span.into_any(),
        };
        Row::new(name)
            .cell(period.plan)
            .cell(view! { <Share resource=period.resources.llm/> })
            .cell(view! { <Share resource=period.resources.voice/> })
    });
    Some(view! {
        <section class="section">
            <h2>"Earlier periods"</h2>
            <Table caption="Usage in earlier periods" columns=COLUMNS rows=rows.collect()/>
        </section>
    })
}

/// What was used of a limit.
#[component]
pub fn Share(resource: Resource) -> impl IntoView {
    let of = match resource.limit {
        None => None,
        Some(0) if resource.used == 0 => return format::NOT_INCLUDED.into_any(),
        Some(limit) => Some(view! { " of "{count(group_digits(limit))} }),
    };
    let share = resource.whole_percentage().map(|percentage| format!("{percentage} %"));
    view! {
        {count(group_digits(resource.used))}
        <span class="number__unit">{of}</span>
        <span class="number__share" data-level=resource.level.as_str()>{share}</span>
    }
    .into_any()
}
