//! The group's usage and subscription as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt};
use serde::Serialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use crate::domain::{Caller, Refusal, Subscription, User};
use crate::error::{Error, Result};
use crate::http::auth::{Credential, GroupUser};
use crate::http::problem::ApiResult;
use crate::services::Services;

/// Between two readings at least, so that a busy group doesn't have its usage read a thousand times a second.
const MIN_GAP: Duration = Duration::from_millis(200);
/// Between two checks of whether the caller may still listen, where nothing changes.
const RECHECK: Duration = Duration::from_secs(15);
/// Before reading again when the database didn't answer.
const RETRY: Duration = Duration::from_secs(1);
/// Between two comments that keep the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follow the group's usage and subscription
///
/// Server-sent events: `usage` with the usage and `subscription` with the subscription or null, both at once and
/// again within a second of every change. A group that has no subscription is sent no `usage`; its first
/// `subscription` is null. Comments in between keep the connection open. The stream ends when the caller may no
/// longer listen: signed out, key revoked, removed from the group.
#[utoipa::path(get, path = "/api/subscriptions/subscriptions/usage/stream/", operation_id = "usage_stream",
    tag = "Usage",
    responses(
        (status = 200, description = "The stream. Each `usage` event's data is a usage, each `subscription` event's \
            a subscription or null.", body = String, content_type = "text/event-stream"),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
    ))]
async fn usage_stream(
    State(services): State<Services>,
    State(shutdown): State<CancellationToken>,
    GroupUser(user): GroupUser,
    credential: Credential,
) -> ApiResult<impl IntoResponse> {
    // Listening begins before the first reading, so that no change falls in between.
    let changes = services.metering.changes(&user).await?;
    let mut listener =
        Listener { services, credential, user, changes: Box::pin(changes), shutdown, sent: None };
    let first = listener.read().await?;
    let events = stream::iter(first).chain(listener.events()).map(Ok::<_, Infallible>);
    let headers = [
        (CACHE_CONTROL, "no-cache"),
        // nginx would hold events back to fill its buffer.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}

/// A caller who follows a group.
struct Listener {
    services: Services,
    credential: Credential,
    user: User,
    changes: Pin<Box<dyn Stream<Item = ()> + Send>>,
    shutdown: CancellationToken,
    /// The subscription, or none, as it was last sent; nothing before the first time.
    sent: Option<Option<Subscription>>,
}

impl Listener {
    /// The events after the first ones.
    fn events(self) -> impl Stream<Item = Event> {
        stream::unfold(self, |mut listener| async move {
            let events = listener.next().await?;
            Some((stream::iter(events), listener))
        })
        .flatten()
    }

    /// Waits for a change and reads what it changed. `None` where the stream ends.
    async fn next(&mut self) -> Option<Vec<Event>> {
        let shutdown = self.shutdown.clone();
        shutdown.run_until_cancelled(self.changed()).await.flatten()
    }

    async fn changed(&mut self) -> Option<Vec<Event>> {
        sleep(MIN_GAP).await;
        loop {
            let changed = tokio::select! {
                change = self.changes.next() => {
                    change?;
                    true
                }
                () = sleep(RECHECK) => false,
            };
            loop {
                match self.read_if_allowed(changed).await {
                    Ok(None) => return None,
                    Ok(Some(events)) if events.is_empty() => break,
                    Ok(Some(events)) => return Some(events),
                    Err(error) => {
                        tracing::warn!(%error, "a usage stream could not be read");
                        sleep(RETRY).await;
                    }
                }
            }
        }
    }

    /// What to send where something changed, nothing where it didn't; `None` where the caller may no longer listen.
    async fn read_if_allowed(&mut self, changed: bool) -> Result<Option<Vec<Event>>> {
        match self.credential.caller(&self.services.accounts).await? {
            Some(Caller { user, .. }) if user.id == self.user.id && user.group == self.user.group => {}
            _ => return Ok(None),
        }
        if !changed {
            return Ok(Some(Vec::new()));
        }
        match self.read().await {
            Ok(events) => Ok(Some(events)),
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The usage, where there is one, and the subscription, where it isn't what was sent last.
    async fn read(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::with_capacity(2);
        match self.services.metering.usage(&self.user).await {
            Ok(usage) => events.push(event("usage", &usage)?),
            Err(Error::Refused(Refusal::NoSubscription)) => {}
            Err(error) => return Err(error),
        }
        let subscription = self.services.billing.subscription(&self.user).await?;
        if self.sent.as_ref() != Some(&subscription) {
            events.push(event("subscription", &subscription)?);
            self.sent = Some(subscription);
        }
        Ok(events)
    }
}

fn event(name: &str, data: &impl Serialize) -> Result<Event> {
    let data = serde_json::to_string(data).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Event::default().event(name).data(data))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(usage_stream))
}
