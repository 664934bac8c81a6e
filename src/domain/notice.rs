//! What a group is told by e-mail, and which of it each of its people wants.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Currency, Money, OveragePrices, Role, UsageType};

/// The shares of a limit, in per cent, at which a group is told how much it has used.
pub const THRESHOLDS: [i64; 3] = [80, 90, 100];

/// The highest threshold that is reached, in per cent; 0 for none. Decided on whole numbers: 79,999 of 100,000 reaches
/// none. Nothing is reached of a limit of 0, a resource that the plan doesn't include, nor without a limit.
pub fn threshold_reached(used: i64, limit: Option<i64>) -> i64 {
    let Some(limit) = limit.filter(|limit| *limit > 0) else { return 0 };
    let reached = |share: &i64| i128::from(used) * 100 >= i128::from(limit) * i128::from(*share);
    THRESHOLDS.into_iter().rev().find(reached).unwrap_or(0)
}

/// An amount of money as the API writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// In decimal: `29.99`.
    pub amount: String,
    pub currency: Currency,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal(), currency: money.currency }
    }
}

/// What tokens beyond the limit cost: `price` for each package of `per` tokens that is begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagePrice {
    pub per: i64,
    /// In decimal, in the notice's currency.
    pub price: String,
}

/// What lies beyond the limits is sold by, and the most it may cost in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverageTerms {
    /// In decimal, in `currency`.
    pub cap: String,
    pub currency: Currency,
    /// `None` for a resource that ends at its limit.
    pub llm: Option<PackagePrice>,
    pub voice: Option<PackagePrice>,
}

impl OverageTerms {
    /// `cap` in minor units.
    pub fn new(prices: &OveragePrices, cap: i64) -> Self {
        let decimal = |minor| prices.money(minor).decimal();
        let packages = prices.packages.map(|package| {
            package.map(|package| PackagePrice { per: package.per, price: decimal(package.price) })
        });
        Self { cap: decimal(cap), currency: prices.currency, llm: packages.llm, voice: packages.voice }
    }
}

/// What a group is told, with the figures of the moment it came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", content = "data", rename_all = "snake_case")]
pub enum Notice {
    /// A threshold of a resource was passed.
    UsageThreshold {
        usage_type: UsageType,
        /// In per cent: one of [`THRESHOLDS`].
        threshold: i64,
        /// Tokens, in the period so far.
        used: i64,
        limit: i64,
        plan: String,
        period_end: DateTime<Utc>,
    },
    /// A charge was declined.
    PaymentFailed {
        plan: String,
        /// What is due, where there is an invoice that says so.
        due: Option<Amount>,
        /// Until when tokens can be spent all the same; `None` where they can't any more.
        access_until: Option<DateTime<Utc>>,
    },
    /// The bank asks its cardholder before a charge goes through.
    PaymentApproval {
        plan: String,
        due: Option<Amount>,
        access_until: Option<DateTime<Utc>>,
    },
    TrialEnding {
        plan: String,
        trial_end: DateTime<Utc>,
        /// What is charged then, where it is one amount.
        price: Option<Amount>,
    },
    PlanChanged {
        from: String,
        to: String,
        price: Option<Amount>,
    },
    /// It was cancelled, and goes on until then.
    SubscriptionEnding {
        plan: String,
        ends_at: DateTime<Utc>,
    },
    SubscriptionEnded {
        plan: String,
    },
    /// An admin agreed to pay for what lies beyond the limits, up to a cap.
    OverageEnabled(OverageTerms),
    /// What lies beyond the limits has cost as much as was agreed to.
    OverageCapReached(OverageTerms),
}

