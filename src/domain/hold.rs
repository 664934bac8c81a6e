//! Holds: tokens that are reserved before they are spent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Details, EventInput, FieldErrors, KeyId, MAX_COUNT, Plan, Usage, UsageType, UserId, multiline_text,
};

/// The longest id of a hold, in characters. An event that settles one is recorded under the id behind `hold:`.
pub const MAX_HOLD_ID: usize = 250;
/// How long a hold may stay open without being extended, in seconds.
pub const MAX_HOLD_SECONDS: i64 = 900;
/// How long a hold stays open where nothing else is said, in seconds.
pub const HOLD_SECONDS: i64 = 120;
/// The longest a request may wait for others' holds to settle, in seconds.
pub const MAX_WAIT_SECONDS: i64 = 30;

/// Tokens to reserve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldInput {
    /// The caller's own id, 1 to 250 characters, unique among the group's holds: asking again under the same id
    /// changes nothing. Left out, one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub usage_type: UsageType,
    /// 1 to 2^53-1.
    pub tokens: i64,
    /// Seconds after which the hold is freed by itself, 1 to 900; 120 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    /// Seconds to wait for others' holds to settle, where the tokens fit beside what is used but not beside what is
    /// held; 0 to 30, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<i64>,
}

impl HoldInput {
    /// Notes what is wrong with it.
    pub fn check(&self, errors: &mut FieldErrors) {
        if let Some(id) = &self.id {
            if id.trim() != id {
                errors.add("id", "Id must not begin or end with a space.");
            } else if let Err(message) = multiline_text(id, "Id", 1, MAX_HOLD_ID) {
                errors.add("id", message);
            }
        }
        check_tokens(self.tokens, errors);
        check_seconds("expires_in", self.expires_in, 1, MAX_HOLD_SECONDS, errors);
        check_seconds("wait", self.wait, 0, MAX_WAIT_SECONDS, errors);
    }
}

/// What a hold was spent on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// 0 to 2^53-1, and free to be more than was held. 0 records nothing.
    pub tokens_used: i64,
    /// Up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// Whether the count is an estimate that no provider confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// Anything else worth keeping, up to 16 KiB of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub metadata: Option<Map<String, Value>>,
}

impl Settlement {
    /// Nothing known of it but how many tokens.
    pub fn of(tokens_used: i64) -> Self {
        Self { tokens_used, model: None, details: None, estimated: false, metadata: None }
    }

    /// The event it records.
    pub fn event(self, hold: &str, usage_type: UsageType) -> EventInput {
        EventInput {
            id: format!("hold:{hold}"),
            usage_type,
            tokens_used: self.tokens_used,
            user_id: None,
            model: self.model,
            created_at: None,
            metadata: self.metadata,
            details: self.details,
            estimated: self.estimated,
        }
    }
}

/// A hold's new size, time or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// How many tokens the hold has from now on, in all: sending it twice is the same as once. Left out, as many as
    /// before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
    /// Seconds from now after which the hold is freed, 1 to 900; 120 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
}

impl Extension {
    /// Notes what is wrong with it.
    pub fn check(&self, errors: &mut FieldErrors) {
        if let Some(tokens) = self.tokens {
            check_tokens(tokens, errors);
        }
        check_seconds("expires_in", self.expires_in, 1, MAX_HOLD_SECONDS, errors);
    }
}

fn check_tokens(tokens: i64, errors: &mut FieldErrors) {
    if !(1..=MAX_COUNT).contains(&tokens) {
        errors.add("tokens", format!("Tokens must be 1 to {MAX_COUNT}."));
    }
}

fn check_seconds(field: &str, seconds: Option<i64>, least: i64, most: i64, errors: &mut FieldErrors) {
    if seconds.is_some_and(|seconds| !(least..=most).contains(&seconds)) {
        errors.add(field, format!("Must be {least} to {most} seconds."));
    }
}

