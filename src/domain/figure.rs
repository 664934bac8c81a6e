//! What each of the operator's figures is called, and what it is.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What opens into the rows that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Figure {
    Mrr,
    New,
    Reactivation,
    Expansion,
    Contraction,
    Churn,
    Active,
    Trialing,
    PastDue,
    AverageRevenue,
    SignedUp,
    CheckedOut,
    Paid,
    TrialStarted,
    TrialConverted,
    LlmTokens,
    VoiceTokens,
    Overage,
}

impl Figure {
    pub const ALL: [Self; 18] = [
        Self::Mrr,
        Self::New,
        Self::Reactivation,
        Self::Expansion,
        Self::Contraction,
        Self::Churn,
        Self::Active,
        Self::Trialing,
        Self::PastDue,
        Self::AverageRevenue,
        Self::SignedUp,
        Self::CheckedOut,
        Self::Paid,
        Self::TrialStarted,
        Self::TrialConverted,
        Self::LlmTokens,
        Self::VoiceTokens,
        Self::Overage,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mrr => "mrr",
            Self::New => "new",
            Self::Reactivation => "reactivation",
            Self::Expansion => "expansion",
            Self::Contraction => "contraction",
            Self::Churn => "churn",
            Self::Active => "active",
            Self::Trialing => "trialing",
            Self::PastDue => "past_due",
            Self::AverageRevenue => "average_revenue",
            Self::SignedUp => "signed_up",
            Self::CheckedOut => "checked_out",
            Self::Paid => "paid",
            Self::TrialStarted => "trial_started",
            Self::TrialConverted => "trial_converted",
            Self::LlmTokens => "llm_tokens",
            Self::VoiceTokens => "voice_tokens",
            Self::Overage => "overage",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Mrr => "MRR",
            Self::New => "New",
            Self::Reactivation => "Reactivation",
            Self::Expansion => "Expansion",
            Self::Contraction => "Contraction",
            Self::Churn => "Churn",
            Self::Active => "Active",
            Self::Trialing => "Trialing",
            Self::PastDue => "Past due",
            Self::AverageRevenue => "Average revenue per group",
            Self::SignedUp => "Signed up",
            Self::CheckedOut => "Checked out",
            Self::Paid => "Paid",
            Self::TrialStarted => "Began a trial",
            Self::TrialConverted => "Trial converted",
            Self::LlmTokens => "LLM tokens",
            Self::VoiceTokens => "Voice tokens",
            Self::Overage => "Overage",
        }
    }

    /// What the figure is, in words for who reads it.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Mrr => {
                "Monthly recurring revenue: the monthly part of the prices of active and past-due subscriptions, of a \
                 yearly price the twelfth. Trials, taxes, discounts, credits and overage don't count."
            }
            Self::New => "MRR of groups that pay for the first time.",
            Self::Reactivation => "MRR of groups that paid before, stopped, and pay again.",
            Self::Expansion => "What groups pay more than before, having paid already.",
            Self::Contraction => "What groups pay less than before, still paying.",
            Self::Churn => {
                "MRR of groups that stopped paying: by the date their subscription ended, not the one on which they \
                 canceled, or by when it became unpaid. The rate is of the MRR at the start; that of groups, of the \
                 groups that paid then."
            }
            Self::Active => "Subscriptions that are active, at the end of the time.",
            Self::Trialing => {
                "Subscriptions in their trial, at the end of the time. They add nothing to MRR."
            }
            Self::PastDue => {
                "Subscriptions whose last payment failed and is tried again, at the end of the time. They still count in \
                 MRR."
            }
            Self::AverageRevenue => "MRR at the end of the time, divided by the groups that pay it.",
            Self::SignedUp => "Groups that signed up in the window, in whatever currency they bought later.",
            Self::CheckedOut => {
                "Of those, the groups that went to the payment of a plan by the window's end, whether they paid or not."
            }
            Self::Paid => {
                "Of those that signed up, the groups whose subscription became active by the window's end."
            }
            Self::TrialStarted => {
                "Of those that signed up, the groups that began a trial by the window's end."
            }
            Self::TrialConverted => {
                "Of those that signed up, the groups whose trial became an active subscription by the window's end."
            }
            Self::LlmTokens | Self::VoiceTokens => {
                "Tokens used in the usage periods that ended in the time, against what their plans allow, trials' included. \
                 What was used without a limit is told apart. Events are recorded up to 35 days late."
            }
            Self::Overage => {
                "What was charged for tokens beyond the plans' limits, by when the charges were written. It is no part of \
                 MRR."
            }
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Figure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|figure| figure.as_str() == text);
        known.ok_or_else(|| "Must be one of the figures.".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_called_by_one_word_and_says_what_it_is() {
        for figure in Figure::ALL {
            assert_eq!(figure.as_str().parse(), Ok(figure));
            assert_eq!(serde_json::to_value(figure).unwrap(), figure.as_str());
            assert!(figure.definition().ends_with('.'), "{figure}");
        }
    }
}
