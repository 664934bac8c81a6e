//! The button that changes the plan, and what comes of it: a payment that the bank asks about, and waiting until the
//! server has the plan that was paid for.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::domain::{Level, PlanId, Subscription, SubscriptionId};
use crate::web::client::{self, UsageStream};
use crate::web::components::notice::Notice;
use crate::web::format;
use crate::web::islands::card_form::{SLOW, arrived, needed};
use crate::web::server_fns::subscription::change_plan;

/// A change, as far as it is.
#[derive(Clone, Copy)]
struct Change {
    subscription: SubscriptionId,
    plan: PlanId,
    proration_date: Option<i64>,
    busy: RwSignal<bool>,
    error: RwSignal<Option<String>>,
    done: RwSignal<Option<Subscription>>,
}

impl Change {
    async fn make(self, stripe_js: String) {
        self.busy.set(true);
        self.error.set(None);
        match self.carry_out(&stripe_js).await {
            Ok(subscription) => self.done.set(Some(subscription)),
            Err(message) => self.error.set(Some(message)),
        }
        self.busy.set(false);
    }

    async fn carry_out(self, stripe_js: &str) -> Result<Subscription, String> {
        let changed = change_plan(self.subscription, self.plan, self.proration_date).await;
        let checkout = changed.map_err(|error| error.to_string())?;
        let Some(secret) = checkout.client_secret else { return Ok(checkout.subscription) };
        client::ask_bank(stripe_js, &checkout.publishable_key, &secret).await?;
        let changed = move |now: Subscription| now.plan.id == self.plan;
        arrived(Callback::new(changed), needed()).await.ok_or_else(|| SLOW.to_owned())
    }

    /// Takes over what the subscription became in another tab.
    fn update(self, before: StoredValue<Option<Subscription>>, now: Option<Subscription>) {
        let Some(known) = before.get_value() else { return before.set_value(now) };
        let same = now.as_ref().is_some_and(|now| {
            now.plan.id == known.plan.id
                && now.status == known.status
                && now.cancel_at_period_end == known.cancel_at_period_end
        });
        if !same && !self.busy.get_untracked() && self.done.with_untracked(Option::is_none) {
            client::reload();
        }
    }
}

#[island]
pub fn ChangePlan(
    subscription: SubscriptionId,
    plan: PlanId,
    /// The plan's name.
    name: String,
    /// The moment that the amount was worked out for, in Unix seconds; none for a change at the period's end.
    proration_date: Option<i64>,
    /// On the button.
    label: String,
    /// Where Stripe.js is.
    stripe_js: String,
) -> impl IntoView {
    let change = Change {
        subscription,
        plan,
        proration_date,
        busy: RwSignal::new(false),
        error: RwSignal::new(None),
        done: RwSignal::new(None),
    };
    // What the stream says first is what the page was rendered for.
    let before = StoredValue::new(None);
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| UsageStream::open(|_| {}, move |now| change.update(before, now), |_| {}));
    move || match change.done.get() {
        Some(subscription) => view! { <Changed subscription name=name.clone()/> }.into_any(),
        None => {
            let (label, stripe_js) = (label.clone(), stripe_js.clone());
            view! {
                {move || change.error.get().map(|message| view! {
                    <Notice level=Level::Limit alert=true>
                        {message}
                        " Your plan hasn't changed. "
                        <a href="/billing">"Use another card"</a>
                    </Notice>
                })}
                <button
                    class="button button--wide needs-script"
                    data-tone="primary"
                    type="button"
                    on:click=move |_| spawn_local(change.make(stripe_js.clone()))
                    disabled=move || change.busy.get()
                    aria-busy=move || change.busy.get().then_some("true")
                >
                    {label}
                </button>
            }
            .into_any()
        }
    }
}

/// The focus, which was on the button, goes to what came of it.
#[component]
fn Changed(subscription: Subscription, name: String) -> impl IntoView {
    let result = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(result) = result.get() {
            // Refused only for what isn't in the page.
            _ = result.focus();
        }
    });
    let text = match subscription.next_plan {
        Some(_) => format!(
            "{} stays until {}, and {name} begins then.",
            subscription.plan.name,
            format::date(subscription.current_period_end)
        ),
        None => format!("Your group is on {name} now."),
    };
    view! {
        <div node_ref=result tabindex="-1" role="status">
            <Notice level=Level::Ok>{text}</Notice>
            <p class="actions">
                <a class="button" data-tone="primary" href="/usage">"Go to usage"</a>
                <a class="button" data-tone="plain" href="/subscribe">"See the subscription"</a>
            </p>
        </div>
    }
}
