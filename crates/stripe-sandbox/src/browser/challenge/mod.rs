//! The page on which a cardholder's bank would ask whether it is really them. Here, its visitor decides what the
//! bank answers.
//!
//! One page serves both ways Stripe has: in an overlay over the application (`use_stripe_sdk`), where it
//! tells the script around it that it has been answered, and by itself (`redirect_to_url`), from where it
//! leads back. It is a plain form, so it works without scripts as well.

mod page;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;
use url::Url;

use super::headers::{PageHeaders, challenge_policy};
use crate::engine::Sandbox;

/// Whether the page is embedded, and by which page. Handed from the page to its answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Embedding {
    /// `frame` inside the overlay; absent on a page of its own.
    view: Option<String>,
    /// The origin of the page around the overlay's frame. Read by the frame's script.
    parent: Option<String>,
    channel: Option<String>,
}

impl Embedding {
    fn in_frame(&self) -> bool {
        self.view.as_deref() == Some("frame")
    }
}

#[derive(Deserialize)]
pub(super) struct Shown {
    client_secret: String,
    #[serde(flatten)]
    embedding: Embedding,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    client_secret: String,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Approve,
    Fail,
}

/// `GET /3d_secure/{intent}?client_secret=…`
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    query: Result<Query<Shown>, QueryRejection>,
) -> Response {
    let Ok(Query(Shown { client_secret, embedding })) = query else {
        return not_found();
    };
    let Some(intent) = find(&sandbox, &id, &client_secret) else {
        return not_found();
    };
    if !waits_for_authentication(&intent) {
        return over(&embedding);
    }
    let card = intent["payment_method"].as_str().and_then(|id| sandbox.get("payment_methods", id));
    let policy = challenge_policy(return_url(&intent).as_ref());
    (PageHeaders(policy), page::question(&intent, card.as_ref(), &embedding)).into_response()
}

/// `POST /3d_secure/{intent}`, with `client_secret` and `outcome` (`approve` or `fail`) as a form.
pub(super) async fn answer(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Query(embedding): Query<Embedding>,
    form: Result<Form<Answer>, FormRejection>,
) -> Response {
    let Ok(Form(Answer { client_secret, outcome })) = form else {
        return (StatusCode::BAD_REQUEST, PageHeaders(challenge_policy(None)), page::not_understood())
            .into_response();
    };
    let Some(intent) = find(&sandbox, &id, &client_secret) else {
        return not_found();
    };
    if !waits_for_authentication(&intent) {
        return over(&embedding);
    }
    // Answering takes the address to return to off the intent.
    let back = return_url(&intent);
    if let Err(error) = sandbox.authenticate(&id, outcome == Outcome::Approve).await {
        tracing::info!(%error, intent = %id, "a 3D Secure answer came too late");
        return over(&embedding);
    }
    let Some(back) = back.filter(|_| !embedding.in_frame()) else {
        return over(&embedding);
    };
    let after = find(&sandbox, &id, &client_secret).unwrap_or(intent);
    Redirect::to(leading_back(back, &after).as_str()).into_response()
}

/// The intent, if the caller holds its secret. An intent that isn't there and a wrong secret look the same.
fn find(sandbox: &Sandbox, id: &str, client_secret: &str) -> Option<Value> {
    let kind = if id.starts_with("seti_") { "setup_intents" } else { "payment_intents" };
    let intent = sandbox.get(kind, id)?;
    let secret = intent["client_secret"].as_str()?;
    bool::from(secret.as_bytes().ct_eq(client_secret.as_bytes())).then_some(intent)
}

fn waits_for_authentication(intent: &Value) -> bool {
    intent["status"] == "requires_action"
}

/// Where the customer goes afterwards, when the challenge is a page of its own.
fn return_url(intent: &Value) -> Option<Url> {
    let url = Url::parse(intent["next_action"]["redirect_to_url"]["return_url"].as_str()?).ok()?;
    // These run or show what is in the address itself, instead of leading to an application.
    (!matches!(url.scheme(), "javascript" | "data" | "blob" | "file" | "about")).then_some(url)
}

/// The return address with what Stripe adds to it.
/// Source: <https://docs.stripe.com/payments/accept-a-payment#handle-redirect>
fn leading_back(mut back: Url, intent: &Value) -> Url {
    let kind = intent["object"].as_str().unwrap_or("payment_intent");
    let status = match intent["status"].as_str() {
        Some("succeeded" | "requires_capture" | "requires_confirmation") => "succeeded",
        Some("processing") => "pending",
        _ => "failed",
    };
    back.query_pairs_mut()
        .append_pair(kind, intent["id"].as_str().unwrap_or_default())
        .append_pair(&format!("{kind}_client_secret"), intent["client_secret"].as_str().unwrap_or_default())
        .append_pair("redirect_status", status);
    back
}

fn over(embedding: &Embedding) -> Response {
    (PageHeaders(challenge_policy(None)), page::answered(embedding)).into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, PageHeaders(challenge_policy(None)), page::unknown()).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn intent(return_url: &str) -> Value {
        json!({
            "id": "pi_1", "object": "payment_intent", "client_secret": "pi_1_secret_2", "status": "succeeded",
            "next_action": { "type": "redirect_to_url", "redirect_to_url": { "return_url": return_url } },
        })
    }

    #[test]
    fn the_customer_returns_with_the_intent_and_what_came_of_it() {
        let mut intent = intent("https://app.test/done?order=7#top");
        let back = return_url(&intent).unwrap();
        assert_eq!(
            leading_back(back.clone(), &intent).as_str(),
            "https://app.test/done?order=7&payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2\
             &redirect_status=succeeded#top"
        );
        intent["status"] = json!("requires_payment_method");
        assert!(leading_back(back, &intent).as_str().contains("redirect_status=failed"));
    }

    #[test]
    fn a_script_is_no_place_to_return_to() {
        for url in ["javascript:alert(1)", "data:text/html,x", "not a url", ""] {
            assert_eq!(return_url(&intent(url)), None, "{url}");
        }
        assert!(return_url(&intent("myapp://done")).is_some());
    }
}
