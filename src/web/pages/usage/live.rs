//! The current period, kept up to date by the server's stream.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;

use crate::domain::{Level, Plan, Usage, UsageType};
use crate::web::components::badge::StatusBadge;
use crate::web::components::bar::ResourceBar;
use crate::web::components::notice::Notice;
use crate::web::components::page::Heading;
use crate::web::components::plan_card::PlanCard;
use crate::web::format;
use crate::web::server_fns::usage::check;
use crate::web_browser::UsageStream;

#[component]
pub fn Live(
    usage: Usage,
    suggested_plan: Option<Plan>,
    /// Whether the subscription ends with the period.
    ending: bool,
    admin: bool,
    /// Loads the page's data anew, when more than the numbers changed.
    reload: Callback<()>,
) -> impl IntoView {
    let usage = RwSignal::new(usage);
    let suggested = RwSignal::new(suggested_plan);
    let connected = RwSignal::new(None::<bool>);
    let stream = StoredValue::new_local(None::<UsageStream>);
    let take = move |new: Usage| {
        let Some(old) = usage.try_get_untracked() else { return };
        if new.as_of < old.as_of {
            return;
        }
        let same_terms = (new.subscription_id, new.plan.id, new.status, new.period_start)
            == (old.subscription_id, old.plan.id, old.status, old.period_start);
        let levels = |usage: &Usage| (usage.llm.level, usage.voice.level);
        let moved = levels(&new) != levels(&old);
        usage.set(new);
        if !same_terms {
            reload.run(());
        } else if moved {
            spawn_local(async move {
                if let Ok(check) = check().await {
                    _ = suggested.try_set(check.suggested_plan);
                }
            });
        }
    };
    Effect::new(move |_| {
        let opened = UsageStream::open(take, move |live| _ = connected.try_set(Some(live)));
        stream.set_value(opened);
    });
    let llm = Signal::derive(move || usage.with(|usage| usage.llm));
    let voice = Signal::derive(move || usage.with(|usage| usage.voice));
    view! {
        <Heading title="Usage" text="The allowance everybody in the group shares.">
            <Connection connected/>
        </Heading>
        <Alerts usage admin/>
        <div class="usage">
            <div class="panel usage__bars">
                <ResourceBar usage_type=UsageType::Llm resource=llm/>
                <ResourceBar usage_type=UsageType::Voice resource=voice/>
            </div>
            <aside class="usage__side" aria-label="Plan">
                <Period usage ending/>
                {move || suggested.get().map(|plan| view! { <Suggestion plan admin/> })}
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
    let state = move || match connected.get() {
        None => "none",
        Some(true) => "on",
        Some(false) => "off",
    };
    view! { <p class="connection" data-state=state role="status">{word}</p> }
}

#[component]
fn Alerts(usage: RwSignal<Usage>, admin: bool) -> impl IntoView {
    // By kind and level only: a number that moves must not be announced each time.
    let warnings = Memo::new(move |_| {
        usage.with(|usage| usage.resources().map(|(usage_type, resource)| (usage_type, resource.level)))
    });
    let alert = move |(usage_type, level): (UsageType, Level)| {
        let label = usage_type.label();
        let (title, text) = match level {
            Level::Ok => return None,
            Level::Warning => (
                format!("{label} are approaching the limit."),
                "80 % or more is used. Consider upgrading before they run out.",
            ),
            Level::Limit => (
                "Limit reached - upgrade required".to_owned(),
                match usage_type {
                    UsageType::Llm => "All LLM tokens of this period are used.",
                    UsageType::Voice => "All voice tokens of this period are used.",
                },
            ),
        };
        let way = if admin {
            view! { <A href="/subscribe">"See the plans"</A> }.into_any()
        } else {
            "An admin of your group can upgrade.".into_any()
        };
        Some(view! {
            <Notice level alert=true>
                <strong>{title}</strong>
                " "
                {text}
                " "
                {way}
            </Notice>
        })
    };
    view! { <div class="alerts">{move || warnings.get().into_iter().filter_map(alert).collect_view()}</div> }
}

#[component]
fn Period(usage: RwSignal<Usage>, ending: bool) -> impl IntoView {
    let shown = usage.get_untracked();
    let verb = if ending { "Ends" } else { "Resets" };
    let until = move || usage.with(|usage| format::until(usage.as_of, usage.period_end));
    view! {
        <section class="panel period">
            <div class="current__head">
                <h2>{shown.plan.name}</h2>
                <StatusBadge status=Signal::derive(move || usage.with(|usage| usage.status))/>
            </div>
            <dl class="facts">
                <div>
                    <dt>"Period"</dt>
                    <dd>{format::span(shown.period_start, shown.period_end)}</dd>
                </div>
                <div>
                    <dt>{verb}</dt>
                    <dd>
                        {until} " on "
                        <time datetime=format::machine(shown.period_end)>{format::date(shown.period_end)}</time>
                    </dd>
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
    view! {
        <div class="suggestion">
            <p class="suggestion__label">"Suggested plan"</p>
            <PlanCard plan>
                {if admin {
                    view! { <A href="/subscribe" attr:class="button" attr:data-tone="plain">"See the plans"</A> }.into_any()
                } else {
                    view! { <p>"Ask an admin of your group to upgrade."</p> }.into_any()
                }}
            </PlanCard>
        </div>
    }
}
