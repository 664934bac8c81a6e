//! Paying: Stripe's own card element, the button, and what comes of it.
//!
//! Card data goes from Stripe's frame to Stripe; this page never sees it. After Stripe says yes, the server is
//! asked until it has heard so too: only then is the group subscribed.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use crate::domain::{Checkout as Open, Intent, Level, Status, Subscription};
use crate::web::client;
use crate::web::components::badge::StatusBadge;
use crate::web::components::form::Form;
use crate::web::components::notice::Notice;
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::subscription::{Cancel, refresh};

/// How long between asking the server, in milliseconds, and how often.
const ASK_EVERY: i32 = 700;
const ASK_TIMES: u32 = 40;

const NOT_APPROVED: &str = "The bank didn't approve the payment. Try again or use another card.";
const SLOW: &str = "The payment went through, but hasn't reached us yet. Reload the page in a moment.";

/// What the bank's page came back with, where the whole browser was sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returned {
    Not,
    Succeeded,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Loading,
    Ready,
    /// Stripe.js or its frame didn't come.
    Missing,
    /// The bank or the server is being waited for.
    Busy,
}

/// What is the matter, and how far the purchase is.
#[derive(Clone, Copy)]
struct Purchase {
    stage: RwSignal<Stage>,
    error: RwSignal<Option<String>>,
    bought: RwSignal<Option<Subscription>>,
}

impl Purchase {
    fn fail(self, message: impl Into<String>) {
        self.error.set(Some(message.into()));
        self.stage.set(Stage::Ready);
    }

    async fn mount(self, checkout: Open, stripe_js: String) {
        let secret = checkout.client_secret.unwrap_or_default();
        let mounted =
            client::mount_card(&stripe_js, &checkout.publishable_key, &secret, "payment-element").await;
        // A payment made on the bank's page may be waited for already.
        if self.stage.get_untracked() == Stage::Loading {
            self.stage.set(if mounted { Stage::Ready } else { Stage::Missing });
        }
    }

    async fn pay(self, intent: Intent) {
        self.stage.set(Stage::Busy);
        self.error.set(None);
        match client::confirm_card(intent).await {
            Ok(()) => self.settle().await,
            Err(message) => self.fail(message),
        }
    }

    /// Waits until the subscription gives access, as far as one can.
    async fn settle(self) {
        self.stage.set(Stage::Busy);
        for _ in 0..ASK_TIMES {
            if let Ok(Some(subscription)) = refresh().await
                && matches!(subscription.status, Status::Active | Status::Trialing)
            {
                return self.bought.set(Some(subscription));
            }
            client::pause(ASK_EVERY).await;
        }
        self.fail(SLOW);
    }
}

#[island]
pub fn Checkout(
    checkout: Open,
    /// Where Stripe.js is.
    stripe_js: String,
    returned: Returned,
) -> impl IntoView {
    let purchase = Purchase {
        stage: RwSignal::new(Stage::Loading),
        error: RwSignal::new(None),
        bought: RwSignal::new(None),
    };
    let attempt = RwSignal::new(0);
    let card = checkout.clone();
    Effect::new(move |_| {
        attempt.track();
        purchase.stage.set(Stage::Loading);
        spawn_local(purchase.mount(card.clone(), stripe_js.clone()));
    });
    Effect::new(move |_| match returned {
        Returned::Not => {}
        Returned::Failed => purchase.error.set(Some(NOT_APPROVED.into())),
        Returned::Succeeded => spawn_local(purchase.settle()),
    });
    move || match purchase.bought.get() {
        Some(subscription) => view! { <Bought subscription/> }.into_any(),
        None => view! { <Pay checkout=checkout.clone() purchase attempt/> }.into_any(),
    }
}

#[component]
fn Pay(checkout: Open, purchase: Purchase, attempt: RwSignal<u32>) -> impl IntoView {
    let intent = checkout.intent.unwrap_or(Intent::Payment);
    let plan = checkout.subscription.plan;
    let (label, text) = match intent {
        Intent::Payment => {
            (format!("Pay {}", plan.price), "The subscription starts as soon as the payment is through.")
        }
        Intent::Setup => (
            "Save card and start".to_owned(),
            "Nothing is charged now: the card is kept for when the trial ends.",
        ),
    };
    let Purchase { stage, error, .. } = purchase;
    view! {
        <header class="heading">
            <div class="heading__text">
                <h1>{format!("Subscribe to {}", plan.name)}</h1>
                <p>{text}</p>
            </div>
        </header>
        <div class="checkout">
            <PlanCard plan>
                <Form to=Cancel::PATH>
                    <input type="hidden" name="id" value=checkout.subscription.id.to_string()/>
                    <input type="hidden" name="at_period_end" value="false"/>
                    <Submit label="Choose another plan" tone="plain"/>
                </Form>
            </PlanCard>
            <section class="panel card-form" aria-label="Payment">
                <h2>"Card"</h2>
                <noscript><p class="card-form__note">"Entering a card needs JavaScript: Stripe's form is made of it."</p></noscript>
                <div class="card-form__frame">
                    <div id="payment-element"></div>
                    {move || (stage.get() == Stage::Loading).then(|| view! { <CardSkeleton/> })}
                </div>
                {move || (stage.get() == Stage::Missing).then(|| view! {
                    <Notice level=Level::Limit alert=true>
                        <p>"Stripe's card form could not be loaded. Check the connection, and whether something blocks it."</p>
                        <button class="button" data-tone="plain" type="button" on:click=move |_| attempt.update(|n| *n += 1)>
                            "Try again"
                        </button>
                    </Notice>
                })}
                {move || error.get().map(|message| view! { <Notice level=Level::Limit alert=true>{message}</Notice> })}
                <button
                    class="button button--wide"
                    data-tone="primary"
                    type="button"
                    on:click=move |_| spawn_local(purchase.pay(intent))
                    disabled=move || stage.get() != Stage::Ready
                    aria-busy=move || (stage.get() == Stage::Busy).then_some("true")
                >
                    {label}
                </button>
                <p class="card-form__note">"The card goes straight to Stripe. We never see its number."</p>
            </section>
        </div>
    }
}

#[component]
fn CardSkeleton() -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <span class="unseen">"Loading the card form"</span>
            <i></i>
            <i></i>
            <i></i>
        </div>
    }
}

/// The end of a purchase, in place of the card form.
#[component]
fn Bought(subscription: Subscription) -> impl IntoView {
    let plan = subscription.plan;
    let renewal = format::date(subscription.current_period_end);
    let text = format!("Your group is on {}, {}. It renews on {renewal}.", plan.name, format::price(&plan));
    view! {
        <section class="bought" role="status">
            <StatusBadge status=subscription.status/>
            <h1>"You're subscribed"</h1>
            <p>{text}</p>
            <p class="bought__actions">
                <a class="button" data-tone="primary" href="/usage">"Go to usage"</a>
                <a class="button" data-tone="plain" href="/team">"Invite the team"</a>
            </p>
        </section>
    }
}
