//! Stripe's own card element with its button: what paying and changing the card have in common.
//!
//! Card data goes from Stripe's frame to Stripe; this page never sees it.

use leptos::prelude::*;

use crate::domain::{Level, Subscription};
use crate::web::client;
use crate::web::components::notice::Notice;
use crate::web::server_fns::subscription::refresh;

/// Between two questions to the server, in milliseconds, and how many there are.
const ASK_EVERY: i32 = 700;
const ASK_TIMES: u32 = 40;

/// The element that Stripe's form is mounted in.
const CARD_ELEMENT: &str = "payment-element";

pub const SLOW: &str = "The payment went through, but hasn't reached us yet. Reload the page in a moment.";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
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

/// How far the entry of a card is, and what is the matter with it.
#[derive(Clone, Copy)]
pub struct CardEntry {
    pub stage: RwSignal<Stage>,
    pub error: RwSignal<Option<String>>,
}

impl CardEntry {
    pub fn new(error: Option<String>) -> Self {
        Self { stage: RwSignal::new(Stage::Loading), error: RwSignal::new(error) }
    }

    pub fn fail(self, message: impl Into<String>) {
        self.error.set(Some(message.into()));
        self.stage.set(Stage::Ready);
    }

    /// Shows Stripe's form for what there is to confirm.
    pub async fn mount(self, stripe_js: &str, publishable_key: &str, client_secret: &str) {
        let mounted = client::mount_card(stripe_js, publishable_key, client_secret, CARD_ELEMENT).await;
        // A payment made on the bank's page may be waited for already.
        if self.stage.get_untracked() == Stage::Loading {
            self.stage.set(if mounted { Stage::Ready } else { Stage::Missing });
        }
    }
}

/// Asks the server until the subscription is there as it is wanted, for as long as that can reasonably take, or until there
/// is no need to any more.
pub async fn arrived(
    wanted: Callback<Subscription, bool>,
    needless: Callback<(), bool>,
) -> Option<Subscription> {
    for _ in 0..ASK_TIMES {
        if needless.run(()) {
            return None;
        }
        if let Ok(Some(subscription)) = refresh().await
            && wanted.run(subscription.clone())
        {
            return Some(subscription);
        }
        client::pause(ASK_EVERY).await;
    }
    None
}

/// What is wanted of a subscription once its payment went through.
pub fn is_paid() -> Callback<Subscription, bool> {
    Callback::new(|subscription: Subscription| subscription.status.is_paid())
}

/// Of a wait that nothing else ends.
pub fn needed() -> Callback<(), bool> {
    Callback::new(|()| false)
}

// Callbacks rather than closures: its code is downloaded once, however many islands use it.
#[component]
pub fn CardForm(
    entry: CardEntry,
    /// On the button.
    label: String,
    on_press: Callback<()>,
    /// Shows Stripe's form again, where it didn't come.
    on_retry: Callback<()>,
) -> impl IntoView {
    let CardEntry { stage, error } = entry;
    view! {
        <noscript><p class="card-form__note">"Entering a card needs JavaScript: Stripe's form is made of it."</p></noscript>
        <div class="card-form__frame">
            <div id=CARD_ELEMENT></div>
            {move || (stage.get() == Stage::Loading).then(|| view! { <CardSkeleton/> })}
        </div>
        {move || (stage.get() == Stage::Missing).then(|| view! {
            <Notice level=Level::Limit alert=true>
                <p>"Stripe's card form could not be loaded. Check the connection, and whether something blocks it."</p>
                <button class="button" data-tone="plain" type="button" on:click=move |_| on_retry.run(())>"Try again"</button>
            </Notice>
        })}
        {move || error.get().map(|message| view! { <Notice level=Level::Limit alert=true>{message}</Notice> })}
        <button
            class="button button--wide"
            data-tone="primary"
            type="button"
            on:click=move |_| on_press.run(())
            disabled=move || stage.get() != Stage::Ready
            aria-busy=move || stage.get().is_busy().then_some("true")
        >
            {label}
        </button>
        <p class="card-form__note">"The card goes straight to Stripe. We never see its number."</p>
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
