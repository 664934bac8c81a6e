//! Looking into the ledger: its events, and what they add up to.

use axum::Json as Answer;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use chrono::{DateTime, Datelike, Duration, SubsecRound, Utc};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::ApiState;
use super::page::{Cursor, Page, PageQuery, Query};
use crate::domain::{Breakdown, BreakdownBy, GroupId, KeyId, LedgerEvent, UsageType, UserId, multiline_text};
use crate::http::auth::CurrentUser;
use crate::http::problem::{ApiResult, Problem};
use crate::metering::{BreakdownQuery, Metering};
use crate::storage::{EventFilter, EventPosition};

/// The years whose times both databases compare alike.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9998;

/// A list of events' parameters, for the API's document: requests are read by [`EventsQuery`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct EventsParams {
    #[param(required = false)]
    usage_type: UsageType,
    /// Only this member's; a member may name itself alone.
    #[param(required = false)]
    user_id: Uuid,
    /// Only with this model; empty for those without one.
    #[param(required = false, max_length = 255)]
    model: String,
    /// Only those recorded with this key.
    #[param(required = false)]
    key_id: Uuid,
    /// Only from this time on.
    #[param(required = false)]
    from: DateTime<Utc>,
    /// Only before this time.
    #[param(required = false)]
    to: DateTime<Utc>,
    /// Whose ledger: required for a SuperAdmin, who belongs to no group.
    #[param(required = false)]
    group_id: Uuid,
    /// How many results at most, 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200, default = 50)]
    limit: u16,
    /// The page before's `next_cursor`.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]{12,1400}$")]
    cursor: String,
}

/// A breakdown's parameters, for the API's document: requests are read by [`BreakdownRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct BreakdownParams {
    /// What there is a row for each of; days where it is left out.
    #[param(required = false)]
    by: BreakdownBy,
    /// Only tokens of this kind.
    #[param(required = false)]
    usage_type: UsageType,
    /// The beginning of the window. Left out: that of the current period.
    #[param(required = false)]
    from: DateTime<Utc>,
    /// The end of the window, which isn't part of it. Left out: that of the current period.
    #[param(required = false)]
    to: DateTime<Utc>,
    /// The IANA name of the time zone that days are of.
    #[param(required = false, default = "UTC", example = "Europe/Berlin")]
    tz: String,
    /// Whose ledger: required for a SuperAdmin, who belongs to no group.
    #[param(required = false)]
    group_id: Uuid,
}

/// Which events to list.
#[derive(Debug)]
pub struct EventsQuery {
    group: Option<GroupId>,
    filter: EventFilter,
    page: PageQuery<EventPosition>,
}

/// What to break down.
#[derive(Debug)]
pub struct BreakdownRequest(BreakdownQuery);

const NO_ID: &str = "Must be an id.";
const NO_TYPE: &str = "Must be llm or voice.";

impl<S: Sync> FromRequestParts<S> for EventsQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let filter = EventFilter {
            usage_type: query.parse("usage_type", NO_TYPE),
            user_id: query.parse::<UserId>("user_id", NO_ID),
            model: query.read("model", model),
            key_id: query.parse::<KeyId>("key_id", NO_ID),
            from: query.read("from", time),
            to: query.read("to", time),
        };
        let group = query.parse("group_id", NO_ID);
        let page = query.page();
        query.end()?;
        Ok(Self { group, filter, page })
    }
}

impl<S: Sync> FromRequestParts<S> for BreakdownRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let by = query.read("by", str::parse).unwrap_or(BreakdownBy::Day);
        let asked = BreakdownQuery {
            usage_type: query.parse("usage_type", NO_TYPE),
            from: query.read("from", time),
            to: query.read("to", time),
            tz: query.take("tz").map_or_else(|| "UTC".to_owned(), |tz| tz.into_owned()),
            group: query.parse("group_id", NO_ID),
            ..BreakdownQuery::current(by)
        };
        query.end()?;
        Ok(Self(asked))
    }
}

/// A model as it was recorded, spaces at its ends included.
fn model(text: &str) -> Result<String, String> {
    multiline_text(text, "Model", 0, 255).map(|_| text.to_owned())
}

/// A time, rounded up to the microsecond that times are kept in: what is kept lies on the same side of both.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    // A `+` that wasn't escaped arrives as a space.
    let parsed = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
    let at = parsed.map_err(|_| "Must be a time as in RFC 3339, such as 2026-11-24T00:00:00Z.")?.to_utc();
    if !YEARS.contains(&at.year()) {
        return Err(format!("Must be in the years {} to {}.", YEARS.start(), YEARS.end()));
    }
    let kept = at.trunc_subsecs(6);
    Ok(if kept < at { kept + Duration::microseconds(1) } else { kept })
}