/// A hold that was granted or extended, and the group's usage after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Hold {
    pub id: String,
    pub usage_type: UsageType,
    pub tokens: i64,
    /// When it is freed by itself.
    pub expires_at: DateTime<Utc>,
    pub usage: Usage,
}

/// A hold that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OpenHold {
    pub id: String,
    pub usage_type: UsageType,
    pub tokens: i64,
    /// Who holds them.
    pub user_id: UserId,
    /// The key they are held with; null for a session.
    pub key_id: Option<KeyId>,
    pub created_at: DateTime<Utc>,
    /// When it is freed by itself.
    pub expires_at: DateTime<Utc>,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum LimitScope {
    /// The plan's, of the whole group.
    Group,
    /// A member's cap.
    Member,
    /// A key's cap.
    Key,
}

/// The most that one member or one key may spend in a month; null for no cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// 0 to 2^53-1.
    #[serde(default)]
    pub llm: Option<i64>,
    /// 0 to 2^53-1.
    #[serde(default)]
    pub voice: Option<i64>,
}

impl Caps {
    /// Notes what is wrong with them.
    pub fn check(&self, errors: &mut FieldErrors) {
        for (field, cap) in [("llm", self.llm), ("voice", self.voice)] {
            if cap.is_some_and(|cap| !(0..=MAX_COUNT).contains(&cap)) {
                errors.add(field, format!("Must be 0 to {MAX_COUNT}, or null for no cap."));
            }
        }
    }
}

/// A hold that isn't granted: which limit stopped it, and what would help.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LimitReached {
    /// The first limit that the tokens don't fit into: the key's, the member's or the group's.
    pub limit: LimitScope,
    pub usage_type: UsageType,
    pub usage: Usage,
    /// The next plan up that gives more of it, where the group's limit stopped it and there is such a plan.
    pub suggested_plan: Option<Plan>,
    /// When usage starts anew.
    pub resets_at: DateTime<Utc>,
}

impl LimitScope {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Member => "member",
            Self::Key => "key",
        }
    }
}

impl LimitReached {
    /// What happened, in a sentence for people.
    pub fn message(&self) -> String {
        let noun = self.usage_type.noun();
        let whose = match self.limit {
            LimitScope::Group => format!("The group's allowance of {noun}"),
            LimitScope::Member => format!("Your cap of {noun}"),
            LimitScope::Key => format!("This API key's cap of {noun}"),
        };
        format!("{whose} doesn't leave room for this.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold() -> HoldInput {
        HoldInput { id: None, usage_type: UsageType::Llm, tokens: 5, expires_in: None, wait: None }
    }

    fn wrong_fields(input: &HoldInput) -> Vec<String> {
        let mut errors = FieldErrors::new();
        input.check(&mut errors);
        errors.into_vec().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_is_wrong_with_a_hold_is_named() {
        assert!(wrong_fields(&hold()).is_empty());
        for (input, field) in [
            (HoldInput { id: Some("x".repeat(251)), ..hold() }, "id"),
            (HoldInput { id: Some(" x".into()), ..hold() }, "id"),
            (HoldInput { tokens: 0, ..hold() }, "tokens"),
            (HoldInput { tokens: MAX_COUNT + 1, ..hold() }, "tokens"),
            (HoldInput { expires_in: Some(0), ..hold() }, "expires_in"),
            (HoldInput { expires_in: Some(901), ..hold() }, "expires_in"),
            (HoldInput { wait: Some(-1), ..hold() }, "wait"),
            (HoldInput { wait: Some(31), ..hold() }, "wait"),
        ] {
            assert_eq!(wrong_fields(&input), [field]);
        }
        let longest = HoldInput {
            id: Some("x".repeat(250)),
            tokens: MAX_COUNT,
            expires_in: Some(900),
            wait: Some(30),
            ..hold()
        };
        assert!(wrong_fields(&longest).is_empty());
    }
}