impl Notice {
    /// The word it is stored under, and the name of its template.
    pub fn topic(&self) -> &'static str {
        match self {
            Self::UsageThreshold { .. } => "usage_threshold",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentApproval { .. } => "payment_approval",
            Self::TrialEnding { .. } => "trial_ending",
            Self::PlanChanged { .. } => "plan_changed",
            Self::SubscriptionEnding { .. } => "subscription_ending",
            Self::SubscriptionEnded { .. } => "subscription_ended",
            Self::OverageEnabled(_) => "overage_enabled",
            Self::OverageCapReached(_) => "overage_cap_reached",
        }
    }

    /// By which of their settings people get it.
    pub fn kind(&self) -> NotificationKind {
        match self {
            Self::UsageThreshold { threshold: 100.., .. } => NotificationKind::Usage100,
            Self::UsageThreshold { threshold: 90.., .. } => NotificationKind::Usage90,
            Self::UsageThreshold { .. } => NotificationKind::Usage80,
            _ => NotificationKind::Billing,
        }
    }

    /// Whether the group's admins get it whatever they chose: access is lost unless somebody acts.
    pub fn is_required(&self) -> bool {
        matches!(self, Self::PaymentFailed { .. } | Self::PaymentApproval { .. })
    }
}

/// A kind of e-mail that each may choose to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationKind {
    Usage80,
    Usage90,
    Usage100,
    Billing,
}

impl NotificationKind {
    pub const ALL: [Self; 4] = [Self::Usage80, Self::Usage90, Self::Usage100, Self::Billing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage80 => "usage_80",
            Self::Usage90 => "usage_90",
            Self::Usage100 => "usage_100",
            Self::Billing => "billing",
        }
    }

    /// What it is called where one chooses.
    pub fn label(self) -> &'static str {
        match self {
            Self::Usage80 => "80 % of a limit is used",
            Self::Usage90 => "90 % of a limit is used",
            Self::Usage100 => "A limit is reached",
            Self::Billing => "The plan, a trial or billing changes",
        }
    }
}

impl TryFrom<String> for NotificationKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| format!("unknown kind of e-mail: {text}"))
    }
}

/// Which e-mails one gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NotificationSettings {
    /// When 80 % of a limit is used.
    pub usage_80: bool,
    /// When 90 % of a limit is used.
    pub usage_90: bool,
    /// When a limit is reached.
    pub usage_100: bool,
    /// When a trial ends, or the plan, the subscription or overage changes. An admin is told of a payment that failed in any case.
    pub billing: bool,
}

impl NotificationSettings {
    /// What one gets who hasn't chosen: admins all of it, others none.
    pub fn of_role(role: Role) -> Self {
        let wanted = role == Role::Admin;
        Self { usage_80: wanted, usage_90: wanted, usage_100: wanted, billing: wanted }
    }

    pub fn wants(&self, kind: NotificationKind) -> bool {
        match kind {
            NotificationKind::Usage80 => self.usage_80,
            NotificationKind::Usage90 => self.usage_90,
            NotificationKind::Usage100 => self.usage_100,
            NotificationKind::Billing => self.billing,
        }
    }

    pub fn set(&mut self, kind: NotificationKind, wanted: bool) {
        match kind {
            NotificationKind::Usage80 => self.usage_80 = wanted,
            NotificationKind::Usage90 => self.usage_90 = wanted,
            NotificationKind::Usage100 => self.usage_100 = wanted,
            NotificationKind::Billing => self.billing = wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_reached_on_whole_numbers() {
        for (used, limit, reached) in [
            (79_999, Some(100_000), 0),
            (80_000, Some(100_000), 80),
            (89_999, Some(100_000), 80),
            (90_000, Some(100_000), 90),
            (99_999, Some(100_000), 90),
            (100_000, Some(100_000), 100),
            (i64::MAX, Some(1), 100),
            (2, Some(3), 0),
            (5, Some(6), 80),
            (1_000, Some(0), 0),
            (1_000, None, 0),
        ] {
            assert_eq!(threshold_reached(used, limit), reached, "{used} of {limit:?}");
        }
    }

    #[test]
    fn a_topic_is_the_word_it_is_stored_under() {
        let notice = Notice::SubscriptionEnded { plan: "Basic".into() };
        let stored = serde_json::to_value(&notice).unwrap();
        assert_eq!(stored["topic"], notice.topic());
        assert_eq!(serde_json::from_value::<Notice>(stored).unwrap(), notice);
    }
}
