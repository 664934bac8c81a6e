//! `/analytics`: what subscriptions earn and how that moves, for the SuperAdmin.

mod chart;
mod figures;
pub mod rows;
mod sections;
mod standing;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;

use crate::domain::{AnalyticsInterval, AnalyticsReport, Currency, CurrencyAnalytics, Figure, group_digits};
use crate::reports::{AnalyticsFields, time_zones};
use crate::web::AppError;
use crate::web::components::field::{Choice, Field};
use crate::web::components::form::Refused;
use crate::web::components::page::{Head, Heading, load, set_status};
use crate::web::format;
use crate::web::ssr::context::{services, user};

/// The fields of the form, which are the parameters of the API.
const FIELDS: [&str; 4] = ["from", "to", "interval", "tz"];

const INTERVALS: [(AnalyticsInterval, &str); 3] = [
    (AnalyticsInterval::Month, "Months"),
    (AnalyticsInterval::Week, "Weeks"),
    (AnalyticsInterval::Day, "Days"),
];

struct Data {
    fields: AnalyticsFields,
    /// The currency that is looked at, where one was chosen.
    currency: Option<String>,
    report: Result<AnalyticsReport, AppError>,
}

#[component]
pub fn Analytics() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let fields = AnalyticsFields {
        from: query.get("from"),
        to: query.get("to"),
        interval: query.get("interval"),
        tz: query.get("tz"),
    };
    load(data(fields, query.get("currency")), page)
}

async fn data(fields: AnalyticsFields, currency: Option<String>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    let report = services.analytics.report(&user, &fields).await.map_err(AppError::from);
    match report {
        Err(error) if error.code() != Some("invalid") => Err(error),
        report => Ok(Data { fields, currency, report }),
    }
}

fn page(data: Data) -> AnyView {
    let Data { fields, currency, report } = data;
    let wrong = report.as_ref().err().cloned();
    if wrong.is_some() {
        set_status(422);
    }
    let refused = wrong.as_ref().and_then(|wrong| wrong.form(&FIELDS));
    let shown = report.ok().map(|report| view! { <Report report fields=fields.clone() currency/> });
    view! {
        <Head title="Analytics" description="What subscriptions earn, and how that moves."/>
        <Heading title="Analytics" text="What subscriptions earn, and how that moves."/>
        <Refused message=refused/>
        <Window fields wrong/>
        {shown}
    }
    .into_any()
}

#[component]
fn Window(fields: AnalyticsFields, wrong: Option<AppError>) -> impl IntoView {
    let error = |field: &str| wrong.as_ref().and_then(|wrong| wrong.field(field));
    let chosen = |field: &Option<String>| field.clone().unwrap_or_default();
    let intervals =
        INTERVALS.map(|(interval, label)| (interval.as_str().to_owned(), label.to_owned())).to_vec();
    let zones = time_zones().map(|zone| (zone.to_owned(), zone.to_owned())).collect();
    view! {
        <form method="get" action="/analytics" class="filters panel" aria-label="Window">
            <Field input_type="date" required=false name="from" label="From" value=chosen(&fields.from) error=error("from")/>
            <Field input_type="date" required=false name="to" label="Before" value=chosen(&fields.to) error=error("to")/>
            <Choice name="interval" label="By" choices=intervals chosen=chosen(&fields.interval) error=error("interval")/>
            <Choice name="tz" label="Time zone" choices=zones chosen=chosen(&fields.tz) error=error("tz")/>
            <p class="filters__actions">
                <button class="button" data-tone="primary" type="submit">"Show"</button>
                <a class="button" data-tone="plain" href="/analytics">"Last 12 months"</a>
            </p>
        </form>
    }
}

/// What the parts of the page share.
#[derive(Clone, Debug)]
struct Shown {
    interval: AnalyticsInterval,
    tz: String,
    currency: Currency,
}

impl Shown {
    /// An interval by its first day.
    fn name(&self, day: NaiveDate) -> String {
        match self.interval {
            AnalyticsInterval::Month => format::month(day),
            AnalyticsInterval::Week | AnalyticsInterval::Day => format::day_of_year(day),
        }
    }

    /// Where the rows of a figure are.
    fn rows(&self, figure: Figure, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
        let at = |at: DateTime<Utc>| Url::escape(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        format!(
            "/analytics/rows?figure={figure}&currency={}&from={}&to={}&tz={}",
            self.currency,
            at(from),
            at(to),
            Url::escape(&self.tz)
        )
    }
}

#[component]
fn Report(report: AnalyticsReport, fields: AnalyticsFields, currency: Option<String>) -> impl IntoView {
    let AnalyticsReport { interval, tz, as_of, signed_up, currencies, .. } = report;
    // Where none was chosen, the one that most groups pay in.
    let chosen = currencies.iter().position(|of| Some(of.currency.code()) == currency.as_deref());
    let most = || (0..currencies.len()).max_by_key(|index| currencies[*index].total.paying_groups);
    let Some(index) = chosen.or_else(most) else {
        return view! { <NothingSold signed_up/> }.into_any();
    };
    let tabs = (currencies.len() > 1).then(|| {
        let tabs = currencies.iter().enumerate().map(|(at, of)| {
            let href = address(&fields, of.currency);
            let current = (at == index).then_some("page");
            view! { <li><a href=href aria-current=current>{of.currency.code().to_uppercase()}</a></li> }
        });
        view! { <nav class="tabs" aria-label="Currency"><ul>{tabs.collect_view()}</ul></nav> }
    });
    let analytics: CurrencyAnalytics = currencies[index].clone();
    let shown = Shown { interval, tz, currency: analytics.currency };
    view! {
        <div class="section__head analytics__head">
            <p>{format!("As of {}", format::date_time(as_of))}</p>
            {tabs}
        </div>
        <figures::Figures
            total=analytics.total.clone()
            intervals=analytics.intervals.clone()
            shown=shown.clone()
        />
        <sections::Sections analytics shown/>
    }
    .into_any()
}

/// Where the same window of another currency is.
fn address(fields: &AnalyticsFields, currency: Currency) -> String {
    let pairs = FIELDS.into_iter().zip([&fields.from, &fields.to, &fields.interval, &fields.tz]);
    let given = pairs.filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let query: String = given.map(|(name, value)| format!("&{name}={}", Url::escape(value))).collect();
    format!("/analytics?currency={currency}{query}")
}

#[component]
fn NothingSold(signed_up: i64) -> impl IntoView {
    let signed_up = match signed_up {
        0 => "No group signed up in this window either.".to_owned(),
        1 => "One group signed up in this window.".to_owned(),
        count => format!("{} groups signed up in this window.", group_digits(count)),
    };
    view! {
        <div class="empty empty--page">
            <h2>"Nothing was sold yet"</h2>
            <p>"Figures begin with the first subscription. "{signed_up}</p>
            <p><a class="button" data-tone="plain" href="/subscription-plans">"See the plans"</a></p>
        </div>
    }
}