impl Cursor for EventPosition {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.occurred_at.timestamp_micros().to_be_bytes(), self.id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (micros, id) = bytes.split_first_chunk::<8>()?;
        let occurred_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
        let id = std::str::from_utf8(id).ok().filter(|id| !id.contains('\0'))?.to_owned();
        YEARS.contains(&occurred_at.year()).then_some(Self { occurred_at, id })
    }
}

/// List the ledger's events
///
/// Newest first. A member sees its own events, an admin all of its group's, a SuperAdmin any group's.
#[utoipa::path(get, path = "/api/subscriptions/usage/events/", operation_id = "list_usage_events", tag = "Usage",
    params(EventsParams),
    responses(
        (status = 200, description = "The events.", body = Page<LedgerEvent>),
        (status = 403, description = "`forbidden`: a member asks for another's events."),
        (status = 404, description = "`not_found`: there is no such group, or it is another's."),
    ))]
async fn list_usage_events(
    State(metering): State<Metering>,
    CurrentUser(user): CurrentUser,
    EventsQuery { group, filter, page }: EventsQuery,
) -> ApiResult<Answer<Page<LedgerEvent>>> {
    let events = metering.events(&user, group, filter, page.request()).await?;
    Ok(Answer(Page::of(events, EventPosition::of)))
}

/// Break the usage down by day, member, model or key
///
/// Without `from` and `to`: the current period, whose total is exactly what `usage/` says. The rows of every breakdown
/// of the same window add up to the same total. It costs the same however many events there are.
///
/// A member sees the group's total, days and models. Of members and keys it sees its own; the rest stands in one row
/// with the key `others`.
#[utoipa::path(get, path = "/api/subscriptions/usage/breakdown/", operation_id = "usage_breakdown", tag = "Usage",
    params(BreakdownParams),
    responses(
        (status = 200, description = "The sums.", body = Breakdown),
        (status = 404, description = "`no_subscription`: the window is left to the current period, and the group has \
            none. `not_found`: there is no such group, or it is another's."),
    ))]
async fn usage_breakdown(
    State(metering): State<Metering>,
    CurrentUser(user): CurrentUser,
    BreakdownRequest(query): BreakdownRequest,
) -> ApiResult<Answer<Breakdown>> {
    Ok(Answer(metering.breakdown(&user, query).await?))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list_usage_events)).routes(routes!(usage_breakdown))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn events(query: &str) -> Result<EventsQuery, Problem> {
        let mut parts = Request::get(format!("/?{query}")).body(()).unwrap().into_parts().0;
        EventsQuery::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        for (query, field) in [
            ("usage_type=sms", "usage_type"),
            ("user_id=me", "user_id"),
            ("key_id=", "key_id"),
            ("group_id=1", "group_id"),
            ("model=a%00b", "model"),
            ("from=yesterday", "from"),
            ("from=2026-11-24", "from"),
            ("to=1969-12-31T23:59:59Z", "to"),
            ("to=9999-12-31T23:59:59-23:00", "to"),
            ("cursor=AAAA", "cursor"),
            ("from=2026-11-24T00:00:00Z&from=2026-11-24T00:00:00Z", "from"),
            ("since=2026-11-24T00:00:00Z", "since"),
        ] {
            let problem = events(query).await.unwrap_err();
            let named = problem.errors()[0].field.as_str();
            assert_eq!((problem.status().as_u16(), named), (422, field), "{query}");
        }
    }

    #[tokio::test]
    async fn a_time_is_read_in_any_zone_and_to_the_microsecond() {
        let from = async |text: &str| events(&format!("from={text}")).await.unwrap().filter.from.unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(from("2026-11-24T01:00:00%2B01:00").await, at("2026-11-24T00:00:00Z"));
        assert_eq!(from("2026-11-24T01:00:00+01:00").await, at("2026-11-24T00:00:00Z"));
        assert_eq!(from("2026-11-24T00:00:00.0000001Z").await, at("2026-11-24T00:00:00.000001Z"));
    }

    #[test]
    fn an_event_s_position_survives_its_cursor() {
        let position = EventPosition { occurred_at: DateTime::UNIX_EPOCH, id: "hold:é".into() };
        assert_eq!(EventPosition::from_bytes(&position.to_bytes()), Some(position));
        for bytes in [&b"usd"[..], &[0xff; 20], &[0, 0, 0, 0, 0, 0, 0, 0, 0], &i64::MAX.to_be_bytes()] {
            assert_eq!(EventPosition::from_bytes(bytes), None);
        }
    }
}
