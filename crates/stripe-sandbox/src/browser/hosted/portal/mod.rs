//! The customer portal: the customer's subscriptions, cards, details and invoices.

mod cards;
mod details;
mod home;
mod subscriptions;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::card::refused;
use super::find_by_token;
use super::layout::{Page, back, notice};
use crate::engine::{ApiError, Kind, Sandbox, Tx};

const KIND: Kind = Kind::PortalSession;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/", get(home::show))
        .route("/done", get(home::done))
        .route("/subscriptions/{id}/cancel", get(subscriptions::ask).post(subscriptions::cancel))
        .route("/subscriptions/{id}/renew", post(subscriptions::renew))
        .route("/subscriptions/{id}/update", get(subscriptions::choose).post(subscriptions::update))
        .route("/payment-methods", get(cards::show).post(cards::add))
        .route("/payment-methods/{id}/default", post(cards::make_default))
        .route("/payment-methods/{id}/delete", post(cards::remove))
        .route("/customer", get(details::show).post(details::update))
        .route("/customer/tax-ids/{id}/delete", post(details::remove_tax_id))
}

/// A portal that is open to a customer.
struct Portal {
    session: Value,
    /// What its customer may do.
    features: Value,
    /// How the business introduces itself.
    business: Value,
    customer: Value,
    /// Its own address, without the origin.
    path: String,
    /// What its customer was sent to do, and hasn't done yet.
    flow: Option<Value>,
}

impl Portal {
    /// The portal behind a token.
    ///
    /// # Errors
    /// The page to show instead.
    fn open(sandbox: &Sandbox, token: &str) -> Result<Self, Response> {
        let found = sandbox.read(|tx| {
            let doc = find_by_token(tx, KIND, "url", token)?;
            let session = doc.object.clone();
            let configuration =
                tx.view(Kind::PortalConfiguration, session["configuration"].as_str().unwrap_or_default())?;
            let customer =
                tx.find(Kind::Customer, session["customer"].as_str().unwrap_or_default(), "id").ok()?;
            let expired = doc.hidden["expires_at"].as_i64().is_some_and(|at| at <= tx.wall());
            let portal = Self {
                features: configuration["features"].clone(),
                business: configuration["business_profile"].clone(),
                customer: customer.object.clone(),
                path: format!("/p/session/{token}"),
                flow: (!session["flow"].is_null() && doc.hidden["flow_done"] != true)
                    .then(|| session["flow"].clone()),
                session,
            };
            Some((portal, expired))
        });
        match found {
            Some((portal, false)) => Ok(portal),
            Some((_, true)) => {
                let text = "This link was good for an hour. Go back to the shop and open the portal again.";
                Err(notice(StatusCode::GONE, "This link has expired", text))
            }
            None => {
                let text = "There is no such portal. It may be from before the sandbox was restarted.";
                Err(notice(StatusCode::NOT_FOUND, "Not found", text))
            }
        }
    }

    /// The portal behind a token, for what its configuration has to let customers do.
    ///
    /// # Errors
    /// As [`Portal::open`].
    fn open_for(sandbox: &Sandbox, token: &str, feature: &str) -> Result<Self, Response> {
        let portal = Self::open(sandbox, token)?;
        if portal.may(feature) {
            return Ok(portal);
        }
        let text = "The portal’s configuration doesn’t let customers do this.";
        Err(notice(StatusCode::FORBIDDEN, "Not available", text))
    }

    fn customer_id(&self) -> &str {
        self.customer["id"].as_str().unwrap_or_default()
    }

    fn may(&self, feature: &str) -> bool {
        self.features[feature]["enabled"] == true
    }

    /// Its page of what it is in the middle of, if it is.
    fn flow_address(&self) -> Option<String> {
        let flow = self.flow.as_ref()?;
        let kind = flow["type"].as_str()?;
        let subscription = flow[kind]["subscription"].as_str().unwrap_or_default();
        Some(match kind {
            "payment_method_update" => format!("{}/payment-methods", self.path),
            "customer_update" => format!("{}/customer", self.path),
            "subscription_update" => format!("{}/subscriptions/{subscription}/update", self.path),
            _ => format!("{}/subscriptions/{subscription}/cancel", self.path),
        })
    }

    /// Where the customer goes after having done what the portal calls `feature`: back to the start, or, where that was
    /// what the session was for, as it was asked for.
    fn after(&self, tx: &mut Tx, feature: &str) -> String {
        let Some(flow) = self.flow.as_ref().filter(|flow| flow["type"] == feature) else {
            return self.path.clone();
        };
        let id = self.session["id"].as_str().unwrap_or_default();
        tx.change(KIND, id, |doc| doc.hidden["flow_done"] = json!(true));
        let after = &flow["after_completion"];
        match after["type"].as_str() {
            Some("redirect") => after["redirect"]["return_url"].as_str().unwrap_or(&self.path).to_owned(),
            Some("hosted_confirmation") => format!("{}/done", self.path),
            _ => self.path.clone(),
        }
    }

    /// A page of the portal. `up` is for the pages below its first.
    fn page(&self, title: &str, card: bool, up: bool, body: &Markup) -> Response {
        let leads_to = self.session["flow"]["after_completion"]["redirect"]["return_url"].as_str();
        let home = up && self.flow.is_none();
        let markup = html! {
            header.portal-top {
                @if home {
                    p.back { a href=(self.path) { span aria-hidden="true" { "← " } "Back to the portal" } }
                } @else {
                    (back(self.session["return_url"].as_str(), "Return to the shop"))
                }
                @if !up && let Some(headline) = self.business["headline"].as_str() { p.headline { (headline) } }
            }
            (body)
            (self.legal())
        };
        Page { title, card, leads_to, shape: "wide" }.around(&markup)
    }

    fn legal(&self) -> Markup {
        let (terms, privacy) = (&self.business["terms_of_service_url"], &self.business["privacy_policy_url"]);
        html! {
            @if terms.is_string() || privacy.is_string() {
                footer.legal {
                    @if let Some(address) = terms.as_str() { a href=(address) { "Terms" } " " }
                    @if let Some(address) = privacy.as_str() { a href=(address) { "Privacy" } }
                }
            }
        }
    }
}

/// The answer to a form: where the customer goes, or why it wasn't done.
fn answer(outcome: Result<String, ApiError>) -> Response {
    match outcome {
        Ok(address) => Redirect::to(&address).into_response(),
        Err(error) => refused(&error),
    }
}
