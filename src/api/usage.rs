//! How much is used, and recording what was used.

use axum::Json as Answer;
use axum::extract::{FromRef, FromRequest, Request, State};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::json;
use crate::domain::{EventInput, LimitCheck, MAX_BATCH, Recorded, Refusal, Usage};
use crate::http::auth::{GroupCaller, GroupUser};
use crate::http::body::{Budget, LARGE};
use crate::http::problem::{ApiResult, Problem};
use crate::metering::Metering;

/// One event or an array of 1 to 1,000.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "for the document: requests are read by `Reported`")]
pub enum Events {
    One(EventInput),
    Many(Vec<EventInput>),
}

/// The events of a report, in the order given.
struct Reported {
    events: Vec<EventInput>,
    single: bool,
    /// For as long as they are worked on.
    _budget: Option<Budget>,
}

impl FromRequest<ApiState> for Reported {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let budget = state.large_bodies.reserve(request.headers(), LARGE)?;
        let metering = Metering::from_ref(state);
        metering.must_have_room()?;
        let body = json::read_json(request, LARGE).await?;
        // It may have filled up meanwhile.
        metering.must_have_room()?;
        let reported = Self::parse(&body)?;
        Ok(Self { _budget: Some(budget), ..reported })
    }
}

impl Reported {
    /// The first character tells one event from many: trying both would hide which one was meant to be right.
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii_start().first() != Some(&b'[') {
            return Ok(Self { events: vec![json::parse(body, "")?], single: true, _budget: None });
        }
        let events: Vec<EventInput> = json::parse(body, "events")?;
        match events.len() {
            0 => Err(Refusal::field("events", "At least one event is needed.")),
            n if n > MAX_BATCH => {
                Err(Refusal::field("events", format!("At most {MAX_BATCH} events at once.")))
            }
            _ => Ok(Self { events, single: false, _budget: None }),
        }
    }

    /// Names a field as the request does: an event that came alone has no place in a list.
    fn rename(single: bool, field: &str) -> String {
        match field.strip_prefix("events[0].") {
            Some(field) if single => field.to_owned(),
            _ => field.to_owned(),
        }
    }
}

/// Read the group's usage
#[utoipa::path(get, path = "/api/subscriptions/subscriptions/usage/", operation_id = "usage", tag = "Usage",
    responses(
        (status = 200, description = "The current period's usage.", body = Usage),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`no_subscription`: the group has none."),
    ))]
async fn usage(State(metering): State<Metering>, GroupUser(user): GroupUser) -> ApiResult<Answer<Usage>> {
    Ok(Answer(metering.usage(&user).await?))
}

/// Check what may be spent, and what to warn of
#[utoipa::path(get, path = "/api/subscriptions/subscriptions/check_limits/", operation_id = "check_limits",
    tag = "Usage",
    responses(
        (status = 200, description = "What is allowed, and what to warn of.", body = LimitCheck),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`no_subscription`: the group has none."),
    ))]
async fn check_limits(
    State(metering): State<Metering>,
    GroupUser(user): GroupUser,
) -> ApiResult<Answer<LimitCheck>> {
    Ok(Answer(metering.check(&user).await?))
}

/// Record usage
///
/// An event's `id` is the caller's own: sending it again changes nothing, so repeat a request whose answer was
/// lost. A batch is all or nothing. 200 means that the events are on disk. Recording is never refused for
/// being over the limit.
#[utoipa::path(post, path = "/api/subscriptions/usage/events/", operation_id = "record_usage", tag = "Usage",
    request_body = Events,
    responses(
        (status = 200, description = "The events are recorded.", body = Recorded),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group, and only an admin may \
            record for another user."),
        (status = 404, description = "`no_subscription`: the group has none."),
        (status = 409, description = "`event_mismatch`: an event with this id was recorded with another body."),
    ))]
async fn record_usage(
    State(metering): State<Metering>,
    GroupCaller(caller): GroupCaller,
    Reported { events, single, _budget }: Reported,
) -> ApiResult<Answer<Recorded>> {
    let recorded = metering
        .record(caller, events)
        .await
        .map_err(|error| Problem::from(error).rename_fields(|field| Reported::rename(single, field)))?;
    Ok(Answer(recorded))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(usage)).routes(routes!(check_limits)).routes(routes!(record_usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: usize) -> String {
        format!(r#"{{"id": "e{id}", "usage_type": "llm", "tokens_used": 5}}"#)
    }

    fn wrong_field(body: &str) -> String {
        match Reported::parse(body.as_bytes()) {
            Err(Refusal::Invalid(errors)) => errors[0].field.clone(),
            _ => panic!("{body} should be invalid"),
        }
    }

    #[test]
    fn one_event_or_many() {
        assert!(Reported::parse(event(1).as_bytes()).is_ok_and(|r| r.single && r.events.len() == 1));
        let many = format!(" [{}, {}]", event(1), event(2));
        assert!(Reported::parse(many.as_bytes()).is_ok_and(|r| !r.single && r.events.len() == 2));
    }

    #[test]
    fn a_batch_has_1_to_1000() {
        let batch = |n| format!("[{}]", (0..n).map(event).collect::<Vec<_>>().join(","));
        assert!(Reported::parse(batch(1000).as_bytes()).is_ok());
        assert_eq!(wrong_field(&batch(1001)), "events");
        assert_eq!(wrong_field("[]"), "events");
    }

    #[test]
    fn a_fault_is_named_where_the_caller_put_it() {
        assert_eq!(wrong_field(r#"{"id": "e"}"#), "usage_type");
        assert_eq!(wrong_field(&format!("[{}, 7]", event(1))), "events[1]");
        assert_eq!(Reported::rename(true, "events[0].tokens_used"), "tokens_used");
        assert_eq!(Reported::rename(false, "events[0].tokens_used"), "events[0].tokens_used");
    }
}
