//! `/groups/{id}`: one group as its admin sees it, to read only. Why it is looked at is asked first, and kept.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{NOTHING, filter, seats_taken};
use crate::domain::{
    Forecast, GroupId, GroupSummary, GroupVisit, Invitation, Level, MAX_REASON, Member, PaymentHistory,
    PerType, Period, Refusal, Resource, Share, Subscription, Usage, UsageType, UserId, VisitVia,
};
use crate::groups::{Entrance, GroupParts, GroupView, OpenVisit};
use crate::metering::{PageRequest, PageRows};
use crate::web::AppError;
use crate::web::components::badge::StatusBadge;
use crate::web::components::bar::ResourceBar;
use crate::web::components::caps::ShareFigure;
use crate::web::components::field::{Below, describes, textarea_text};
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::pages::billing::overage::Charges;
use crate::web::pages::billing::payments::Payments;
use crate::web::pages::usage::history::History;
use crate::web::server_fns::groups::VisitGroup;
use crate::web::ssr::context::{services, user};

/// Members and invoices on a page.
const MEMBERS: usize = 50;
const INVOICES: usize = 12;

/// Which part of the longer lists is asked for.
#[derive(Clone, Debug)]
struct Asked {
    members: Option<UserId>,
    invoices: Option<String>,
}

struct Data {
    id: GroupId,
    entrance: Entrance,
    asked: Asked,
}

#[component]
pub fn Group() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let query = use_query_map().get_untracked();
    let members = query.get("members").and_then(|id| id.parse().ok());
    load(data(id, Asked { members, invoices: query.get("after") }), page)
}

async fn data(id: String, asked: Asked) -> Result<Data, AppError> {
    let (user, groups) = (user()?, services().groups.clone());
    user.must_be_superadmin()?;
    let id: GroupId = id.parse().map_err(|_| Refusal::NotFound("group".into()))?;
    let parts = |asked: &Asked| GroupParts {
        members: PageRequest { after: asked.members, limit: MEMBERS },
        invoices: PageRequest { after: asked.invoices.clone(), limit: INVOICES },
    };
    match groups.entrance(&user, id, &parts(&asked)).await.map_err(AppError::from) {
        // There is no such invoice to go on from: from the newest on.
        Err(error) if error.code() == Some("invalid") && asked.invoices.is_some() => {
            let asked = Asked { invoices: None, ..asked };
            Ok(Data { id, entrance: groups.entrance(&user, id, &parts(&asked)).await?, asked })
        }
        found => Ok(Data { id, entrance: found?, asked }),
    }
}

fn page(data: Data) -> AnyView {
    let Data { id, entrance: Entrance { name, visit, visits }, asked } = data;
    let shown = match visit {
        Some(OpenVisit { visit, ends_at, view }) => {
            let reason = visit.reason.unwrap_or_default();
            view! {
                <Notice level=Level::Ok>
                    <strong>{format!("You may look until {}. ", format::date_time(ends_at))}</strong>
                    {format!("Your reason is kept: “{reason}”")}
                </Notice>
                <View id view asked/>
            }
            .into_any()
        }
        None => view! { <Ask id/> }.into_any(),
    };
    view! {
        <Head title=name.clone() description="A group as its admin sees it, to read only."/>
        <Heading title=name text="As its admin sees it. Nothing can be changed from here.">
            <a class="button" data-tone="plain" href=filter::PATH>"All groups"</a>
        </Heading>
        {shown}
        <Visits visits/>
    }
    .into_any()
}

/// Asks why, before anything is shown.
#[component]
fn Ask(id: GroupId) -> impl IntoView {
    const NAME: &str = "reason";
    const HINT: &str = "Such as a support request's number. Kept with your name and the time.";
    let attempt = Attempt::of::<VisitGroup>();
    let error = attempt.error(NAME);
    let described = describes(NAME, error.is_some(), true);
    let invalid = error.is_some().then_some("true");
    view! {
        <section class="panel visit" aria-labelledby="visit">
            <h2 id="visit">"Why do you look at this group?"</h2>
            <Refused message=attempt.message(&[NAME])/>
            <Form to=VisitGroup::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <div class="stacked-form">
                    <div class="field">
                        <label for=NAME>"Reason"</label>
                        <textarea
                            class="input"
                            id=NAME
                            name=NAME
                            rows="2"
                            required
                            maxlength=MAX_REASON.to_string()
                            aria-describedby=described
                            aria-invalid=invalid
                        >
                            {textarea_text(attempt.value(NAME))}
                        </textarea>
                        <Below name=NAME error hint=HINT/>
                    </div>
                    <Submit label="Look for an hour"/>
                </div>
            </Form>
        </section>
    }
}

#[component]
fn View(id: GroupId, view: GroupView, asked: Asked) -> impl IntoView {
    let GroupView {
        summary,
        subscription,
        usage,
        days,
        members,
        shares,
        invitations,
        invoices,
        charges,
        history,
    } = view;
    let path = format!("{}/{id}", filter::PATH);
    let payments =
        PaymentHistory { invoices: invoices.rows, more: invoices.more, older: asked.invoices.is_some() };
    let bars = usage.map(|usage| view! { <Bars usage days/> });
    view! {
        <Facts summary subscription/>
        {bars}
        <Members members shares path=path.clone() is_first=asked.members.is_none()/>
        <Invitations invitations/>
        <Payments history=payments path/>
        {(!charges.is_empty()).then(|| view! { <Charges charges/> })}
        <History history has_events=false/>
    }
}

