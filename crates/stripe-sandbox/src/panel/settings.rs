//! What is chosen in the Dashboard at Stripe, for which there is no API.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{notice, page};
use crate::billing::settings::AfterLastRetry;
use crate::engine::Sandbox;

pub(super) const ADDRESS: &str = "/panel/settings";

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    after_last_retry: AfterLastRetry,
}

/// As Stripe's Dashboard has it.
fn in_words(choice: AfterLastRetry) -> &'static str {
    match choice {
        AfterLastRetry::Cancel => "cancel the subscription",
        AfterLastRetry::MarkUnpaid => "mark the subscription as unpaid",
        AfterLastRetry::LeavePastDue => "leave the subscription past due",
    }
}

/// `GET /panel/settings`
pub(super) async fn show(State(sandbox): State<Sandbox>) -> Markup {
    let chosen = sandbox.read(AfterLastRetry::of);
    let body = html! {
        header.top {
            h1 { "Settings" }
            p { "What an account chooses in Stripe’s Dashboard. It holds for all subscriptions, from now on." }
        }
        section {
            header.row { h2 { "Failed payments" } }
            form.advance method="post" action=(ADDRESS) {
                label for="after_last_retry" { "If all retries fail" }
                select id="after_last_retry" name="after_last_retry" {
                    @for choice in AfterLastRetry::ALL {
                        option value=(choice.as_str()) selected[choice == chosen] { (in_words(choice)) }
                    }
                }
                button { "Save" }
            }
        }
    };
    page("Settings", ADDRESS, &body)
}

/// `POST /panel/settings`
pub(super) async fn save(State(sandbox): State<Sandbox>, Form(asked): Form<Asked>) -> Response {
    if sandbox.choose(asked.after_last_retry).await.is_err() {
        let text = "The sandbox’s database could not be written, so nothing was saved. Its log says why.";
        return (StatusCode::INTERNAL_SERVER_ERROR, notice("Not saved", text)).into_response();
    }
    Redirect::to(ADDRESS).into_response()
}
