//! What stands in the way of asking, or soon will: whose limit it is, when it resets, and who can do what about it.

use leptos::prelude::*;

use super::Conversation;
use crate::domain::{Level, Plan, Resource, Share, Usage, WARNING_PERCENTAGE, group_digits};
use crate::web::components::icon::{Icon, Shape};
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
            match own.level() {
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

/// How near the nearer end is.
pub fn level(resource: Resource, own: Option<Share>) -> Level {
    resource.level.max(own.map_or(Level::Ok, |own| own.level()))
}

/// What is left for the asker: of its cap or of the group's allowance, whichever ends first. None for no end.
pub fn left(resource: Resource, own: Option<Share>) -> Option<i64> {
    [resource.remaining, own.and_then(|own| own.remaining)].into_iter().flatten().min()
}

/// What is to be said of a standing.
struct Notice {
    level: Level,
    title: &'static str,
    text: String,
    /// Where it can be changed, and what that is called.
    way: (String, String),
    /// What the admins are to be asked for.
    to: &'static str,
}

/// To the suggested plan, or to all of them.
fn plans(suggested: Option<&Plan>) -> (String, String) {
    match suggested {
        Some(plan) => (format!("/subscribe?change={}", plan.id), format!("Upgrade to {}", plan.name)),
        None => ("/subscribe".to_owned(), "See the plans".to_owned()),
    }
}

fn caps() -> (String, String) {
    ("/team".to_owned(), "Change the caps".to_owned())
}

fn notice_of(standing: Standing, usage: &Usage, suggested: Option<&Plan>) -> Option<Notice> {
    let until = format::until(usage.as_of, usage.period_end);
    let resets = format!(" They reset {until}, on {}.", format::date(usage.period_end));
    let offer = suggested.map_or_else(String::new, |plan| {
        let tokens = plan.limits.llm.map_or_else(|| "unlimited".into(), group_digits);
        format!(" {} has {tokens} LLM tokens a month for {}.", plan.name, format::price(plan))
    });
    let (level, title, text, way, to) = match standing {
        // What the page says of the subscription says why.
        Standing::Free | Standing::NoAccess => return None,
        Standing::GroupNear => {
            let text = format!(
                "{WARNING_PERCENTAGE} % or more is used. Consider upgrading before they run out.{offer}"
            );
            (Level::Warning, "LLM tokens are approaching the limit.", text, plans(suggested), "upgrade")
        }
        Standing::CapNear => {
            let text =
                format!("You have used {WARNING_PERCENTAGE} % or more of your share of LLM tokens.{resets}");
            (Level::Warning, "Your own cap is near.", text, caps(), "raise it")
        }
        Standing::GroupOut => {
            let text = format!(
                "Your group has used all LLM tokens of this period: questions wait until there are more.{resets}{offer}"
            );
            (Level::Limit, "Limit reached - upgrade required.", text, plans(suggested), "upgrade")
        }
        Standing::CapOut => {
            let cap = usage.you.and_then(|you| you.llm.limit).map_or_else(String::new, group_digits);
            let text = format!(
                "You have used your {cap} LLM tokens of this period; the others of your group can go on.{resets}"
            );
            (Level::Limit, "Your own cap is reached.", text, caps(), "raise it")
        }
        Standing::NotInPlan => {
            let text = format!("{} doesn't include them, and a question costs some.{offer}", usage.plan.name);
            (Level::Limit, "LLM tokens aren't in your plan.", text, plans(suggested), "upgrade")
        }
    };
    Some(Notice { level, title, text, way, to })
}

#[component]
pub fn Limits(conversation: Conversation) -> impl IntoView {
    let Conversation { usage, suggested, admins, has_access, .. } = conversation;
    // What is written anew with the same words isn't announced again.
    let notice = move || {
        usage.with(|usage| {
            let standing = Standing::of(usage, has_access);
            suggested.with(|plan| notice_of(standing, usage, plan.as_ref()))
        })
    };
    let text = move || {
        notice().map(|notice| match admins.get_value() {
            Some(names) => format!(" {} Ask an admin of your group to {}: {names}.", notice.text, notice.to),
            None => format!(" {} ", notice.text),
        })
    };
    view! {
        <div
            class="notice"
            role="alert"
            data-level=move || notice().map(|notice| notice.level.as_str())
            hidden=move || notice().is_none()
        >
            <Icon shape=Shape::Warn/>
            <p class="notice__text">
                <strong>{move || notice().map(|notice| notice.title)}</strong>
                {text}
                <a href=move || notice().map(|notice| notice.way.0) hidden=admins.with_value(Option::is_some)>
                    {move || notice().map(|notice| notice.way.1)}
                </a>
            </p>
        </div>
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
            overage: None,
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
