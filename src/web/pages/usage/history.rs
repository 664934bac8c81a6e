//! Earlier periods.

use leptos::prelude::*;

use crate::domain::{PeriodUsage, Resource, group_digits};
use crate::web::format;

#[component]
pub fn History(history: Vec<PeriodUsage>) -> impl IntoView {
    if history.is_empty() {
        return None;
    }
    let rows = history.into_iter().map(|period| {
        view! {
            <tr>
                <th scope="row">{format::span(period.start, period.end)}</th>
                <Cell label="LLM tokens" resource=period.resources.llm/>
                <Cell label="Voice tokens" resource=period.resources.voice/>
            </tr>
        }
    });
    Some(view! {
        <section class="section">
            <h2>"Earlier periods"</h2>
            <table class="table">
                <caption class="unseen">"Usage in earlier periods"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Period"</th>
                        <th scope="col" class="number">"LLM tokens"</th>
                        <th scope="col" class="number">"Voice tokens"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    })
}

#[component]
fn Cell(label: &'static str, resource: Resource) -> impl IntoView {
    let of = resource.limit.map(|limit| format!(" of {}", group_digits(limit)));
    let share = resource.whole_percentage().map(|percent| format!("{percent} %"));
    view! {
        <td class="number" data-label=label>
            {group_digits(resource.used)}
            <span class="number__unit">{of}</span>
            <span class="number__share" data-level=resource.level.as_str()>{share}</span>
        </td>
    }
}