#[component]
fn Facts(summary: GroupSummary, subscription: Option<Subscription>) -> impl IntoView {
    let nothing = || NOTHING.to_owned();
    let mrr = summary.mrr().map_or_else(nothing, |mrr| mrr.to_string());
    let run_out = summary.run_out.map_or_else(nothing, |run_out| {
        format!("{}, on {}", run_out.usage_type.label(), format::date(run_out.at))
    });
    let GroupSummary { plan, status, seats, last_activity, created_at, .. } = summary;
    let name = plan.map_or_else(|| "No subscription".to_owned(), |plan| plan.name);
    let of_subscription = subscription.map(|subscription| {
        let Subscription { current_period_start, current_period_end, cancel_at_period_end, .. } =
            subscription;
        let period = format::span(current_period_start, current_period_end);
        let ends = cancel_at_period_end
            .then(|| view! { <Fact term="Ends on" value=format::date(current_period_end)/> });
        let next = subscription.next_plan.map(|next| view! { <Fact term="Next plan" value=next.name/> });
        view! {
            <Fact term="Price" value=format::price(&subscription.plan)/>
            <Fact term="Period" value=period/>
            {ends}
            {next}
        }
    });
    view! {
        <section class="panel" aria-labelledby="plan">
            <div class="current__head">
                <h2 id="plan">{name}</h2>
                {status.map(|status| view! { <StatusBadge status/> })}
            </div>
            <dl class="facts">
                {of_subscription}
                <Fact term="MRR" value=mrr/>
                <Fact term="Seats taken" value=seats_taken(seats)/>
                <Fact term="Last activity" value=last_activity.map_or_else(nothing, format::date_time)/>
                <Fact term="Runs out first" value=run_out/>
                <Fact term="Signed up" value=format::date(created_at)/>
            </dl>
        </section>
    }
}

#[component]
fn Fact(term: &'static str, #[prop(into)] value: String) -> impl IntoView {
    view! { <div><dt>{term}</dt><dd>{value}</dd></div> }
}

/// The bars of the group's own usage page, as they are now.
#[component]
fn Bars(usage: Usage, days: PerType<Vec<i64>>) -> impl IntoView {
    let period = Period { start: usage.period_start, end: usage.period_end };
    let bar = |usage_type: UsageType| {
        let resource: Resource = usage.resources[usage_type];
        let forecast = Forecast::of(period, &days[usage_type], resource.used, resource.limit, usage.as_of);
        view! {
            <ResourceBar
                usage_type
                resource=Signal::stored(resource)
                forecast=Signal::stored(forecast)
                ends=Signal::stored(period.end)
            />
        }
    };
    let (llm, voice) = (bar(UsageType::Llm), bar(UsageType::Voice));
    view! {
        <div class="panel usage__bars">
            {llm}
            {voice}
        </div>
    }
}

const OF_MEMBERS: &[Column] = &[
    Column::text("Member"),
    Column::short("Role"),
    Column::short("Joined"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
];

#[component]
fn Members(
    members: PageRows<Member>,
    shares: Vec<PerType<Share>>,
    /// The group's page.
    path: String,
    is_first: bool,
) -> impl IntoView {
    let PageRows { rows, more } = members;
    let next = rows.last().filter(|_| more).map(|last| format!("{path}?members={}#members", last.id));
    let first = (!is_first).then(|| format!("{path}#members"));
    let rows = rows.into_iter().zip(shares).map(|(member, share)| {
        Row::new(view! { {member.name}<span class="member__email">{member.email}</span> })
            .cell(format::role(member.role))
            .cell(format::date(member.joined_at))
            .cell(view! { <ShareFigure share=share.llm/> })
            .cell(view! { <ShareFigure share=share.voice/> })
    });
    let link =
        |href: Option<String>, label: &'static str| href.map(|href| view! { <a href=href>{label}</a>" " });
    view! {
        <section class="section" id="members">
            <h2>"Members"</h2>
            <Table caption="Members of the group" columns=OF_MEMBERS rows=rows.collect()/>
            <p class="after-table">{link(first, "First members")}{link(next, "More members")}</p>
        </section>
    }
}

const OF_INVITATIONS: &[Column] = &[Column::text("E-mail"), Column::short("Role"), Column::short("Expires")];

#[component]
fn Invitations(invitations: Vec<Invitation>) -> impl IntoView {
    if invitations.is_empty() {
        return None;
    }
    let rows = invitations.into_iter().map(|invitation| {
        let Invitation { email, role, expires_at, .. } = invitation;
        Row::new(email).cell(format::role(role)).cell(format::date(expires_at))
    });
    Some(view! {
        <section class="section">
            <h2>"Open invitations"</h2>
            <Table caption="Open invitations" columns=OF_INVITATIONS rows=rows.collect()/>
        </section>
    })
}

const OF_VISITS: &[Column] =
    &[Column::short("When"), Column::text("Who"), Column::short("By"), Column::text("Reason")];

#[component]
fn Visits(visits: Vec<GroupVisit>) -> impl IntoView {
    let list = if visits.is_empty() {
        view! { <p class="empty">"Nobody yet."</p> }.into_any()
    } else {
        let rows = visits.into_iter().map(|visit| {
            let GroupVisit { created_at, user, email, via, reason } = visit;
            let by = match via {
                VisitVia::Page => "This page",
                VisitVia::Api => "API",
            };
            Row::new(format::date_time(created_at))
                .cell(view! { {user}<span class="member__email">{email}</span> })
                .cell(by)
                .cell(reason.unwrap_or_else(|| NOTHING.to_owned()))
        });
        view! { <Table caption="Who looked" columns=OF_VISITS rows=rows.collect()/> }.into_any()
    };
    view! {
        <section class="section" aria-labelledby="visits">
            <h2 id="visits">"Who looked"</h2>
            {list}
        </section>
    }
}
