//! Which plan a group is advised to change to.

use super::plan_change::is_less;
use super::{Plan, Usage, UsageType};

impl Plan {
    /// The plan among `plans` to suggest to a group on `self` with this usage: the next higher-priced one that can
    /// be bought, of the same currency and interval, which gives more of every resource that runs short. `None`
    /// where nothing does, or no plan helps.
    pub fn next_up<'a>(&self, plans: &'a [Plan], usage: &Usage, short: &[UsageType]) -> Option<&'a Plan> {
        if short.is_empty() {
            return None;
        }
        plans
            .iter()
            .filter(|plan| {
                !plan.archived && plan.price.currency == self.price.currency && plan.interval == self.interval
            })
            .filter(|plan| plan.price.minor > self.price.minor)
            .filter(|plan| short.iter().all(|kind| is_less(usage.resources[*kind].limit, plan.limits[*kind])))
            .min_by_key(|plan| plan.price.minor)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{PerType, PlanRef, Resource, Status};

    fn plan(name: &str, price: &str, llm: Option<i64>, voice: Option<i64>) -> Plan {
        serde_json::from_value(json!({
            "id": Uuid::nil(), "name": name, "description": "", "price": price, "currency": "usd",
            "interval": "month", "trial_days": 0, "llm_tokens_limit": llm, "voice_tokens_limit": voice,
            "max_users": null, "features": [], "stripe_price_id": null, "archived": false,
            "created_at": DateTime::UNIX_EPOCH, "updated_at": DateTime::UNIX_EPOCH,
        }))
        .unwrap()
    }

    fn usage(of: &Plan, llm: i64, voice: i64) -> Usage {
        Usage {
            subscription_id: Uuid::nil().into(),
            plan: PlanRef { id: of.id, name: of.name.clone() },
            status: Status::Active,
            period_start: DateTime::UNIX_EPOCH,
            period_end: DateTime::UNIX_EPOCH,
            as_of: DateTime::UNIX_EPOCH,
            resources: PerType {
                llm: Resource::new(llm, 0, of.limits.llm),
                voice: Resource::new(voice, 0, of.limits.voice),
            },
            overage: None,
            you: None,
        }
    }

    /// The name of what is suggested to a group on `of` that used so much.
    fn suggested(of: &Plan, plans: &[Plan], llm: i64, voice: i64) -> Option<String> {
        let usage = usage(of, llm, voice);
        let short: Vec<_> = usage.warnings().iter().map(|warning| warning.usage_type).collect();
        of.next_up(plans, &usage, &short).map(|plan| plan.name.clone())
    }

    #[test]
    fn the_next_higher_priced_plan_is_suggested_once_there_is_a_warning() {
        let basic = plan("Basic", "29.99", Some(100), Some(50));
        let mut archived = plan("Old", "49.99", Some(1_000), Some(1_000));
        archived.archived = true;
        let mut yearly = plan("Yearly", "59.99", Some(1_000), Some(1_000));
        yearly.interval = crate::domain::Interval::Year;
        let plans = [
            plan("Scale", "249.00", Some(2_500), Some(1_000)),
            archived,
            yearly,
            plan("Pro", "79.99", Some(500), Some(250)),
            plan("Twin", "29.99", Some(500), Some(250)),
            basic.clone(),
        ];
        assert_eq!(suggested(&basic, &plans, 79, 0), None);
        assert_eq!(suggested(&basic, &plans, 80, 0).as_deref(), Some("Pro"));
        assert_eq!(suggested(&plans[0], &plans, 2_500, 0), None);
    }

    #[test]
    fn a_plan_that_gives_no_more_of_what_runs_out_is_not_suggested() {
        let basic = plan("Basic", "10.00", Some(100), Some(100));
        let plans = [
            plan("Same voice", "20.00", Some(1_000), Some(100)),
            plan("Less LLM", "30.00", Some(50), Some(1_000)),
            plan("Both", "40.00", None, Some(101)),
        ];
        assert_eq!(suggested(&basic, &plans, 100, 0).as_deref(), Some("Same voice"));
        assert_eq!(suggested(&basic, &plans, 0, 100).as_deref(), Some("Less LLM"));
        assert_eq!(suggested(&basic, &plans, 80, 80).as_deref(), Some("Both"));
        assert_eq!(suggested(&basic, &plans[..2], 80, 80), None);
    }

    #[test]
    fn what_is_not_in_the_plan_is_no_reason_for_a_suggestion() {
        let basic = plan("Text only", "10.00", Some(100), Some(0));
        let plans = [plan("Voice too", "20.00", Some(1_000), Some(1_000))];
        assert_eq!(suggested(&basic, &plans, 0, 7), None);
    }
}
