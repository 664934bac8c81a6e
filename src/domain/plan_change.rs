//! Changing from one plan to another: when that takes effect, and what it costs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Currency, Interval, InvoiceLine, InvoiceLineFields, NextCharge, Plan};

/// When a change of plan takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Effective {
    /// At once, or once what it costs is paid.
    Now,
    PeriodEnd,
}

impl Plan {
    /// When a change from this plan to another takes effect: at once where more is to be paid, or a year ahead without
    /// losing anything; else with the next period, since this one is paid for. A year that is paid for is cut short only
    /// for a dearer month that gives more.
    pub fn change_to(&self, wanted: &Self) -> Effective {
        let yearly = |plan: &Self| i128::from(plan.price.minor) * i128::from(12 / plan.interval.months());
        let limits = [(self.limits.llm, wanted.limits.llm), (self.limits.voice, wanted.limits.voice)];
        let now = match (self.interval, wanted.interval) {
            (Interval::Month, Interval::Year) => !limits.iter().any(|(mine, other)| is_less(*other, *mine)),
            (Interval::Year, Interval::Month) => {
                yearly(wanted) > yearly(self) && limits.iter().any(|(mine, other)| is_less(*mine, *other))
            }
            _ => wanted.price.minor > self.price.minor,
        };
        if now { Effective::Now } else { Effective::PeriodEnd }
    }
}

/// Whether one limit lets less be spent than the other; `None` is unlimited.
pub(super) fn is_less(limit: Option<i64>, than: Option<i64>) -> bool {
    match (limit, than) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(limit), Some(than)) => limit < than,
    }
}

/// What a change of plan comes to, before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "PlanChangeFields")]
pub struct PlanChange {
    /// What it is changed to.
    pub plan: Plan,
    pub effective: Effective,
    /// When it takes effect; where that is now, the moment that the amount is worked out for.
    pub at: DateTime<Utc>,
    /// What is charged at once, and what for.
    pub due: super::Money,
    pub lines: Vec<InvoiceLine>,
    /// What is charged next, and when.
    pub next: NextCharge,
}

/// A change of plan as JSON has it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = PlanChange))]
pub struct PlanChangeFields {
    /// Charged at once: a decimal string in the currency's own number of decimals.
    pub amount_due: String,
    /// Lower-case ISO 4217 code.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub currency: Currency,
    /// The moment that the amount is worked out for: sent along with the change, it has the change cost the same. Null
    /// for a change at the period's end.
    pub proration_date: Option<DateTime<Utc>>,
    /// What is charged at once consists of these.
    pub lines: Vec<InvoiceLineFields>,
    pub effective: Effective,
    /// When it takes effect.
    pub effective_at: DateTime<Utc>,
    /// Charged next, at `next_charge_at`.
    pub next_amount: String,
    pub next_charge_at: DateTime<Utc>,
}

impl From<PlanChange> for PlanChangeFields {
    fn from(change: PlanChange) -> Self {
        Self {
            amount_due: change.due.decimal(),
            currency: change.due.currency,
            proration_date: (change.effective == Effective::Now).then_some(change.at),
            lines: change.lines.into_iter().map(InvoiceLineFields::from).collect(),
            effective: change.effective,
            effective_at: change.at,
            next_amount: change.next.amount.decimal(),
            next_charge_at: change.next.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn plan(price: &str, interval: &str, llm: Option<i64>, voice: Option<i64>) -> Plan {
        serde_json::from_value(json!({
            "id": Uuid::nil(), "name": "Any", "description": "", "price": price, "currency": "usd",
            "interval": interval, "trial_days": 0, "llm_tokens_limit": llm, "voice_tokens_limit": voice,
            "max_users": null, "features": [], "stripe_price_id": null, "archived": false,
            "created_at": DateTime::UNIX_EPOCH, "updated_at": DateTime::UNIX_EPOCH,
        }))
        .unwrap()
    }

    #[test]
    fn a_change_waits_for_the_next_period_where_this_one_is_worth_more() {
        let basic = plan("29.99", "month", Some(100), Some(50));
        for (wanted, effective) in [
            (plan("79.99", "month", Some(500), Some(250)), Effective::Now),
            // Less of one thing, but dearer.
            (plan("79.99", "month", Some(500), Some(0)), Effective::Now),
            (plan("30.00", "month", None, None), Effective::Now),
            (plan("29.99", "month", Some(500), Some(500)), Effective::PeriodEnd),
            (plan("9.99", "month", Some(500), Some(500)), Effective::PeriodEnd),
            // A year ahead at a rebate.
            (plan("299.00", "year", Some(100), Some(50)), Effective::Now),
            (plan("299.00", "year", Some(100), Some(49)), Effective::PeriodEnd),
            (plan("900.00", "year", None, None), Effective::Now),
        ] {
            assert_eq!(basic.change_to(&wanted), effective, "{wanted:?}");
        }
        let yearly = plan("299.00", "year", Some(100), Some(50));
        assert_eq!(yearly.change_to(&basic), Effective::PeriodEnd, "the year is paid for");
        assert_eq!(yearly.change_to(&plan("24.00", "month", None, None)), Effective::PeriodEnd);
        assert_eq!(yearly.change_to(&plan("79.99", "month", Some(500), Some(50))), Effective::Now);
    }
}
