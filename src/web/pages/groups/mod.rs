//! `/groups`: every group, with what it uses, pays and has left.

mod filter;
pub mod one;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::usage::history::Share;
use crate::domain::{GroupSummary, Level, Plan, Refusal, Seats, UsageType, group_digits};
use crate::groups::{GroupFields, GroupKey, GroupsPage, GroupsQuery};
use crate::web::AppError;
use crate::web::components::badge::StatusBadge;
use crate::web::components::form::Refused;
use crate::web::components::page::{Head, Heading, load, set_status};
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::ssr::context::{services, user};
use filter::{FIELDS, FilterForm, address, is_narrowed};

/// Groups on a page.
const PAGE: usize = 50;
/// What can't be said.
const NOTHING: &str = "–";

struct Data {
    fields: GroupFields,
    /// What is wrong with what was asked for.
    wrong: Option<AppError>,
    /// None where something is wrong.
    page: Option<GroupsPage>,
    /// What to choose from.
    plans: Vec<Plan>,
}

#[component]
pub fn Groups() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let fields = GroupFields {
        search: query.get("search"),
        plan: query.get("plan"),
        status: query.get("status"),
        level: query.get("level"),
        sort: query.get("sort"),
    };
    load(data(fields, query.get("cursor")), page)
}

fn read(fields: &GroupFields, cursor: Option<String>) -> Result<GroupsQuery, Refusal> {
    let key = cursor.map(|text| text.parse::<GroupKey>()).transpose();
    fields.query(key.map_err(|message| Refusal::field("cursor", message))?)
}

async fn data(fields: GroupFields, cursor: Option<String>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_be_superadmin()?;
    let plans = services.billing.plans(true).await?;
    let found = match read(&fields, cursor) {
        Ok(query) => services.groups.page(&user, &query, PAGE).await.map_err(AppError::from),
        Err(refusal) => Err(refusal.into()),
    };
    match found {
        Ok(page) => Ok(Data { fields, wrong: None, page: Some(page), plans }),
        Err(wrong) if wrong.code() == Some("invalid") => {
            Ok(Data { fields, wrong: Some(wrong), page: None, plans })
        }
        Err(error) => Err(error),
    }
}

fn page(data: Data) -> AnyView {
    let Data { fields, wrong, page, plans } = data;
    if wrong.is_some() {
        set_status(422);
    }
    let refused = wrong.as_ref().and_then(|wrong| wrong.form(&FIELDS));
    let list = page.map(|page| view! { <List page fields=fields.clone()/> });
    view! {
        <Head title="Groups" description="Every group with its plan, usage, seats, revenue and last activity."/>
        <Heading title="Groups" text="What each group uses, pays and has left."/>
        <Refused message=refused/>
        <FilterForm fields wrong plans/>
        {list}
    }
    .into_any()
}

const COLUMNS: &[Column] = &[
    Column::text("Group"),
    Column::short("Plan"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
    Column::number("Seats"),
    Column::number("MRR"),
    Column::short("Runs out"),
    Column::short("Last activity"),
];

#[component]
fn List(page: GroupsPage, fields: GroupFields) -> impl IntoView {
    let GroupsPage { groups, next, previous } = page;
    if groups.is_empty() {
        return view! { <Nothing is_narrowed=is_narrowed(&fields)/> }.into_any();
    }
    let link = |key: Option<GroupKey>, label: &'static str, rel: &'static str| {
        let href = key.map(|key| address(&fields, Some(&key)));
        href.map(|href| view! { <a class="button" data-tone="plain" href=href rel=rel>{label}</a> })
    };
    let (previous, next) = (link(previous, "Previous", "prev"), link(next, "Next", "next"));
    let pager = (previous.is_some() || next.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages of the list">{previous}{next}</nav> }
    });
    view! {
        <div class="groups">
            <Table caption="Groups" columns=COLUMNS rows=groups.into_iter().map(row).collect()/>
        </div>
        <p class="section__note">
            "Usage is that of the current period. When a group runs out is what its pace so far says, once three whole days \
             have passed. MRR is the monthly part of the price, without trials, tax and overage. Days are of UTC."
        </p>
        {pager}
    }
    .into_any()
}

#[component]
fn Nothing(is_narrowed: bool) -> impl IntoView {
    if is_narrowed {
        view! {
            <section class="empty empty--page">
                <h2>"No group matches"</h2>
                <p>"Search for a part of a name or of a member's e-mail, or leave out a filter."</p>
                <p><a class="button" data-tone="plain" href=filter::PATH>"Clear the filters"</a></p>
            </section>
        }
        .into_any()
    } else {
        view! {
            <section class="empty empty--page">
                <h2>"No groups yet"</h2>
                <p>"A group is made by whoever signs up."</p>
            </section>
        }
        .into_any()
    }
}

fn row(group: GroupSummary) -> Row {
    let href = format!("{}/{}", filter::PATH, group.id);
    let mrr = group.mrr();
    let GroupSummary { name, plan, status, usage, level, seats, last_activity, run_out, .. } = group;
    let share = |kind: UsageType| match &usage {
        Some(usage) => view! { <Share resource=usage.resources[kind]/> }.into_any(),
        None => NOTHING.into_any(),
    };
    let plan = match plan.zip(status) {
        Some((plan, status)) => {
            view! { <span class="groups__plan">{plan.name}<StatusBadge status/></span> }.into_any()
        }
        None => view! { <span class="groups__none">"No subscription"</span> }.into_any(),
    };
    let run_out = match run_out {
        _ if level == Some(Level::Limit) => "Limit reached".into_any(),
        Some(run_out) => view! {
            {format::day(run_out.at)}
            <span class="groups__of">{run_out.usage_type.label()}</span>
        }
        .into_any(),
        None => NOTHING.into_any(),
    };
    let (llm, voice) = (share(UsageType::Llm), share(UsageType::Voice));
    Row::new(view! { <a href=href>{name}</a> })
        .cell(plan)
        .cell(llm)
        .cell(voice)
        .cell(seats_taken(seats))
        .cell(mrr.map_or_else(|| NOTHING.to_owned(), |mrr| mrr.to_string()))
        .cell(run_out)
        .cell(last_activity.map_or_else(|| NOTHING.to_owned(), format::day))
}

/// `3 of 10`, or `3` where there are as many as one likes.
fn seats_taken(seats: Seats) -> String {
    let used = group_digits(seats.used);
    seats.limit.map_or_else(|| used.clone(), |limit| format!("{used} of {}", group_digits(limit)))
}
