//! Paying for a plan, and what comes of it.
//!
//! After Stripe has confirmed, the server is asked until the subscription gives access there too: only then is the group
//! subscribed. A purchase that is finished or given up in another tab arrives by the stream.

use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::card_form::{CardEntry, CardForm, SLOW, Stage, arrived, is_paid};
use crate::domain::{Checkout, Intent, Status, Subscription};
use crate::web::client::{self, UsageStream};
use crate::web::components::badge::StatusBadge;
use crate::web::components::form::Form;
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::subscription::{Cancel, refresh};

const NOT_APPROVED: &str = "The bank didn't approve the payment. Try again or use another card.";

/// What the bank's page came back with, where the whole browser was sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returned {
    Not,
    Succeeded,
    Failed,
}

/// How far the purchase is.
#[derive(Clone, Copy)]
struct Purchase {
    card: CardEntry,
    bought: RwSignal<Option<Subscription>>,
}

impl Purchase {
    async fn pay(self, intent: Intent) {
        self.card.stage.set(Stage::Confirming);
        self.card.error.set(None);
        match client::confirm_card(intent).await {
            Ok(()) => self.wait_for_access().await,
            // Paid in another tab meanwhile, it can't be paid here.
            Err(message) => match refresh().await {
                Ok(Some(subscription)) if intent == Intent::Payment && subscription.status.is_paid() => {
                    self.finish(subscription)
                }
                _ => self.card.fail(message),
            },
        }
    }

    async fn wait_for_access(self) {
        self.card.stage.set(Stage::Waiting);
        // The stream may be faster.
        let is_bought = move || self.bought.with_untracked(Option::is_some);
        match arrived(is_paid(), Callback::new(move |()| is_bought())).await {
            Some(subscription) => self.finish(subscription),
            None if is_bought() => {}
            None => self.card.fail(SLOW),
        }
    }

    fn finish(self, subscription: Subscription) {
        client::drop_card();
        self.bought.set(Some(subscription));
    }

    /// Takes over what the subscription became, by this tab or another.
    fn update(self, checkout: &Checkout, subscription: Option<Subscription>) {
        let Some(subscription) = subscription.filter(|now| now.id == checkout.subscription.id) else {
            return client::reload();
        };
        // What is under the bank's dialog can't be given the focus. Confirmed, the server is asked in any case.
        let confirming = self.card.stage.get_untracked() == Stage::Confirming;
        // A trial gives access before its card is there.
        let awaits_payment = checkout.intent == Some(Intent::Payment);
        if awaits_payment
            && !confirming
            && subscription.status.is_paid()
            && self.bought.with_untracked(Option::is_none)
        {
            self.finish(subscription);
        }
    }
}

#[island]
pub fn CheckoutForm(
    checkout: Checkout,
    /// Where Stripe.js is.
    stripe_js: String,
    returned: Returned,
    /// Why the last form on this page was refused, if one was.
    refused: Option<String>,
) -> impl IntoView {
    let purchase = Purchase { card: CardEntry::new(refused), bought: RwSignal::new(None) };
    let attempt = RwSignal::new(0);
    let begun = checkout.clone();
    Effect::new(move |_| {
        attempt.track();
        purchase.card.stage.set(Stage::Loading);
        let (begun, stripe_js) = (begun.clone(), stripe_js.clone());
        spawn_local(async move {
            let secret = begun.client_secret.unwrap_or_default();
            purchase.card.mount(&stripe_js, &begun.publishable_key, &secret).await;
        });
    });
    Effect::new(move |_| match returned {
        Returned::Not => {}
        Returned::Failed => purchase.card.error.set(Some(NOT_APPROVED.into())),
        Returned::Succeeded => spawn_local(purchase.wait_for_access()),
    });
    let begun = checkout.clone();
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| {
        let begun = begun.clone();
        UsageStream::open(|_| {}, move |subscription| purchase.update(&begun, subscription), |_| {})
    });
    move || match purchase.bought.get() {
        Some(subscription) => view! { <Bought subscription/> }.into_any(),
        None => view! { <Pay checkout=checkout.clone() purchase attempt/> }.into_any(),
    }
}

#[component]
fn Pay(checkout: Checkout, purchase: Purchase, attempt: RwSignal<u32>) -> impl IntoView {
    let intent = checkout.intent.unwrap_or(Intent::Payment);
    let Subscription { id, mut plan, current_period_end, .. } = checkout.subscription;
    let (title, text, label, give_up) = match intent {
        Intent::Payment => {
            // What is paid now is no trial any more.
            plan.trial_days = 0;
            (
                format!("Subscribe to {}", plan.name),
                "The subscription starts as soon as the payment is through.".to_owned(),
                format!("Pay {}", plan.price),
                "Choose another plan",
            )
        }
        Intent::Setup => (
            format!("Your trial of {} has begun", plan.name),
            format!(
                "Free until {}. Save a card to go on after that; without one it ends by itself, and nothing is charged.",
                format::date(current_period_end)
            ),
            "Save card".to_owned(),
            "End the trial",
        ),
    };
    view! {
        <header class="heading">
            <div class="heading__text">
                <h1>{title}</h1>
                <p>{text}</p>
            </div>
        </header>
        <div class="checkout">
            <PlanCard plan>
                <Form to=Cancel::PATH>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <input type="hidden" name="at_period_end" value="false"/>
                    <input type="hidden" name="next" value="/subscribe"/>
                    <Submit label=give_up tone="plain"/>
                </Form>
            </PlanCard>
            <section class="panel card-form" aria-label="Payment">
                <h2>"Card"</h2>
                <CardForm
                    entry=purchase.card
                    label
                    on_press=Callback::new(move |()| spawn_local(purchase.pay(intent)))
                    on_retry=Callback::new(move |()| attempt.update(|n| *n += 1))
                />
            </section>
        </div>
    }
}

/// The end of a purchase, in place of the card form. The focus, which was on its button, goes to the result.
#[component]
fn Bought(subscription: Subscription) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            // Refused only for what isn't in the page.
            _ = heading.focus();
        }
    });
    let plan = subscription.plan;
    let end = format::date(subscription.current_period_end);
    let (title, text) = match subscription.status {
        Status::Trialing => (
            "Your card is saved",
            format!(
                "{} is free until {end}. From then on it is charged, {}.",
                plan.name,
                format::price(&plan)
            ),
        ),
        _ => (
            "You're subscribed",
            format!("Your group is on {}, {}. It renews on {end}.", plan.name, format::price(&plan)),
        ),
    };
    view! {
        <section class="bought">
            <StatusBadge status=subscription.status/>
            <h1 node_ref=heading tabindex="-1">{title}</h1>
            <p>{text}</p>
            <p class="bought__actions">
                <a class="button" data-tone="primary" href="/usage">"Go to usage"</a>
                <a class="button" data-tone="plain" href="/team">"Invite the team"</a>
            </p>
        </section>
    }
}
