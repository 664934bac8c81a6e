//! The group's usage as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use crate::domain::{Refusal, Usage, User};
use crate::error::{Error, Result};
use crate::http::auth::{Credential, GroupUser};
use crate::http::problem::ApiResult;
use crate::services::Services;

/// Between two events at least, so that a busy group doesn't have its usage read a thousand times a second.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two looks at whether the caller may still listen, where nothing happens.
const RECHECK: Duration = Duration::from_secs(15);
/// Before reading again when the database didn't answer.
const RETRY: Duration = Duration::from_secs(1);

/// Follow the group's usage
///
/// Server-sent events: `usage` with the usage at once and within a second of every change, `no_subscription`
/// when the subscription has ended meanwhile. Comments in between keep the connection open. The stream ends
/// when whoever listens may no longer: signed out, key revoked, removed from the group.
#[utoipa::path(get, path = "/api/subscriptions/subscriptions/usage/stream/", operation_id = "usage_stream",
    tag = "Usage",
    responses(
        (status = 200, description = "The stream. Each `usage` event's data is a usage.", body = String,
            content_type = "text/event-stream"),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`no_subscription`: the group has none."),
    ))]
async fn usage_stream(
    State(services): State<Services>,
    State(shutdown): State<CancellationToken>,
    GroupUser(user): GroupUser,
    credential: Credential,
) -> ApiResult<impl IntoResponse> {
    // Listening begins before the first reading, so that no change falls in between.
    let changes = services.metering.changes(&user).await?;
    let first = services.metering.usage(&user).await?;
    let listener = Listener { services, credential, user, changes: Box::pin(changes), shutdown };
    let events = stream::iter([Ok(event("usage", Some(&first)))]).chain(listener.events());
    let headers = [
        (CACHE_CONTROL, "no-cache"),
        // nginx would hold events back to fill its buffer.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))))
}

fn event(name: &str, usage: Option<&Usage>) -> Event {
    let data = usage.and_then(|usage| serde_json::to_string(usage).ok());
    Event::default().event(name).data(data.as_deref().unwrap_or("{}"))
}

/// Somebody following a group's usage.
struct Listener {
    services: Services,
    credential: Credential,
    user: User,
    changes: Pin<Box<dyn Stream<Item = ()> + Send>>,
    shutdown: CancellationToken,
}

impl Listener {
    /// The events after the first.
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    /// Waits for a change and reads the usage. None when there is nothing more to say.
    async fn next(&mut self) -> Option<Event> {
        let shutdown = self.shutdown.clone();
        shutdown.run_until_cancelled(self.changed()).await.flatten()
    }

    async fn changed(&mut self) -> Option<Event> {
        sleep(PAUSE).await;
        loop {
            let changed = tokio::select! {
                change = self.changes.next() => {
                    change?;
                    true
                }
                () = sleep(RECHECK) => false,
            };
            loop {
                match self.look(changed).await {
                    Ok(Look::Over) => return None,
                    Ok(Look::Quiet) => break,
                    Ok(Look::Say(event)) => return Some(event),
                    Err(error) => {
                        tracing::warn!(%error, "a usage stream could not be read");
                        sleep(RETRY).await;
                    }
                }
            }
        }
    }

    /// Whether the caller may still listen and, where something changed, what to say.
    async fn look(&mut self, changed: bool) -> Result<Look> {
        match self.credential.user(&self.services.accounts).await? {
            Some(user) if user.id == self.user.id && user.group == self.user.group => {}
            _ => return Ok(Look::Over),
        }
        if !changed {
            return Ok(Look::Quiet);
        }
        match self.services.metering.usage(&self.user).await {
            Ok(usage) => Ok(Look::Say(event("usage", Some(&usage)))),
            Err(Error::Refused(Refusal::NoSubscription)) => Ok(Look::Say(event("no_subscription", None))),
            Err(Error::Refused(_)) => Ok(Look::Over),
            Err(error) => Err(error),
        }
    }
}

enum Look {
    Over,
    Quiet,
    Say(Event),
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(usage_stream))
}
