//! What the subscription is paid with, and changing it in place.
//!
//! Stripe keeps the card that is entered; the server then has the subscription be paid by it, and pays with it what is
//! due. Where the bank asks about that payment too, it does so before this is done.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::card_form::{CardEntry, CardForm, SLOW, Stage, until_paid};
use crate::domain::{Intent, Level, PaymentMethod, SubscriptionId};
use crate::web::client;
use crate::web::components::badge::Badge;
use crate::web::components::icon::{Icon, Shape};
use crate::web::components::notice::Notice;
use crate::web::format;
use crate::web::server_fns::billing::{begin_card, finish_card};

const CHANGED: &str = "The card was changed. It is charged from now on.";
const PAID: &str = "The payment went through, and the card was changed.";

/// A change of the card, as far as it is.
#[derive(Clone, Copy)]
struct Change {
    subscription: SubscriptionId,
    stripe_js: StoredValue<String>,
    card: CardEntry,
    /// Whether the card form is open.
    open: RwSignal<bool>,
    /// The setup intent that the form confirms.
    intent: StoredValue<String>,
    method: RwSignal<Option<PaymentMethod>>,
    /// What was achieved.
    done: RwSignal<Option<&'static str>>,
}

impl Change {
    /// Shows Stripe's form for another card.
    async fn begin(self) {
        self.card.stage.set(Stage::Loading);
        match begin_card(self.subscription).await {
            Ok(checkout) => {
                let secret = checkout.client_secret.as_deref().unwrap_or_default();
                // A client secret is the intent's id, `_secret_`, and the secret.
                let intent = secret.split("_secret_").next().unwrap_or_default();
                self.intent.set_value(intent.to_owned());
                self.card.mount(&checkout, &self.stripe_js.get_value()).await;
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
        let intent = self.intent.get_value();
        match finish_card(self.subscription, intent).await {
            Ok(taken) => {
                self.method.set(taken.method);
                match taken.client_secret {
                    Some(secret) => self.answer_bank(&taken.publishable_key, &secret).await,
                    None if taken.paid => self.close(PAID),
                    None => self.close(CHANGED),
                }
            }
            // The form has done its work at Stripe: another card takes another.
            Err(error) => {
                self.card.error.set(Some(error.to_string()));
                self.begin().await;
            }
        }
    }

    async fn answer_bank(self, publishable_key: &str, secret: &str) {
        self.card.stage.set(Stage::Confirming);
        let asked = client::ask_bank(&self.stripe_js.get_value(), publishable_key, secret).await;
        if let Err(message) = asked {
            self.card.error.set(Some(message));
            return self.begin().await;
        }
        self.card.stage.set(Stage::Waiting);
        match until_paid(|| false).await {
            Some(_) => self.close(PAID),
            None => self.card.fail(SLOW),
        }
    }

    fn close(self, done: &'static str) {
        client::drop_card();
        self.open.set(false);
        self.done.set(Some(done));
    }

    fn open(self) {
        self.done.set(None);
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
    method: Option<PaymentMethod>,
    /// What is paid with a new card at once.
    due: Option<String>,
    /// Where Stripe.js is.
    stripe_js: String,
    /// The setup intent that the bank's page was about, where the whole browser was sent there and has come back.
    returned: Option<String>,
) -> impl IntoView {
    let change = Change {
        subscription,
        stripe_js: StoredValue::new(stripe_js),
        card: CardEntry::new(None),
        open: RwSignal::new(returned.is_some()),
        intent: StoredValue::new(returned.clone().unwrap_or_default()),
        method: RwSignal::new(method),
        done: RwSignal::new(None),
    };
    Effect::new(move |_| {
        if returned.is_some() {
            spawn_local(change.finish());
        }
    });
    let label = match due {
        Some(amount) => format!("Save card and pay {amount}"),
        None => "Save card".to_owned(),
    };
    view! {
        {move || change.method.with(|method| view! { <Method method=method.clone()/> })}
        {move || change.done.get().map(|text| view! { <Done text/> })}
        {move || if change.open.get() {
            view! {
                <div class="card-form">
                    <CardForm
                        entry=change.card
                        label=label.clone()
                        on_press=move || spawn_local(change.save())
                        on_retry=move || spawn_local(change.begin())
                    />
                    <button class="button" data-tone="plain" type="button" on:click=move |_| change.give_up()>
                        "Keep it as it is"
                    </button>
                </div>
            }
            .into_any()
        } else {
            let label = if change.method.with(Option::is_some) { "Change card" } else { "Add a card" };
            view! {
                <div class="actions">
                    <button class="button needs-script" data-tone="plain" type="button" on:click=move |_| change.open()>
                        {label}
                    </button>
                </div>
            }
            .into_any()
        }}
    }
}

#[component]
fn Method(method: Option<PaymentMethod>) -> impl IntoView {
    let Some(method) = method else {
        return view! { <p class="payer__method">"There is no card yet."</p> }.into_any();
    };
    let expiry = method.expiry.map(|expiry| {
        let badge = match expiry.level {
            Level::Ok => None,
            Level::Warning => Some(("warning", "Expires soon")),
            Level::Limit => Some(("limit", "Expired")),
        };
        view! {
            <span class="payer__expiry">{format!("Expires {:02}/{}", expiry.month, expiry.year)}</span>
            {badge.map(|(tone, label)| view! { <Badge tone label/> })}
        }
    });
    view! {
        <p class="payer__method">
            <Icon shape=Shape::Card/>
            <strong>{format::payment_method(&method)}</strong>
            {expiry}
        </p>
    }
    .into_any()
}

/// The focus, which was on the form's button, goes to what came of it.
#[component]
fn Done(text: &'static str) -> impl IntoView {
    let result = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(result) = result.get() {
            // Refused only for what isn't in the page.
            _ = result.focus();
        }
    });
    view! {
        <div node_ref=result tabindex="-1" role="status">
            <Notice level=Level::Ok>{text}</Notice>
        </div>
    }
}
