//! `/usage/events`: the events behind any figure.

mod filter;

use chrono::SecondsFormat;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::domain::{LedgerEvent, Level, Role, UsageType, group_digits};
use crate::metering::{EventChoices, EventPosition, PageRequest, PageRows};
use crate::web::AppError;
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::ssr::context::{services, user};
pub use filter::link;
use filter::{Asked, Wrong};

/// Events on a page.
const PAGE: usize = 50;

struct Data {
    events: PageRows<LedgerEvent>,
    choices: EventChoices,
    is_admin: bool,
}

#[component]
pub fn Events() -> impl IntoView {
    let asked = use_query_map().with_untracked(|query| Asked::read(|name| query.get(name)));
    load(data(asked.clone()), |(data, asked, wrong)| {
        let Data { events, choices, is_admin } = data;
        let text = if is_admin {
            "Each report of tokens that your group's programs and people made."
        } else {
            "Each report of tokens that you and your keys made."
        };
        let wrong = wrong.map(|Wrong(text)| view! { <Notice level=Level::Limit alert=true>{text}</Notice> });
        let older = events.rows.last().filter(|_| events.more).map(|last| {
            let at = last.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
            let href = asked.address(&[("after", &at), ("after_id", &last.id)]);
            view! { <a class="button" data-tone="plain" href=href>"Older events"</a> }
        });
        let newest = asked.after.is_some().then(|| {
            view! { <a class="button" data-tone="plain" href=asked.address(&[])>"Newest events"</a> }
        });
        let list = if events.rows.is_empty() {
            view! { <p class="empty">"No events."</p> }.into_any()
        } else {
            view! { <List events=events.rows is_admin/> }.into_any()
        };
        view! {
            <Head title="Events" description="The events of the ledger, newest first."/>
            <Heading title="Events" text>
                <a class="button" data-tone="plain" href="/usage">"Back to the usage"</a>
            </Heading>
            {wrong}
            <filter::FilterForm asked choices/>
            {list}
            <p class="pager">{newest}{older}</p>
        }
        .into_any()
    })
}

async fn data(asked: Result<Asked, Wrong>) -> Result<(Data, Asked, Option<Wrong>), AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    let choices = services.metering.event_choices(&user).await?;
    let is_admin = user.role == Role::Admin;
    let none = PageRows { rows: Vec::new(), more: false };
    let (asked, wrong) = match asked {
        Ok(asked) => (asked, None),
        Err(wrong) => (Asked::default(), Some(wrong)),
    };
    let events = match &wrong {
        Some(_) => none,
        None => {
            let after: Option<EventPosition> = asked.after.clone();
            let page = PageRequest { after, limit: PAGE };
            services.metering.events(&user, None, asked.filter.clone(), page).await?
        }
    };
    Ok((Data { events, choices, is_admin }, asked, wrong))
}

const OF_GROUP: &[Column] = &[
    Column::short("When"),
    Column::text("Member"),
    Column::text("Model"),
    Column::text("Key"),
    Column::short("Kind"),
    Column::number("Tokens"),
];
const OWN: &[Column] = &[
    Column::short("When"),
    Column::text("Model"),
    Column::text("Key"),
    Column::short("Kind"),
    Column::number("Tokens"),
];

#[component]
fn List(events: Vec<LedgerEvent>, is_admin: bool) -> impl IntoView {
    let rows = events.into_iter().map(|event| {
        let id = event.id.clone();
        let row = Row::new(view! {
            {format::date_time(event.created_at)}
            <span class="event__id" title=id.clone()>{id.clone()}</span>
        });
        let row = if is_admin { row.cell(event.user.clone()) } else { row };
        let kind = match event.usage_type {
            UsageType::Llm => "LLM",
            UsageType::Voice => "Voice",
        };
        row.cell(event.model.clone().unwrap_or_else(|| "–".to_owned()))
            .cell(event.key.clone().unwrap_or_else(|| "–".to_owned()))
            .cell(kind)
            .cell(view! { <Tokens event/> })
    });
    let columns = if is_admin { OF_GROUP } else { OWN };
    view! { <Table caption="Events" columns rows=rows.collect()/> }
}

/// How many, of which classes, and how sure.
#[component]
fn Tokens(event: LedgerEvent) -> impl IntoView {
    let classes = event.details.map(|details| {
        let classes = details.classes().into_iter().filter(|(_, count)| *count > 0);
        let said: Vec<_> = classes
            .map(|(name, count)| format!("{} {}", name.replace('_', " "), group_digits(count)))
            .collect();
        view! { <span class="event__classes">{said.join(" · ")}</span> }
    });
    let estimated = event.estimated.then(|| view! { <span class="event__classes">"estimated"</span> });
    view! {
        {group_digits(event.tokens_used)}
        {classes}
        {estimated}
    }
}
