//! Paying: Stripe's own card element, the button, and what comes of it.
//!
//! Card data goes from Stripe's frame to Stripe; this page never sees it. After Stripe has confirmed, the server is
//! asked until the subscription gives access there too: only then is the group subscribed. A purchase that is
//! finished or given up in another tab arrives by the stream.

use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use crate::domain::{Checkout, Intent, Level, Status, Subscription};
use crate::web::client::{self, UsageStream};
use crate::web::components::badge::StatusBadge;
use crate::web::components::form::Form;
use crate::web::components::notice::Notice;
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::subscription::{Cancel, refresh};

/// Between two questions to the server, in milliseconds, and how many there are.
const ASK_EVERY: i32 = 700;
const ASK_TIMES: u32 = 40;

/// The element that Stripe's form is mounted in.
const CARD_ELEMENT: &str = "payment-element";

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
    /// Stripe is being asked, and the bank perhaps, in a dialog over this page.
    Confirming,
    /// The server is being waited for.
    Waiting,
}

impl Stage {
    fn is_busy(self) -> bool {
        matches!(self, Self::Confirming | Self::Waiting)
    }
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

    async fn mount(self, checkout: Checkout, stripe_js: String) {
        let secret = checkout.client_secret.unwrap_or_default();
        let mounted = client::mount_card(&stripe_js, &checkout.publishable_key, &secret, CARD_ELEMENT).await;
        // A payment made on the bank's page may be waited for already.
        if self.stage.get_untracked() == Stage::Loading {
            self.stage.set(if mounted { Stage::Ready } else { Stage::Missing });
        }
    }

    async fn pay(self, intent: Intent) {
        self.stage.set(Stage::Confirming);
        self.error.set(None);
        match client::confirm_card(intent).await {
            Ok(()) => self.wait_for_access().await,
            // Paid in another tab meanwhile, it can't be paid here.
            Err(message) => match refresh().await {
                Ok(Some(subscription)) if intent == Intent::Payment && is_paid(&subscription) => {
                    self.finish(subscription)
                }
                _ => self.fail(message),
            },
        }
    }

    /// Asks the server until the subscription gives access, for as long as that can reasonably take.
    async fn wait_for_access(self) {
        self.stage.set(Stage::Waiting);
        for _ in 0..ASK_TIMES {
            // The stream may have been faster.
            if self.bought.with_untracked(Option::is_some) {
                return;
            }
            if let Ok(Some(subscription)) = refresh().await
                && is_paid(&subscription)
            {
                return self.finish(subscription);
            }
            client::pause(ASK_EVERY).await;
        }
        self.fail(SLOW);
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
        let confirming = self.stage.get_untracked() == Stage::Confirming;
        // A trial gives access before its card is there.
        let awaits_payment = checkout.intent == Some(Intent::Payment);
        if awaits_payment
            && !confirming
            && is_paid(&subscription)
            && self.bought.with_untracked(Option::is_none)
        {
            self.finish(subscription);
        }
    }
}

fn is_paid(subscription: &Subscription) -> bool {
    matches!(subscription.status, Status::Active | Status::Trialing)
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
    let purchase = Purchase {
        stage: RwSignal::new(Stage::Loading),
        error: RwSignal::new(refused),
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
    let Purchase { stage, error, .. } = purchase;
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
                    <Submit label=give_up tone="plain"/>
                </Form>
            </PlanCard>
            <section class="panel card-form" aria-label="Payment">
                <h2>"Card"</h2>
                <noscript><p class="card-form__note">"Entering a card needs JavaScript: Stripe's form is made of it."</p></noscript>
                <div class="card-form__frame">
                    <div id=CARD_ELEMENT></div>
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
                    aria-busy=move || stage.get().is_busy().then_some("true")
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
