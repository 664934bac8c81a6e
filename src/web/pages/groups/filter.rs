//! Which groups are asked for: by the page's address, and by the form that makes it.

use leptos::prelude::*;
use leptos_router::location::Url;

use crate::domain::{GroupStatus, Level, Plan, Status};
use crate::groups::{GroupFields, GroupKey};
use crate::web::AppError;
use crate::web::components::field::{Choice, Field};
use crate::web::format;

pub const PATH: &str = "/groups";

/// The fields of the form, which are the parameters of the API.
pub const FIELDS: [&str; 5] = ["search", "plan", "status", "level", "sort"];

const SORTS: [(&str, &str); 16] = [
    ("name", "Name, A to Z"),
    ("-name", "Name, Z to A"),
    ("-usage", "Usage, most first"),
    ("usage", "Usage, least first"),
    ("-mrr", "MRR, most first"),
    ("mrr", "MRR, least first"),
    ("run_out", "Runs out soonest"),
    ("-run_out", "Runs out latest"),
    ("-last_activity", "Active most recently"),
    ("last_activity", "Inactive for longest"),
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("plan", "Plan, A to Z"),
    ("-plan", "Plan, Z to A"),
    ("status", "Status, A to Z"),
    ("-status", "Status, Z to A"),
];

const LEVELS: [(Level, &str); 3] =
    [(Level::Ok, "Below 80 %"), (Level::Warning, "80 % or more"), (Level::Limit, "Limit reached")];

fn given(fields: &GroupFields) -> impl Iterator<Item = (&'static str, &str)> {
    let GroupFields { search, plan, status, level, sort } = fields;
    let pairs = FIELDS.into_iter().zip([search, plan, status, level, sort]);
    pairs.filter_map(|(name, value)| Some((name, value.as_deref().filter(|value| !value.is_empty())?)))
}

/// Whether it asks for some of the groups only.
pub fn is_narrowed(fields: &GroupFields) -> bool {
    given(fields).any(|(name, _)| name != "sort")
}

/// The address of the same list, or of one of its pages.
pub fn address(fields: &GroupFields, key: Option<&GroupKey>) -> String {
    let key = key.map(ToString::to_string);
    let parameters = given(fields).chain(key.as_deref().map(|key| ("cursor", key)));
    let query: Vec<_> = parameters.map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
    if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", query.join("&")) }
}

/// Search, filters and order, as a form that works without JavaScript.
#[component]
pub fn FilterForm(fields: GroupFields, wrong: Option<AppError>, plans: Vec<Plan>) -> impl IntoView {
    let error = |field: &str| wrong.as_ref().and_then(|wrong| wrong.field(field));
    let word = |word: &str, label: &str| (word.to_owned(), label.to_owned());
    let any = |label: &str, choices: Vec<(String, String)>| {
        std::iter::once(word("", label)).chain(choices).collect::<Vec<_>>()
    };
    let plans = plans.into_iter().map(|plan| {
        let label = if plan.archived { format!("{} (archived)", plan.name) } else { plan.name };
        (plan.id.to_string(), label)
    });
    let statuses = Status::ALL.map(|status| word(status.as_str(), format::status(status)));
    let none = word(GroupStatus::NoSubscription.as_str(), "No subscription");
    let statuses = statuses.into_iter().chain([none]).collect();
    let levels = LEVELS.map(|(level, label)| word(level.as_str(), label)).to_vec();
    let sorts = SORTS.map(|(sort, label)| word(sort, label)).to_vec();
    let chosen = |field: &Option<String>| field.clone().unwrap_or_default();
    view! {
        <form method="get" action=PATH class="filters panel" aria-label="Filters">
            <Field
                name="search"
                label="Search"
                input_type="search"
                value=chosen(&fields.search)
                error=error("search")
                required=false
            />
            <Choice name="plan" label="Plan" choices=any("Any plan", plans.collect()) chosen=chosen(&fields.plan) error=error("plan")/>
            <Choice name="status" label="Status" choices=any("Any status", statuses) chosen=chosen(&fields.status) error=error("status")/>
            <Choice name="level" label="Usage" choices=any("Any usage", levels) chosen=chosen(&fields.level) error=error("level")/>
            <Choice name="sort" label="Sort" choices=sorts chosen=chosen(&fields.sort) error=error("sort")/>
            <div class="filters__actions">
                <button class="button" data-tone="primary" type="submit">"Show"</button>
                <a class="button" data-tone="plain" href=PATH>"Clear"</a>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GroupSort, GroupSortKey};

    #[test]
    fn every_order_can_be_chosen() {
        let known = GroupSortKey::ALL
            .into_iter()
            .flat_map(|key| [false, true].map(|descending| GroupSort { key, descending }.to_string()));
        let mut known: Vec<_> = known.collect();
        let mut offered = SORTS.map(|(sort, _)| sort.to_owned()).to_vec();
        known.sort();
        offered.sort();
        assert_eq!(offered, known);
    }

    #[test]
    fn an_address_says_what_was_chosen_and_nothing_else() {
        let fields = GroupFields {
            search: Some("50 % & more".into()),
            plan: Some(String::new()),
            sort: Some("-usage".into()),
            ..GroupFields::default()
        };
        assert_eq!(address(&fields, None), "/groups?search=50%20%25%20%26%20more&sort=%2Dusage");
        assert!(is_narrowed(&fields));
        let sorted = GroupFields { search: None, ..fields };
        assert!(!is_narrowed(&sorted), "an order leaves no group out");
    }
}
