//! `/analytics/rows`: the rows that a figure is made of, the latest first.

use chrono::{DateTime, SecondsFormat, Utc};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;

use super::figures::NONE;
use crate::domain::{Figure, FigureRow, Level, Money, group_digits};
use crate::reports::{FigureFields, FigureKey, FigureRows, PageRequest};
use crate::web::AppError;
use crate::web::components::badge::StatusBadge;
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load, set_status};
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::ssr::context::{services, user};

/// Rows on a page.
const PAGE: usize = 50;

struct Data {
    fields: FigureFields,
    is_first: bool,
    found: Result<FigureRows, AppError>,
}

#[component]
pub fn Rows() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let fields = FigureFields {
        figure: query.get("figure"),
        currency: query.get("currency"),
        from: query.get("from"),
        to: query.get("to"),
        tz: query.get("tz"),
        plan_id: query.get("plan_id"),
    };
    let at = query.get("after").and_then(|at| at.parse().ok());
    let id = query.get("after_id").and_then(|id| id.parse().ok());
    load(data(fields, at.zip(id).map(|(at, id)| FigureKey { at, id })), page)
}

async fn data(fields: FigureFields, after: Option<FigureKey>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    let page = PageRequest { after, limit: PAGE };
    match services.analytics.rows(&user, &fields, page).await.map_err(AppError::from) {
        Err(error) if error.code() != Some("invalid") => Err(error),
        found => Ok(Data { fields, is_first: after.is_none(), found }),
    }
}

/// Where the same rows are, with more said.
fn address(path: &str, fields: &FigureFields, more: &[(&str, &str)]) -> String {
    let given = [
        ("figure", &fields.figure),
        ("currency", &fields.currency),
        ("from", &fields.from),
        ("to", &fields.to),
        ("tz", &fields.tz),
        ("plan_id", &fields.plan_id),
    ];
    let given = given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let pairs = given.chain(more.iter().copied());
    let query: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
    format!("{path}?{}", query.join("&"))
}

fn page(data: Data) -> AnyView {
    let Data { fields, is_first, found } = data;
    let figure = fields.figure.as_deref().and_then(|figure| figure.parse::<Figure>().ok());
    let title = figure.map_or("Rows", Figure::label);
    let text = figure.map_or("", Figure::definition);
    let list = match found {
        Err(error) => {
            set_status(422);
            let named = ["figure", "currency", "from", "to", "tz", "plan_id"].into_iter();
            let said: Vec<_> =
                named.filter_map(|field| Some(format!("{field}: {}", error.field(field)?))).collect();
            view! { <Notice level=Level::Limit alert=true>{said.join(" ")}</Notice> }.into_any()
        }
        Ok(found) if found.rows.is_empty() => view! { <p class="empty">"There are no rows."</p> }.into_any(),
        Ok(found) => {
            let older = found.rows.last().filter(|_| found.more).map(|(key, _)| {
                let at = key.at.to_rfc3339_opts(SecondsFormat::Micros, true);
                let more = [("after", at.as_str()), ("after_id", &key.id.to_string())];
                let href = address("/analytics/rows", &fields, &more);
                view! { <a class="button" data-tone="plain" href=href>"Older rows"</a> }
            });
            let newest = (!is_first).then(|| {
                let href = address("/analytics/rows", &fields, &[]);
                view! { <a class="button" data-tone="plain" href=href>"Newest rows"</a> }
            });
            let rows = found.rows.into_iter().map(|(_, row)| row).collect();
            view! {
                <List figure=figure.unwrap_or(Figure::Mrr) rows/>
                <p class="pager">{newest}{older}</p>
            }
            .into_any()
        }
    };
    let back =
        address("/analytics", &FigureFields { from: None, to: None, figure: None, ..fields.clone() }, &[]);
    let window = window(&fields).map(|window| view! { <p class="analytics__window">{window}</p> });
    view! {
        <Head title=format!("{title}: rows") description="The rows that a figure is made of."/>
        <Heading title=format!("{title}: the rows") text>
            <a class="button" data-tone="plain" href=back>"Back to the figures"</a>
        </Heading>
        {window}
        {list}
    }
    .into_any()
}

