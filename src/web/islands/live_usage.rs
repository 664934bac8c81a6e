//! The current period's usage, kept up to date by the server's stream.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::domain::{Level, Plan, Usage, UsageType};
use crate::web::client::{self, UsageStream};
use crate::web::components::badge::StatusBadge;
use crate::web::components::bar::ResourceBar;
use crate::web::components::notice::Notice;
use crate::web::components::plan_card::PlanCard;
use crate::web::format;
use crate::web::server_fns::usage::suggestion;

#[island]
pub fn LiveUsage(
    usage: Usage,
    suggested_plan: Option<Plan>,
    /// Whether the subscription ends with the period.
    ending: bool,
    admin: bool,
) -> impl IntoView {
    let usage = RwSignal::new(usage);
    let suggested = RwSignal::new(suggested_plan);
    let connected = RwSignal::new(None::<bool>);
    let take = move |new: Usage| {
        let old = usage.get_untracked();
        if new.as_of < old.as_of {
            return;
        }
        let terms = |usage: &Usage| (usage.subscription_id, usage.plan.id, usage.status, usage.period_start);
        let levels = |usage: &Usage| usage.resources.map(|resource| resource.level);
        if terms(&new) != terms(&old) {
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
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| UsageStream::open(take, move |live| connected.set(Some(live))));
    let llm = Signal::derive(move || usage.with(|usage| usage.resources.llm));
    let voice = Signal::derive(move || usage.with(|usage| usage.resources.voice));
    view! {
        <Alerts usage admin/>
        <div class="usage">
            <div class="usage__main">
                <div class="panel usage__bars">
                    <Connection connected/>
                    <ResourceBar usage_type=UsageType::Llm resource=llm/>
                    <ResourceBar usage_type=UsageType::Voice resource=voice/>
                </div>
                {move || suggested.get().map(|plan| view! { <Suggestion plan admin/> })}
            </div>
            <aside aria-label="Plan">
                <Period usage=usage.get_untracked() ending/>
            </aside>
        </div>
    }
}

/// Whether the numbers move by themselves. Nothing until the page is live.
#[component]
fn Connection(connected: RwSignal<Option<bool>>) -> impl IntoView {
    let word = move || match connected.get() {
        None => "",
        Some(true) => "Live",
        Some(false) => "Reconnecting…",
    };
    let state = move || connected.get().map(|live| if live { "on" } else { "off" });
    view! { <p class="connection" data-state=state role="status">{word}</p> }
}

#[component]
fn Alerts(usage: RwSignal<Usage>, admin: bool) -> impl IntoView {
    // By kind and level only: a number that moves must not be announced each time.
    let warnings = Memo::new(move |_| usage.with(|usage| usage.resources.map(|resource| resource.level)));
    view! {
        <div class="alerts">
            {move || warnings.get().iter().map(|(usage_type, level)| {
                (*level != Level::Ok).then(|| view! { <Alert usage_type level=*level admin/> })
            }).collect_view()}
        </div>
    }
}

#[component]
fn Alert(usage_type: UsageType, level: Level, admin: bool) -> impl IntoView {
    let label = usage_type.label();
    let (title, text) = if level == Level::Limit {
        ("Limit reached - upgrade required.".to_owned(), format!(" All {label} of this period are used. "))
    } else {
        let text = " 80 % or more is used. Consider upgrading before they run out. ";
        (format!("{label} are approaching the limit."), text.to_owned())
    };
    let way = if admin {
        view! { <a href="/subscribe">"See the plans"</a> }.into_any()
    } else {
        "An admin of your group can upgrade.".into_any()
    };
    view! {
        <Notice level alert=true>
            <strong>{title}</strong>
            {text}
            {way}
        </Notice>
    }
}

#[component]
fn Period(usage: Usage, ending: bool) -> impl IntoView {
    let verb = if ending { "Ends" } else { "Resets" };
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
                    <dt>{verb}</dt>
                    <dd>{format!("{until}, on {}", format::date(usage.period_end))}</dd>
                </div>
            </dl>
            {ending.then(|| view! {
                <p class="period__note">"The subscription was canceled. It isn't charged again."</p>
            })}
        </section>
    }
}

#[component]
fn Suggestion(plan: Plan, admin: bool) -> impl IntoView {
    let action = if admin {
        view! { <a href="/subscribe" class="button" data-tone="plain">"See the plans"</a> }.into_any()
    } else {
        "Ask an admin of your group to upgrade.".into_any()
    };
    view! {
        <div class="suggestion">
            <p class="suggestion__label">"Suggested plan"</p>
            <PlanCard plan>{action}</PlanCard>
        </div>
    }
}
