//! A test clock's page: how far it is to be advanced.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Days, Months, TimeDelta, Utc};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::layout::notice;
use crate::billing::test_clocks::AdvanceError;
use crate::engine::Sandbox;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Hour,
    Day,
    Week,
    Month,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    by: Step,
}

impl Step {
    fn after(self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Hour => time.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => time.checked_add_days(Days::new(1)),
            Self::Week => time.checked_add_days(Days::new(7)),
            Self::Month => time.checked_add_months(Months::new(1)),
        }
    }
}

/// The form of a clock that stands.
pub(super) fn form(clock: &Value) -> Markup {
    html! {
        @if let Some(id) = clock["id"].as_str().filter(|_| clock["status"] == "ready") {
            form.advance method="post" action={ "/panel/test_clocks/" (id) "/advance" } {
                label for="by" { "Advance by" }
                select id="by" name="by" {
                    option value="hour" { "an hour" }
                    option value="day" { "a day" }
                    option value="week" { "a week" }
                    option value="month" selected { "a month" }
                }
                button { "Advance" }
            }
        }
    }
}

/// `POST /panel/test_clocks/{id}/advance`
pub(super) async fn advance(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Form(Asked { by }): Form<Asked>,
) -> Response {
    let stands = sandbox.get("test_clocks", &id).and_then(|clock| clock["frozen_time"].as_i64());
    let to = stands.and_then(|at| by.after(DateTime::from_timestamp(at, 0)?));
    let Some(to) = to else {
        let text = "There is no such clock. It may be from before the sandbox was restarted.";
        return (StatusCode::NOT_FOUND, notice("Not found", text)).into_response();
    };
    match sandbox.advance_clock(&id, to.timestamp()).await {
        Ok(()) => {
            // The page that follows shows what came of it.
            sandbox.catch_up().await;
            Redirect::to(&format!("/panel/test_clocks/{id}")).into_response()
        }
        Err(AdvanceError::Refused(why)) => {
            (StatusCode::BAD_REQUEST, notice("Not advanced", &why)).into_response()
        }
        Err(AdvanceError::Storage) => {
            let text =
                "The sandbox’s database could not be written, so nothing was advanced. Its log says why.";
            (StatusCode::INTERNAL_SERVER_ERROR, notice("Not advanced", text)).into_response()
        }
    }
}
