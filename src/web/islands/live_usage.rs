//! The current period's usage, kept up to date by the server's stream.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::follow_subscription::Shown;
use crate::domain::{
    self, Forecast, Level, PerType, Plan, Resource, Subscription, Usage, UsageType, group_digits,
};
use crate::web::client::{self, UsageStream};
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::badge::StatusBadge;
use crate::web::components::bar::{Bar, ResourceBar};
use crate::web::components::notice::Notice;
use crate::web::components::plan_card::PlanCard;
use crate::web::format;
use crate::web::server_fns::usage::suggestion;

#[island]
pub fn LiveUsage(
    usage: Usage,
    suggested_plan: Option<Plan>,
    /// The subscription that the page was rendered for.
    shown: Shown,
    /// What was used on each whole day of the period that is over, for the forecast.
    days: PerType<Vec<i64>>,
    /// Who can change the plan, by name; none where the viewer can.
    admins: Option<String>,
) -> impl IntoView {
    let usage = RwSignal::new(usage);
    let suggested = RwSignal::new(suggested_plan);
    let ends = RwSignal::new(shown.cancel_at_period_end);
    let connected = RwSignal::new(None::<bool>);
    let on_usage = move |new: Usage| {
        let old = usage.get_untracked();
        if new.as_of < old.as_of {
            return;
        }
        let period = |usage: &Usage| (usage.subscription_id, usage.plan.id, usage.period_start);
        let levels = |usage: &Usage| usage.resources.map(|resource| resource.level);
        if period(&new) != period(&old) {
            client::reload();
        } else if levels(&new) != levels(&old) {
            spawn_local(async move {
                if let Ok(plan) = suggestion().await {
                    suggested.set(plan);
                }
            });
        }
        usage.set(new);
    };
    let on_subscription =
        move |subscription: Option<Subscription>| match subscription.as_ref().map(Shown::from) {
            Some(now) if now.differs_in_end_only(shown) => ends.set(now.cancel_at_period_end),
            _ => client::reload(),
        };
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| UsageStream::open(on_usage, on_subscription, move |live| connected.set(Some(live))));
    let admins = StoredValue::new(admins);
    let days = StoredValue::new(days);
    let bar = move |usage_type: UsageType| {
        let resource = Signal::derive(move || usage.with(|usage| usage.resources[usage_type]));
        let ends = Signal::derive(move || usage.with(|usage| usage.period_end));
        let forecast = Signal::derive(move || {
            usage.with(|usage| days.with_value(|days| forecast(usage, usage_type, &days[usage_type])))
        });
        view! { <ResourceBar usage_type resource forecast ends/> }
    };
    view! {
        <Alerts usage suggested admins/>
        <div class="usage">
            <div class="usage__main">
                <div class="panel usage__bars">
                    {bar(UsageType::Llm)}
                    {bar(UsageType::Voice)}
                    <Connection connected/>
                </div>
                {move || usage.with(own_caps)}
                {move || suggested.get().map(|plan| view! { <Suggestion plan admins/> })}
            </div>
            <aside aria-label="Plan">
                <Period usage=usage.get_untracked() ends/>
            </aside>
        </div>
    }
}

type Admins = StoredValue<Option<String>>;

fn forecast(usage: &Usage, usage_type: UsageType, days: &[i64]) -> Option<Forecast> {
    let period = domain::Period { start: usage.period_start, end: usage.period_end };
    let Resource { used, limit, .. } = usage.resources[usage_type];
    Forecast::of(period, days, used, limit, usage.as_of)
}

/// The viewer's own caps, where an admin has set any.
fn own_caps(usage: &Usage) -> Option<AnyView> {
    let you = usage.you?;
    let capped: Vec<_> =
        you.iter().filter_map(|(usage_type, share)| Some((usage_type, *share, share.limit?))).collect();
    if capped.is_empty() {
        return None;
    }
    let rows = capped.into_iter().map(|(usage_type, share, cap)| {
        let name = match usage_type {
            UsageType::Llm => "LLM",
            UsageType::Voice => "Voice",
        };
        let resource = Resource::new(share.used, share.held, Some(cap));
        let left = format!(
            "{} of {} used, {} held, {} left",
            group_digits(share.used),
            group_digits(cap),
            group_digits(share.held),
            group_digits(share.remaining.unwrap_or_default())
        );
        view! {
            <div class="cap">
                <p class="cap__name">{name}</p>
                <p class="cap__figures">{left}</p>
                <Bar label=format!("Your cap, {name}") resource/>
            </div>
        }
    });
    Some(view! {
        <section class="panel caps">
            <h2>"Your own cap"</h2>
            <p class="caps__rule">"What an admin lets you spend of the shared allowance. At 100 % your own requests are refused."</p>
            {rows.collect_view()}
        </section>
    }
    .into_any())
}

