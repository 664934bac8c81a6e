//! The customer's cards: which there are, adding one, choosing the one that is charged.

use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::card::{self, CardForm, Outcome};
use super::super::change;
use super::{Portal, answer};
use crate::billing::paying;
use crate::cards::brand_name;
use crate::engine::objects::{Customer, Intent, IntentStatus, Subscription, owner};
use crate::engine::{ApiError, Kind, Sandbox, Tx};
use crate::payments::{ConfirmOptions, methods, setup};

const FEATURE: &str = "payment_method_update";
const KIND: Kind = Kind::PaymentMethod;

/// The cards that are kept with the customer.
pub(super) fn section(sandbox: &Sandbox, portal: &Portal) -> Markup {
    let cards: Vec<Value> = sandbox.read(|tx| {
        let mine = tx.all(KIND).filter(|doc| owner(&doc.object) == Some(portal.customer_id()));
        mine.map(|doc| doc.object.clone()).collect()
    });
    let default = Customer(&portal.customer).default_payment_method();
    let may = portal.may(FEATURE);
    html! {
        section {
            h2 { "Payment methods" }
            @if cards.is_empty() { p.muted { "No card is saved." } }
            @else {
                ul.rows {
                    @for method in &cards {
                        @let id = method["id"].as_str().unwrap_or_default();
                        @let name = name(method);
                        li {
                            span.grow { (name) " " span.muted { "expires " (expiry(method)) } }
                            @if default == Some(id) { span.badge { "Default" } }
                            @else if may {
                                form method="post" action={ (portal.path) "/payment-methods/" (id) "/default" } {
                                    button.small aria-label={ "Make " (name) " the default" } { "Make default" }
                                }
                            }
                            @if may {
                                form method="post" action={ (portal.path) "/payment-methods/" (id) "/delete" } {
                                    button.small aria-label={ "Remove " (name) } { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
            @if may { p { a.button href={ (portal.path) "/payment-methods" } { "Add payment method" } } }
        }
    }
}

fn name(method: &Value) -> String {
    let brand = brand_name(method["card"]["brand"].as_str().unwrap_or_default());
    format!("{brand} •••• {}", method["card"]["last4"].as_str().unwrap_or_default())
}

fn expiry(method: &Value) -> String {
    let (month, year) = (method["card"]["exp_month"].as_i64(), method["card"]["exp_year"].as_i64());
    format!("{:02}/{}", month.unwrap_or_default(), year.unwrap_or_default())
}

/// `GET …/payment-methods`
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let form = CardForm {
        action: &format!("{}/payment-methods", portal.path),
        mode: "setup",
        amount: 0,
        currency: Customer(&portal.customer).currency().unwrap_or("usd"),
        button: "Save card",
        fields: html! {},
    };
    let body = html! {
        h1 { "Add payment method" }
        section.card.stack {
            (form.markup())
            p.muted { "It becomes the card that your subscriptions are charged to." }
        }
    };
    portal.page("Add payment method", true, true, &body)
}

#[derive(Deserialize)]
pub(super) struct Submitted {
    payment_method: Option<String>,
}

/// `POST …/payment-methods`: with a payment method, or without one after its 3D Secure.
pub(super) async fn add(
    State(sandbox): State<Sandbox>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(Submitted { payment_method }): Form<Submitted>,
) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let outcome = change(&sandbox, portal.customer_id(), |tx| {
        let session = portal.session["id"].as_str().unwrap_or_default();
        let intent = match &payment_method {
            Some(method) => {
                let intent = set_up(tx, portal.customer_id(), method)?;
                tx.change(super::KIND, session, |doc| doc.hidden["setup_intent"] = json!(intent));
                intent
            }
            None => {
                let doc = tx.get(super::KIND, session);
                let intent = doc.and_then(|doc| doc.hidden["setup_intent"].as_str().map(str::to_owned));
                intent.ok_or_else(|| ApiError::required("payment_method"))?
            }
        };
        let doc = tx.find(Kind::SetupIntent, &intent, "id")?;
        let intent = Intent(&doc.object);
        match (intent.status(), intent.payment_method()) {
            (Some(IntentStatus::Succeeded), Some(method)) => {
                pay_with(tx, portal.customer_id(), method)?;
                Ok(Outcome::Done(portal.after(tx, FEATURE)))
            }
            (Some(IntentStatus::RequiresAction), _) => {
                Ok(Outcome::Challenge(intent.client_secret().to_owned()))
            }
            _ => Err(ApiError::invalid("The card could not be saved. Please try another one.")),
        }
    });
    card::answer(&headers, outcome.await)
}

fn set_up(tx: &mut Tx, customer: &str, method: &str) -> Result<String, ApiError> {
    let method = methods::resolve(tx, method, "payment_method")?;
    let new = setup::NewSetup {
        customer: Some(customer),
        payment_method: Some(&method),
        usage: "off_session",
        subscription: None,
    };
    let intent = setup::create(tx, &new, |_| {});
    let options = ConfirmOptions { use_stripe_sdk: true, ..ConfirmOptions::default() };
    paying::confirm(tx, Kind::SetupIntent, &intent, &options)?;
    Ok(intent)
}

/// Has the customer's invoices paid with a card from now on.
///
/// Subscriptions with a default of their own would go on being charged to that: they get the new one too, as Stripe's
/// documentation has it for the portal's `payment_method_update`.
fn pay_with(tx: &mut Tx, customer: &str, method: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, method, "payment_method")?;
    if owner(&doc.object) != Some(customer) {
        return Err(ApiError::missing(KIND, method, "payment_method"));
    }
    tx.update(Kind::Customer, customer, "customer.updated", |doc| {
        doc.object["invoice_settings"]["default_payment_method"] = json!(method);
    });
    let with_their_own: Vec<String> = tx
        .all(Kind::Subscription)
        .filter(|doc| {
            let subscription = Subscription(&doc.object);
            subscription.customer() == customer
                && !subscription.is_over()
                && subscription.default_payment_method().is_some()
        })
        .map(|doc| doc.id().to_owned())
        .collect();
    for id in with_their_own {
        tx.update(Kind::Subscription, &id, "customer.subscription.updated", |doc| {
            doc.object["default_payment_method"] = json!(method);
        });
    }
    Ok(())
}

/// `POST …/payment-methods/{id}/default`
pub(super) async fn make_default(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let outcome = change(&sandbox, portal.customer_id(), |tx| {
        pay_with(tx, portal.customer_id(), &id)?;
        Ok(portal.path.clone())
    });
    answer(outcome.await)
}

/// `POST …/payment-methods/{id}/delete`
pub(super) async fn remove(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let outcome = change(&sandbox, portal.customer_id(), |tx| {
        let doc = tx.find(KIND, &id, "id")?;
        if owner(&doc.object) != Some(portal.customer_id()) {
            return Err(ApiError::missing(KIND, &id, "id"));
        }
        methods::detach(tx, &id)?;
        Ok(portal.path.clone())
    });
    answer(outcome.await)
}
