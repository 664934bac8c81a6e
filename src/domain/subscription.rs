//! A group's subscription and what its status allows.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{GroupId, Plan, PlanRef, Refusal, SubscriptionId, UserId, multiline_text};

/// Where a subscription stands, in Stripe's words.
/// Source: <https://docs.stripe.com/api/subscriptions/object#subscription_object-status>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Status {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Canceled,
    Unpaid,
    Paused,
}

impl Status {
    pub const ALL: [Self; 8] = [
        Self::Incomplete,
        Self::IncompleteExpired,
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Canceled,
        Self::Unpaid,
        Self::Paused,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
        }
    }

    /// Whether it is the group's subscription, of which there is at most one. The two that have ended
    /// never come back.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether all is paid that has to be.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Trialing | Self::Active)
    }

    /// Whether an invoice has to be paid for it to go on.
    pub fn awaits_payment(self) -> bool {
        matches!(self, Self::Incomplete | Self::PastDue | Self::Unpaid)
    }

    /// Whether tokens may be asked for: while trialing or active, and for `grace_days` after a payment
    /// first failed. What is to end at `ends_at` has ended then, whether Stripe has said so yet or not.
    pub fn gives_access(
        self,
        past_due_since: Option<DateTime<Utc>>,
        ends_at: Option<DateTime<Utc>>,
        grace_days: u32,
        now: DateTime<Utc>,
    ) -> bool {
        if ends_at.is_some_and(|end| end <= now) {
            return false;
        }
        match self {
            Self::Trialing | Self::Active => true,
            Self::PastDue => past_due_since.is_none_or(|since| now < grace_end(since, grace_days)),
            _ => false,
        }
    }
}

/// Until when tokens may be asked for where payments fail since then.
pub fn grace_end(past_due_since: DateTime<Utc>, grace_days: u32) -> DateTime<Utc> {
    past_due_since + Duration::days(i64::from(grace_days))
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a subscription status"))
    }
}

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A group's subscription as its members see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Subscription {
    pub id: SubscriptionId,
    pub group_id: GroupId,
    /// Who bought it.
    pub user_id: UserId,
    pub plan: Plan,
    pub status: Status,
    /// Whether tokens may be asked for now.
    pub access: bool,
    /// While past due, when access ends unless the subscription is paid; else null.
    pub access_until: Option<DateTime<Utc>>,
    pub current_period_start: DateTime<Utc>,
    pub current_period_end: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    /// When its trial ends or ended; null where it has none.
    pub trial_end: Option<DateTime<Utc>>,
    /// The plan that begins with the next period; null where it stays the same.
    pub next_plan: Option<PlanRef>,
    pub stripe_subscription_id: String,
}

/// What a purchase answers: the subscription, and what the card form needs to confirm it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Checkout {
    pub subscription: Subscription,
    /// For Stripe.js; null when nothing is left to confirm.
    pub client_secret: Option<String>,
    /// What the client secret confirms; null without one.
    pub intent: Option<Intent>,
    pub publishable_key: String,
}

/// What a client secret confirms: a payment now, or a card for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Intent {
    Payment,
    Setup,
}

/// Why a subscription is canceled, in Stripe's words.
/// Source: <https://docs.stripe.com/api/subscriptions/cancel#cancel_subscription-cancellation_details-feedback>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum CancellationReason {
    TooExpensive,
    MissingFeatures,
    SwitchedService,
    Unused,
    CustomerService,
    TooComplex,
    LowQuality,
    Other,
}

impl CancellationReason {
    pub const ALL: [Self; 8] = [
        Self::TooExpensive,
        Self::MissingFeatures,
        Self::SwitchedService,
        Self::Unused,
        Self::CustomerService,
        Self::TooComplex,
        Self::LowQuality,
        Self::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooExpensive => "too_expensive",
            Self::MissingFeatures => "missing_features",
            Self::SwitchedService => "switched_service",
            Self::Unused => "unused",
            Self::CustomerService => "customer_service",
            Self::TooComplex => "too_complex",
            Self::LowQuality => "low_quality",
            Self::Other => "other",
        }
    }
}

impl FromStr for CancellationReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| "Reason must be one of the list.".into())
    }
}

/// The longest comment on a cancellation, in characters.
pub const MAX_COMMENT: usize = 1_000;

/// How a subscription is to end, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub at_period_end: bool,
    pub reason: Option<CancellationReason>,
    comment: Option<String>,
}

impl Cancellation {
    /// # Errors
    /// [`Refusal::Invalid`] for a comment that is too long, or holds control characters.
    pub fn new(
        at_period_end: bool,
        reason: Option<CancellationReason>,
        comment: Option<&str>,
    ) -> Result<Self, Refusal> {
        let comment = multiline_text(comment.unwrap_or_default(), "Comment", 0, MAX_COMMENT)
            .map_err(|message| Refusal::field("comment", message))?;
        Ok(Self { at_period_end, reason, comment: Some(comment).filter(|comment| !comment.is_empty()) })
    }

    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_stripes_word() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("expired".parse::<Status>().is_err());
    }

    #[test]
    fn a_reason_is_stripes_word_and_a_blank_comment_none() {
        for reason in CancellationReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!(Cancellation::new(true, None, Some(" ")).unwrap().comment(), None);
        assert!(Cancellation::new(true, None, Some(&"x".repeat(MAX_COMMENT + 1))).is_err());
    }

    #[test]
    fn six_of_the_eight_are_live() {
        let ended: Vec<_> = Status::ALL.into_iter().filter(|status| !status.is_live()).collect();
        assert_eq!(ended, [Status::IncompleteExpired, Status::Canceled]);
    }

    #[test]
    fn access_while_past_due_lasts_for_the_days_of_grace() {
        let since = DateTime::UNIX_EPOCH;
        let after =
            |hours| Status::PastDue.gives_access(Some(since), None, 7, since + Duration::hours(hours));
        assert!(after(7 * 24 - 1));
        assert!(!after(7 * 24));
        for status in [Status::Incomplete, Status::Unpaid, Status::Paused, Status::Canceled] {
            assert!(!status.gives_access(None, None, 7, since), "{status}");
        }
    }

    #[test]
    fn what_was_to_end_has_ended_at_its_end() {
        let end = DateTime::UNIX_EPOCH;
        for status in [Status::Active, Status::Trialing] {
            assert!(status.gives_access(None, Some(end), 7, end - Duration::seconds(1)), "{status}");
            assert!(!status.gives_access(None, Some(end), 7, end), "{status}");
        }
    }
}
