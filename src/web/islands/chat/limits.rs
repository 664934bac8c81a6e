//! What stands in the way of asking, or soon will: whose limit it is, when it resets, and who can do what about it.

use leptos::prelude::*;

use super::Conversation;
use crate::domain::{Level, Plan, Resource, Share, Usage, WARNING_PERCENTAGE, group_digits};
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::notice::Notice;
use crate::web::format;

/// How the asker stands to the LLM tokens that a question costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Free,
    /// The group has used 80 % or more.
    GroupNear,
    /// The asker has used 80 % or more of its own cap.
    CapNear,
    /// The group has none left.
    GroupOut,
    /// The asker's cap has none left.
    CapOut,
    NotInPlan,
    /// The subscription gives no access.
    NoAccess,
}

impl Standing {
    pub fn of(usage: &Usage, has_access: bool) -> Self {
        let group = usage.resources.llm;
        let own = usage.you.map(|you| you.llm).unwrap_or_default();
        if !has_access {
            Self::NoAccess
        } else if !group.is_included() {
            Self::NotInPlan
        } else if group.level == Level::Limit {
            Self::GroupOut
        } else {
            match own_level(own) {
                Level::Limit => Self::CapOut,
                Level::Warning => Self::CapNear,
                Level::Ok if group.level == Level::Warning => Self::GroupNear,
                Level::Ok => Self::Free,
            }
        }
    }

    /// Whether a question can be asked.
    pub fn lets_ask(self) -> bool {
        matches!(self, Self::Free | Self::GroupNear | Self::CapNear)
    }
}

/// As [`Level::of`], but that a cap of 0 is one that is reached.
fn own_level(share: Share) -> Level {
    match share.limit {
        Some(limit) if share.used >= limit => Level::Limit,
        limit => Level::of(share.used, limit),
    }
}

/// What is left for the asker: of its cap or of the group's allowance, whichever ends first. None for no end.
pub fn left(resource: Resource, own: Option<Share>) -> Option<i64> {
    [resource.remaining, own.and_then(|own| own.remaining)].into_iter().flatten().min()
}

#[component]
pub fn Limits(conversation: Conversation) -> impl IntoView {
    let has_access = conversation.has_access;
    // By standing only: a number that moves must not be announced each time.
    let standing = Memo::new(move |_| conversation.usage.with(|usage| Standing::of(usage, has_access)));
    move || {
        let usage = conversation.usage.get_untracked();
        let admins = conversation.admins.get_value();
        let resets = format!(
            "They reset {}, on {}. ",
            format::until(usage.as_of, usage.period_end),
            format::date(usage.period_end)
        );
        let (level, title, text, way) = match standing.get() {
            // What the page says of the subscription says why.
            Standing::Free | Standing::NoAccess => return None,
            Standing::GroupNear => (
                Level::Warning,
                "LLM tokens are approaching the limit. ",
                format!("{WARNING_PERCENTAGE} % or more is used. Consider upgrading before they run out. "),
                to_plan(conversation.suggested.get(), admins),
            ),
            Standing::CapNear => (
                Level::Warning,
                "Your own cap is near. ",
                format!("You have used {WARNING_PERCENTAGE} % or more of your share of LLM tokens. {resets}"),
                to_cap(admins),
            ),
            Standing::GroupOut => (
                Level::Limit,
                "Limit reached - upgrade required. ",
                format!(
                    "Your group has used all LLM tokens of this period, and questions wait until there are more. {resets}"
                ),
                to_plan(conversation.suggested.get(), admins),
            ),
            Standing::CapOut => {
                let cap = usage.you.and_then(|you| you.llm.limit).unwrap_or_default();
                let text = format!(
                    "You have used your share of {} LLM tokens of this period; the others of your group can go on. {resets}",
                    group_digits(cap)
                );
                (Level::Limit, "Your own cap is reached. ", text, to_cap(admins))
            }
            Standing::NotInPlan => (
                Level::Limit,
                "LLM tokens aren't in your plan. ",
                format!("{} doesn't include them, and a question costs some. ", usage.plan.name),
                to_plan(conversation.suggested.get(), admins),
            ),
        };
        Some(view! {
            <Notice level alert=true>
                <strong>{title}</strong>
                {text}
                {way}
            </Notice>
        })
    }
}

fn to_plan(suggested: Option<Plan>, admins: Option<String>) -> AnyView {
    let offer = suggested.map(|plan| {
        let tokens = plan.limits.llm.map_or_else(|| "unlimited".into(), group_digits);
        format!("{} has {tokens} LLM tokens a month for {}. ", plan.name, format::price(&plan))
    });
    let way = match admins {
        Some(names) => view! { <AskAdmin to="upgrade" names/> }.into_any(),
        None => view! { <a href="/subscribe">"See the plans"</a> }.into_any(),
    };
    view! { {offer}{way} }.into_any()
}

fn to_cap(admins: Option<String>) -> AnyView {
    match admins {
        Some(names) => view! { <AskAdmin to="raise it" names/> }.into_any(),
        None => view! { <a href="/team">"Change the caps"</a> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PerType, PlanRef, Status};

    fn standing(used: i64, limit: Option<i64>, own: Share, has_access: bool) -> Standing {
        let time = chrono::DateTime::UNIX_EPOCH;
        let usage = Usage {
            subscription_id: uuid::Uuid::nil().into(),
            plan: PlanRef { id: uuid::Uuid::nil().into(), name: "Basic".into() },
            status: Status::Active,
            period_start: time,
            period_end: time,
            as_of: time,
            resources: PerType::of(|_| Resource::new(used, 0, limit)),
            you: Some(PerType::of(|_| own)),
        };
        Standing::of(&usage, has_access)
    }

    #[test]
    fn the_first_thing_in_the_way_is_named() {
        let free = Share::default();
        assert_eq!(standing(79, Some(100), free, true), Standing::Free);
        assert_eq!(standing(80, Some(100), free, true), Standing::GroupNear);
        assert_eq!(standing(100, Some(100), free, true), Standing::GroupOut);
        assert_eq!(standing(0, Some(0), free, true), Standing::NotInPlan);
        assert_eq!(standing(0, None, free, true), Standing::Free);
        assert_eq!(standing(0, None, free, false), Standing::NoAccess);
        assert_eq!(standing(80, Some(100), Share::new(8, 0, Some(10)), true), Standing::CapNear);
        assert_eq!(standing(80, Some(100), Share::new(10, 0, Some(10)), true), Standing::CapOut);
        assert_eq!(standing(0, Some(100), Share::new(0, 0, Some(0)), true), Standing::CapOut);
        assert_eq!(standing(100, Some(100), Share::new(10, 0, Some(10)), true), Standing::GroupOut);
    }

    #[test]
    fn what_is_left_is_the_lesser_of_ones_own_and_the_groups() {
        let group = Resource::new(60, 10, Some(100));
        assert_eq!(left(group, Some(Share::new(5, 0, Some(10)))), Some(5));
        assert_eq!(left(group, Some(Share::new(5, 0, Some(1_000)))), Some(30));
        assert_eq!(left(group, None), Some(30));
        assert_eq!(left(Resource::new(60, 0, None), Some(Share::default())), None);
    }
}