/// Which window and currency it is, where the address says so to the second.
fn window(fields: &FigureFields) -> Option<String> {
    let at = |text: &Option<String>| text.as_deref()?.parse::<DateTime<Utc>>().ok();
    let (from, to) = at(&fields.from).zip(at(&fields.to))?;
    let currency = fields.currency.as_deref().unwrap_or_default().to_uppercase();
    Some(format!("{} to {} · {currency}", format::date_time(from), format::date_time(to)))
}

const MOVEMENTS: &[Column] = &[
    Column::text("Group"),
    Column::short("When"),
    Column::text("Plan"),
    Column::number("Before"),
    Column::number("After"),
    Column::number("Difference"),
];
const SUBSCRIPTIONS: &[Column] = &[
    Column::text("Group"),
    Column::short("Since"),
    Column::text("Plan"),
    Column::short("Status"),
    Column::number("MRR"),
];
const GROUPS: &[Column] = &[Column::text("Group"), Column::short("When")];
const PERIODS: &[Column] = &[
    Column::text("Group"),
    Column::short("Ended"),
    Column::text("Plan"),
    Column::number("Used"),
    Column::number("Sold"),
];
const CHARGES: &[Column] = &[
    Column::text("Group"),
    Column::short("When"),
    Column::number("Used"),
    Column::number("Included"),
    Column::number("Charged"),
];

#[component]
fn List(figure: Figure, rows: Vec<FigureRow>) -> impl IntoView {
    let money = |money: Option<Money>| money.map_or_else(|| NONE.to_owned(), |money| money.to_string());
    let count = |count: Option<i64>| count.map_or_else(|| NONE.to_owned(), group_digits);
    let sold = |limit: Option<i64>| limit.map_or_else(|| "Unlimited".to_owned(), group_digits);
    let (columns, kind) = match figure {
        Figure::New | Figure::Reactivation | Figure::Expansion | Figure::Contraction | Figure::Churn => {
            (MOVEMENTS, Kind::Movement)
        }
        Figure::Mrr | Figure::AverageRevenue | Figure::Active | Figure::Trialing | Figure::PastDue => {
            (SUBSCRIPTIONS, Kind::Subscription)
        }
        Figure::SignedUp
        | Figure::CheckedOut
        | Figure::Paid
        | Figure::TrialStarted
        | Figure::TrialConverted => (GROUPS, Kind::Group),
        Figure::LlmTokens | Figure::VoiceTokens => (PERIODS, Kind::Period),
        Figure::Overage => (CHARGES, Kind::Charge),
    };
    let rows = rows.into_iter().map(|row| {
        let href = format!("/groups/{}", row.group_id);
        let shown = Row::new(view! { <a href=href>{row.group.clone()}</a> }).cell(format::date_time(row.at));
        let plan = row.plan.clone().unwrap_or_else(|| NONE.to_owned());
        match kind {
            Kind::Movement => {
                let plans = match &row.plan_before {
                    Some(before) if Some(before) != row.plan.as_ref() => format!("{before} → {plan}"),
                    _ => plan,
                };
                let difference = row.mrr.zip(row.mrr_before).map(|(after, before)| {
                    let difference = Money::new(after.minor - before.minor, after.currency);
                    format!("{}{difference}", if difference.minor > 0 { "+" } else { "" })
                });
                shown
                    .cell(plans)
                    .cell(money(row.mrr_before))
                    .cell(money(row.mrr))
                    .cell(difference.unwrap_or_else(|| NONE.to_owned()))
            }
            Kind::Subscription => shown
                .cell(plan)
                .cell(row.status.map(|status| view! { <StatusBadge status/> }))
                .cell(money(row.mrr)),
            Kind::Group => shown,
            Kind::Period => shown.cell(plan).cell(count(row.used)).cell(sold(row.limit)),
            Kind::Charge => shown.cell(count(row.used)).cell(count(row.limit)).cell(money(row.amount)),
        }
    });
    view! { <Table caption=figure.label() columns rows=rows.collect()/> }
}

/// What a row is of.
#[derive(Clone, Copy)]
enum Kind {
    Movement,
    Subscription,
    Group,
    Period,
    Charge,
}
