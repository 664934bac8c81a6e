//! `/reports`: the ledger and the invoices to download, and what the group has paid.

use leptos::prelude::*;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;

use super::billing::payments::Payments;
use crate::domain::{GroupId, PaymentHistory, ReportBy, ReportFormat, Role};
use crate::reports::{ReportFields, time_zones};
use crate::web::AppError;
use crate::web::components::field::{Choice, Field};
use crate::web::components::form::Refused;
use crate::web::components::page::{Head, Heading, load, set_status};
use crate::web::ssr::context::{services, user};

/// The fields of the form, which are the parameters of the API.
const FIELDS: [&str; 6] = ["by", "format", "from", "to", "tz", "group_id"];

const BY: [(ReportBy, &str); 6] = [
    (ReportBy::Day, "Each day"),
    (ReportBy::Member, "Each member"),
    (ReportBy::Model, "Each model"),
    (ReportBy::Key, "Each API key"),
    (ReportBy::Period, "Each billing period"),
    (ReportBy::Event, "Each event of the ledger"),
];
const FORMATS: [(ReportFormat, &str); 3] =
    [(ReportFormat::Csv, "CSV"), (ReportFormat::Xlsx, "Excel (xlsx)"), (ReportFormat::Jsonl, "JSON lines")];

/// What the form asked for, with what is wrong about it.
#[derive(Clone, Debug, Default)]
struct Asked {
    invoices: bool,
    fields: ReportFields,
    wrong: Option<AppError>,
}

struct Data {
    asked: Asked,
    /// Where the report is, if one was asked for that there can be.
    download: Option<String>,
    /// What a SuperAdmin chooses from.
    groups: Option<Vec<(GroupId, String)>>,
    /// Of an admin's group.
    history: Option<PaymentHistory>,
}

#[component]
pub fn Reports() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let fields = ReportFields {
        format: query.get("format"),
        by: query.get("by"),
        from: query.get("from"),
        to: query.get("to"),
        tz: query.get("tz"),
        group_id: query.get("group_id"),
    };
    load(data(query.get("report"), fields, query.get("after")), page)
}

async fn data(report: Option<String>, fields: ReportFields, after: Option<String>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_be_any_admin()?;
    let invoices = report.as_deref() == Some("invoices");
    let checked = match report {
        None => None,
        Some(_) if invoices => Some(fields.invoices().map(drop)),
        Some(_) => Some(fields.usage().map(drop)),
    };
    let download = matches!(checked, Some(Ok(()))).then(|| address(invoices, &fields));
    let wrong = checked.and_then(Result::err).map(AppError::from);
    let is_superadmin = user.role == Role::SuperAdmin;
    let groups = if is_superadmin { Some(services.reports.groups(&user).await?) } else { None };
    let history = if is_superadmin {
        None
    } else {
        Some(services.billing.payment_history(&user, after.as_deref()).await?)
    };
    Ok(Data { asked: Asked { invoices, fields, wrong }, download, groups, history })
}

/// Where the API gives the report.
fn address(invoices: bool, fields: &ReportFields) -> String {
    let ReportFields { format, by, from, to, tz, group_id } = fields;
    let by = by.as_ref().filter(|_| !invoices);
    let pairs = FIELDS.into_iter().zip([
        by,
        format.as_ref(),
        from.as_ref(),
        to.as_ref(),
        tz.as_ref(),
        group_id.as_ref(),
    ]);
    let given = pairs.filter_map(|(name, value)| Some((name, value?))).filter(|(_, value)| !value.is_empty());
    let query: Vec<_> = given.map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
    format!("/api/reports/{}/?{}", if invoices { "invoices" } else { "usage" }, query.join("&"))
}

fn page(data: Data) -> AnyView {
    let Data { asked, download, groups, history } = data;
    if let Some(path) = download {
        return view! { <Redirect path/> }.into_any();
    }
    if asked.wrong.is_some() {
        set_status(422);
    }
    let refused = asked.wrong.as_ref().and_then(|wrong| wrong.form(&FIELDS));
    let text = if groups.is_some() {
        "Usage and invoices of any group, or of all, as files."
    } else {
        "Your group's usage and invoices as files, and what it has paid."
    };
    view! {
        <Head title="Reports" description="Download usage and invoices as CSV, Excel or JSON lines."/>
        <Heading title="Reports" text/>
        <Refused message=refused/>
        <ReportForm asked groups/>
        {history.map(|history| view! { <Payments history path="/reports"/> })}
    }
    .into_any()
}

#[component]
fn ReportForm(asked: Asked, groups: Option<Vec<(GroupId, String)>>) -> impl IntoView {
    let Asked { invoices, fields, wrong } = asked;
    let error = |field: &str| wrong.as_ref().and_then(|wrong| wrong.field(field));
    let word = |word: &str, label: &str| (word.to_owned(), label.to_owned());
    let reports = vec![word("usage", "Usage"), word("invoices", "Invoices")];
    let report = if invoices { "invoices" } else { "usage" };
    let by = BY.map(|(by, label)| word(by.as_str(), label)).to_vec();
    let formats = FORMATS.map(|(format, label)| word(format.as_str(), label)).to_vec();
    let zones = time_zones().map(|zone| word(zone, zone)).collect();
    let groups = groups.map(|groups| {
        let named = groups.into_iter().map(|(id, name)| (id.to_string(), name));
        std::iter::once(word("", "All groups")).chain(named).collect::<Vec<_>>()
    });
    let chosen = |field: &Option<String>| field.clone().unwrap_or_default();
    view! {
        <form method="get" action="/reports" class="report panel" aria-label="Report" data-download="">
            <Choice name="report" label="Report" choices=reports chosen=report.to_owned()/>
            <Choice name="by" label="A row for" choices=by chosen=chosen(&fields.by) error=error("by")
                hint="Invoices have a row each."/>
            <Choice name="format" label="Format" choices=formats chosen=chosen(&fields.format) error=error("format")/>
            <Field input_type="date" required=false name="from" label="From" value=chosen(&fields.from) error=error("from") hint="Empty for the beginning."/>
            <Field input_type="date" required=false name="to" label="Before" value=chosen(&fields.to) error=error("to") hint="That day isn't part of it."/>
            <Choice name="tz" label="Time zone" choices=zones chosen=chosen(&fields.tz) error=error("tz")/>
            {groups.map(|groups| view! {
                <Choice name="group_id" label="Group" choices=groups chosen=chosen(&fields.group_id) error=error("group_id")/>
            })}
            <div class="report__actions">
                <button class="button" data-tone="primary" type="submit">"Download"</button>
                <p>
                    "The last row of each file is its total: a file without it was cut off. All of a file is of one \
                     moment, and every report of the same days adds up to the same."
                </p>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_leads_to_the_api_with_what_was_chosen() {
        let fields = ReportFields {
            by: Some("day".into()),
            format: Some("xlsx".into()),
            from: Some("2026-11-01".into()),
            to: Some(String::new()),
            tz: Some("Europe/Berlin".into()),
            group_id: None,
        };
        let usage = "/api/reports/usage/?by=day&format=xlsx&from=2026%2D11%2D01&tz=Europe%2FBerlin";
        assert_eq!(address(false, &fields), usage);
        assert_eq!(address(true, &fields), usage.replace("usage/?by=day&", "invoices/?"));
    }
}
