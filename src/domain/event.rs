//! A usage event as a program reports it: tokens that were spent.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{FieldErrors, MAX_COUNT, PerType, Usage, UsageType, UserId, multiline_text};

/// The most events one request may report.
pub const MAX_BATCH: usize = 1_000;
/// How far back an event's own time may lie.
pub const MAX_AGE: Duration = Duration::days(35);
/// How far ahead of the server's clock an event's own time may lie.
pub const MAX_AHEAD: Duration = Duration::minutes(5);
/// The most one event's metadata may take, in bytes of JSON.
pub const MAX_METADATA: usize = 16 * 1024;

/// Tokens that were spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EventInput {
    /// The caller's own id, 1 to 255 characters, unique in the group: sending an event again changes nothing.
    pub id: String,
    pub usage_type: UsageType,
    /// 1 to 2^53-1.
    pub tokens_used: i64,
    /// The user who spent them. Left out, the caller; only an admin may name another user of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When they were spent: back to 35 days, at most 5 minutes ahead. Left out, the event counts in the
    /// current period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Anything else worth keeping, up to 16 KiB of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// Whether the count is an estimate that no provider confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// Disjoint classes of tokens, which add up to an event's `tokens_used`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Details {
    /// Text and images that were read, and not from a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub input: i64,
    /// What was read from a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cached_input: i64,
    /// What was answered, without its reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub output: i64,
    /// What was thought and not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_input: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_output: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &i64) -> bool {
    *count == 0
}

impl Details {
    /// Each class with its name.
    pub fn classes(&self) -> [(&'static str, i64); 6] {
        [
            ("input", self.input),
            ("cached_input", self.cached_input),
            ("output", self.output),
            ("reasoning", self.reasoning),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
        ]
    }

    fn check(&self, tokens_used: i64) -> Result<(), String> {
        let classes = self.classes();
        if let Some((name, _)) = classes.iter().find(|(_, count)| !(0..=MAX_COUNT).contains(count)) {
            return Err(format!("The class {name} must be 0 to {MAX_COUNT}."));
        }
        let sum: i64 = classes.iter().map(|(_, count)| count).sum();
        if sum == tokens_used {
            Ok(())
        } else {
            Err(format!("Details add up to {sum} and tokens_used is {tokens_used}."))
        }
    }
}

impl EventInput {
    /// Notes what is wrong with this event, each field named behind `prefix` (`events[3].`, or nothing).
    pub fn check(&self, prefix: &str, now: DateTime<Utc>, errors: &mut FieldErrors) {
        self.check_from(1, prefix, now, errors);
    }

    /// As [`EventInput::check`], of at least so many tokens: a hold may be settled with none.
    pub fn check_from(&self, least: i64, prefix: &str, now: DateTime<Utc>, errors: &mut FieldErrors) {
        let mut note = |field: &str, message: String| errors.add(format!("{prefix}{field}"), message);
        if self.id.trim() != self.id {
            note("id", "Id must not begin or end with a space.".into());
        } else if let Err(message) = multiline_text(&self.id, "Id", 1, 255) {
            note("id", message);
        }
        if !(least..=MAX_COUNT).contains(&self.tokens_used) {
            note("tokens_used", format!("Tokens used must be {least} to {MAX_COUNT}."));
        }
        if let Some(Err(message)) = self.model.as_deref().map(|model| multiline_text(model, "Model", 1, 255))
        {
            note("model", message);
        }
        if let Some(at) = self.created_at {
            if at > now + MAX_AHEAD {
                note("created_at", "The time lies more than 5 minutes ahead.".into());
            } else if at < now - MAX_AGE {
                note("created_at", "The time lies more than 35 days back.".into());
            }
        }
        if self.metadata.as_ref().is_some_and(|metadata| {
            serde_json::to_vec(metadata).map_or(true, |bytes| bytes.len() > MAX_METADATA)
        }) {
            note("metadata", "Metadata must take at most 16 KiB.".into());
        }
        if let Some(Err(message)) = self.details.map(|details| details.check(self.tokens_used)) {
            note("details", message);
        }
    }
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Recorded {
    /// Events counted by this request.
    pub accepted: u64,
    /// Events that had been counted before, and are not counted again.
    pub duplicates: u64,
    pub usage: Usage,
}

/// One billing period of a group as its history shows it: what was used, of what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodUsage {
    /// The plan's name.
    pub plan: String,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub resources: PerType<super::Resource>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> EventInput {
        EventInput {
            id: "call-1".into(),
            usage_type: UsageType::Llm,
            tokens_used: 12,
            user_id: None,
            model: None,
            created_at: None,
            metadata: None,
            details: None,
            estimated: false,
        }
    }

    fn wrong_fields(event: &EventInput) -> Vec<String> {
        let mut errors = FieldErrors::new();
        event.check("events[2].", DateTime::UNIX_EPOCH + Duration::days(100), &mut errors);
        errors.into_vec().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_sound_event_passes() {
        assert!(wrong_fields(&event()).is_empty());
        let details = Some(Details { cached_input: 5, reasoning: 7, ..Details::default() });
        assert!(wrong_fields(&EventInput { details, ..event() }).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let now = DateTime::UNIX_EPOCH + Duration::days(100);
        let cases = [
            (EventInput { id: String::new(), ..event() }, "events[2].id"),
            (EventInput { id: "x".repeat(256), ..event() }, "events[2].id"),
            (EventInput { tokens_used: 0, ..event() }, "events[2].tokens_used"),
            (EventInput { tokens_used: MAX_COUNT + 1, ..event() }, "events[2].tokens_used"),
            (EventInput { model: Some("m".repeat(256)), ..event() }, "events[2].model"),
            (EventInput { created_at: Some(now + Duration::minutes(6)), ..event() }, "events[2].created_at"),
            (EventInput { created_at: Some(now - Duration::days(36)), ..event() }, "events[2].created_at"),
            (
                EventInput { details: Some(Details { input: 11, ..Details::default() }), ..event() },
                "events[2].details",
            ),
            (
                EventInput {
                    details: Some(Details { input: 13, output: -1, ..Details::default() }),
                    ..event()
                },
                "events[2].details",
            ),
        ];
        for (event, field) in cases {
            assert_eq!(wrong_fields(&event), [field]);
        }
    }
}