/// Whether the numbers move by themselves. Nothing until the page is live.
#[component]
fn Connection(connected: RwSignal<Option<bool>>) -> impl IntoView {
    let text = move || match connected.get() {
        None => "",
        Some(true) => "Live",
        Some(false) => "Reconnecting…",
    };
    let state = move || connected.get().map(|live| if live { "on" } else { "off" });
    view! { <p class="connection" data-state=state role="status">{text}</p> }
}

#[component]
fn Alerts(usage: RwSignal<Usage>, suggested: RwSignal<Option<Plan>>, admins: Admins) -> impl IntoView {
    // By type and level only: a number that moves must not be announced each time.
    let warnings = Memo::new(move |_| usage.with(|usage| usage.resources.map(|resource| resource.level)));
    view! {
        <div class="alerts">
            {move || warnings.get().iter().map(|(usage_type, level)| {
                (*level != Level::Ok).then(|| view! { <Alert usage_type level=*level suggested admins/> })
            }).collect_view()}
        </div>
    }
}

#[component]
fn Alert(
    usage_type: UsageType,
    level: Level,
    suggested: RwSignal<Option<Plan>>,
    admins: Admins,
) -> impl IntoView {
    let (title, text) = if level == Level::Limit {
        let text = format!(" {} of this period are all used. ", usage_type.label());
        ("Limit reached - upgrade required.".to_owned(), text)
    } else {
        let text = " 80 % or more is used. Consider upgrading before they run out. ";
        (format!("{} are approaching the limit.", usage_type.label()), text.to_owned())
    };
    view! {
        <Notice level alert=true>
            <strong>{title}</strong>
            {text}
            {move || upgrade(admins, "", suggested.get().as_ref())}
        </Notice>
    }
}

#[component]
fn Suggestion(plan: Plan, admins: Admins) -> impl IntoView {
    view! {
        <div class="suggestion">
            <p class="suggestion__label">"Suggested plan"</p>
            <PlanCard plan=plan.clone()>{upgrade(admins, "button", Some(&plan))}</PlanCard>
        </div>
    }
}

/// The way to another plan: a link for those who can choose one, for the others whom to ask.
fn upgrade(admins: Admins, class: &'static str, to: Option<&Plan>) -> AnyView {
    match (admins.get_value(), to) {
        (Some(names), _) => view! { <AskAdmin to="upgrade" names/> }.into_any(),
        (None, Some(plan)) => {
            let (href, label) =
                (format!("/subscribe?change={}", plan.id), format!("Upgrade to {}", plan.name));
            view! { <a href=href class=class data-tone="plain">{label}</a> }.into_any()
        }
        (None, None) => {
            view! { <a href="/subscribe" class=class data-tone="plain">"See the plans"</a> }.into_any()
        }
    }
}

/// What happens when an allowance is used up.
fn rule_at_the_limit(ends: bool) -> &'static str {
    if ends {
        "At 100 % new requests are refused until the period ends. What is already under way is finished and counted."
    } else {
        "At 100 % new requests are refused until the reset, or until the plan is changed. What is already under way is \
         finished and counted."
    }
}

#[component]
fn Period(usage: Usage, ends: RwSignal<bool>) -> impl IntoView {
    let until = format::until(usage.as_of, usage.period_end);
    view! {
        <section class="panel period">
            <div class="current__head">
                <h2>{usage.plan.name}</h2>
                <StatusBadge status=usage.status/>
            </div>
            <dl class="facts">
                <div>
                    <dt>"Period"</dt>
                    <dd>{format::span(usage.period_start, usage.period_end)}</dd>
                </div>
                <div>
                    <dt>{move || if ends.get() { "Ends" } else { "Resets" }}</dt>
                    <dd>{format!("{until}, on {}", format::date(usage.period_end))}</dd>
                </div>
            </dl>
            <p class="period__rule">
                {move || rule_at_the_limit(ends.get())}
            </p>
            // Announced when it comes while the page is open.
            <p class="period__note" role="status">
                {move || ends.get().then_some("The subscription was canceled. It isn't charged again.")}
            </p>
        </section>
    }
}
