//! Paying: Stripe's own card element, the button, and what comes of it.
//!
//! Card data goes from Stripe's frame to Stripe; this page never sees it. After Stripe says yes, the server is
//! asked until it has heard so too: only then is the group subscribed.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::params::ParamsMap;

use super::notice::FormError;
use crate::domain::{Checkout, Intent, Status, Subscription};
use crate::web::server_fns::subscription::refresh;
use crate::web_browser::{self, Card};

/// How often and how long the server is asked, in milliseconds between and times.
const ASK_EVERY: i32 = 700;
const ASK_TIMES: u32 = 40;

/// What the bank's page came back with, where the whole browser was sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    Not,
    Succeeded,
    Failed,
}

impl Returned {
    /// Source: <https://docs.stripe.com/payments/accept-a-payment?ui=elements#web-submit-payment>.
    pub fn from_query(query: &ParamsMap) -> Self {
        match query.get_str("redirect_status") {
            None => Self::Not,
            Some("failed") => Self::Failed,
            Some(_) => Self::Succeeded,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Loading,
    Ready,
    /// Stripe.js or its frame didn't come.
    Missing,
}

#[component]
pub fn CardForm(
    checkout: Checkout,
    stripe_js: String,
    returned: Returned,
    /// Where the subscription goes once it gives access.
    bought: RwSignal<Option<Subscription>>,
) -> impl IntoView {
    let intent = checkout.intent.unwrap_or(Intent::Payment);
    let label = match intent {
        Intent::Payment => format!("Pay {}", checkout.subscription.plan.money()),
        Intent::Setup => "Save card and start".to_owned(),
    };
    let stage = RwSignal::new(Stage::Loading);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let attempt = RwSignal::new(0);
    let card = StoredValue::new_local(None::<Card>);

    Effect::new(move |_| {
        attempt.track();
        stage.set(Stage::Loading);
        let (js, checkout) = (stripe_js.clone(), checkout.clone());
        spawn_local(async move {
            let secret = checkout.client_secret.unwrap_or_default();
            match Card::mount(&js, &checkout.publishable_key, &secret, "payment-element").await {
                Ok(mounted) => {
                    // The page may have been left meanwhile, and its values with it.
                    card.try_set_value(Some(mounted));
                    _ = stage.try_set(Stage::Ready);
                }
                Err(_) => _ = stage.try_set(Stage::Missing),
            }
        });
    });

    let settle = move || async move {
        match ask_until_access().await {
            Some(subscription) => _ = bought.try_set(Some(subscription)),
            None => {
                let slow = "The payment went through, but hasn't reached us yet. Reload the page in a moment.";
                _ = error.try_set(Some(slow.into()));
                _ = busy.try_set(false);
            }
        }
    };
    Effect::new(move |_| match returned {
        Returned::Not => {}
        Returned::Failed => error.set(Some("The bank didn't approve the payment. Try again or use another card.".into())),
        Returned::Succeeded => {
            busy.set(true);
            spawn_local(settle());
        }
    });
    let pay = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let Some(form) = card.try_get_value().flatten() else { return };
            match form.confirm(intent).await {
                Ok(()) => settle().await,
                Err(message) => {
                    _ = error.try_set(Some(message));
                    _ = busy.try_set(false);
                }
            }
        });
    };
    let waiting = move || stage.get() == Stage::Loading;
    view! {
        <section class="panel card-form" aria-label="Payment">
            <h2>"Card"</h2>
            <noscript><p class="card-form__note">"Entering a card needs JavaScript, which Stripe's form is made of."</p></noscript>
            <div class="card-form__frame" aria-busy=move || waiting().then_some("true")>
                <div id="payment-element"></div>
                {move || waiting().then(|| view! { <CardSkeleton/> })}
            </div>
            {move || (stage.get() == Stage::Missing).then(|| view! {
                <div class="notice" data-level="limit" role="alert">
                    <div class="notice__text">
                        "Stripe's card form could not be loaded. Check the connection, and whether something blocks it. "
                        <button class="button" data-tone="plain" type="button" on:click=move |_| attempt.update(|n| *n += 1)>
                            "Try again"
                        </button>
                    </div>
                </div>
            })}
            <FormError message=error/>
            <button
                class="button button--wide"
                data-tone="primary"
                type="button"
                on:click=pay
                disabled=move || busy.get() || stage.get() != Stage::Ready
                aria-busy=move || busy.get().then_some("true")
            >
                {label}
            </button>
            <p class="card-form__note">"The card goes straight to Stripe. We never see its number."</p>
        </section>
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

/// The subscription once it gives access, as far as we can wait.
async fn ask_until_access() -> Option<Subscription> {
    for _ in 0..ASK_TIMES {
        if let Ok(Some(subscription)) = refresh().await
            && matches!(subscription.status, Status::Active | Status::Trialing)
        {
            return Some(subscription);
        }
        web_browser::pause(ASK_EVERY).await;
    }
    None
}
