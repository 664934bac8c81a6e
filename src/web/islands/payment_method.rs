//! Changing what the subscription is paid with, in place.
//!
//! Stripe keeps the card that is entered; the server then has the subscription be paid by it, and pays with it what is
//! due. Where the bank asks about that payment too, it does so before this is done. What the page says of the card and
//! the subscription is the server's, and taken anew then.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::card_form::{CardEntry, CardForm, SLOW, Stage, arrived, is_paid, needed};
use crate::domain::{Intent, SubscriptionId};
use crate::web::client;
use crate::web::server_fns::billing::change_card;

const CHANGED: &str = "The card was changed. It is charged from now on.";
const PAID: &str = "The payment went through, and the card was changed.";

/// A change of the card, as far as it is.
#[derive(Clone, Copy)]
struct Change {
    subscription: SubscriptionId,
    /// Where Stripe.js is, and the key that it takes.
    stripe: StoredValue<(String, String)>,
    /// What the page takes anew when it is done, by ids; all of it where there are none.
    parts: StoredValue<String>,
    card: CardEntry,
    /// Whether the card form is open.
    open: RwSignal<bool>,
    /// The client secret of the setup intent that the form confirms.
    secret: StoredValue<String>,
    /// What was achieved; empty before.
    done: RwSignal<&'static str>,
    result: NodeRef<html::P>,
}

impl Change {
    /// Shows Stripe's form for another card.
    async fn begin(self) {
        self.card.stage.set(Stage::Loading);
        match change_card(self.subscription, String::new()).await {
            Ok((_, secret)) => {
                let secret = secret.unwrap_or_default();
                let (js, key) = self.stripe.get_value();
                self.secret.set_value(secret.clone());
                self.card.mount(&js, &key, &secret).await;
            }
            Err(error) => {
                self.card.error.set(Some(error.to_string()));
                self.card.stage.set(Stage::Missing);
            }
        }
    }

    async fn save(self) {
        self.card.stage.set(Stage::Confirming);
        self.card.error.set(None);
        match client::confirm_card(Intent::Setup).await {
            Ok(()) => self.finish().await,
            Err(message) => self.card.fail(message),
        }
    }

    /// Has the server take the card that Stripe keeps now.
    async fn finish(self) {
        self.card.stage.set(Stage::Waiting);
        let secret = self.secret.get_value();
        // A client secret is the intent's id, `_secret_`, and the secret.
        let intent = secret.split("_secret_").next().unwrap_or_default().to_owned();
        match change_card(self.subscription, intent).await {
            Ok((_, Some(payment))) => self.answer_bank(&payment).await,
            Ok((true, None)) => self.close(PAID).await,
            Ok((false, None)) => self.close(CHANGED).await,
            // The form has done its work at Stripe: another card takes another.
            Err(error) => self.begin_again(error.to_string()).await,
        }
    }

    async fn answer_bank(self, payment: &str) {
        self.card.stage.set(Stage::Confirming);
        let (js, key) = self.stripe.get_value();
        if let Err(message) = client::ask_bank(&js, &key, payment).await {
            return self.begin_again(message).await;
        }
        self.card.stage.set(Stage::Waiting);
        match arrived(is_paid(), needed()).await {
            Some(_) => self.close(PAID).await,
            None => self.card.fail(SLOW),
        }
    }

    async fn begin_again(self, why: String) {
        self.card.error.set(Some(why));
        self.begin().await;
    }

    async fn close(self, done: &'static str) {
        self.give_up();
        if self.parts.with_value(String::is_empty) {
            return client::reload();
        }
        self.done.set(done);
        // The focus, which was on the form's button, goes to what came of it, once that is drawn.
        client::pause(0).await;
        if let Some(result) = self.result.get_untracked() {
            // Refused only for what isn't in the page.
            _ = result.focus();
        }
        client::renew(&self.parts.get_value()).await;
    }

    fn open(self) {
        self.done.set("");
        self.card.error.set(None);
        self.open.set(true);
        spawn_local(self.begin());
    }

    fn give_up(self) {
        client::drop_card();
        self.open.set(false);
    }
}

#[island]
pub fn ChangePaymentMethod(
    subscription: SubscriptionId,
    /// On the button that begins.
    label: String,
    /// What the page takes anew when the card is changed, by ids set apart by spaces; all of it where there are none.
    parts: String,
    /// Where Stripe.js is.
    stripe_js: String,
    publishable_key: String,
    /// The setup intent that the bank's page was about, where the whole browser was sent there and has come back; else empty.
    returned: String,
) -> impl IntoView {
    let is_back = !returned.is_empty();
    let change = Change {
        subscription,
        stripe: StoredValue::new((stripe_js, publishable_key)),
        parts: StoredValue::new(parts),
        card: CardEntry::new(None),
        open: RwSignal::new(is_back),
        secret: StoredValue::new(returned),
        done: RwSignal::new(""),
        result: NodeRef::new(),
    };
    Effect::new(move |_| {
        if is_back {
            spawn_local(change.finish());
        }
    });
    view! {
        <p class="payer__done" role="status" tabindex="-1" node_ref=change.result>{move || change.done.get()}</p>
        <button
            class="button needs-script"
            data-tone="plain"
            type="button"
            hidden=move || change.open.get()
            on:click=move |_| change.open()
        >
            {label}
        </button>
        {move || change.open.get().then(|| view! {
            <div class="card-form">
                <CardForm
                    entry=change.card
                    label="Save card".to_owned()
                    on_press=Callback::new(move |()| spawn_local(change.save()))
                    on_retry=Callback::new(move |()| spawn_local(change.begin()))
                />
                <button class="button" data-tone="plain" type="button" on:click=move |_| change.give_up()>
                    "Keep it as it is"
                </button>
            </div>
        })}
    }
}
