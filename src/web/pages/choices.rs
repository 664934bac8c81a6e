//! Fields of forms that ask for a page: a choice of several, and a day.

use leptos::prelude::*;

use crate::web::components::field::{Below, describes};

#[component]
pub fn Choice(
    name: &'static str,
    label: &'static str,
    choices: Vec<(String, String)>,
    chosen: String,
    #[prop(optional)] hint: &'static str,
    #[prop(default = None)] error: Option<String>,
) -> impl IntoView {
    let described = describes(name, error.is_some(), !hint.is_empty());
    let invalid = error.is_some().then_some("true");
    let options = choices.into_iter().map(|(value, label)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{label}</option> }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=name class="input" aria-describedby=described aria-invalid=invalid>
                {options.collect_view()}
            </select>
            <Below name error hint/>
        </div>
    }
}

#[component]
pub fn Day(
    name: &'static str,
    label: &'static str,
    value: String,
    hint: &'static str,
    error: Option<String>,
) -> impl IntoView {
    let described = describes(name, error.is_some(), !hint.is_empty());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type="date"
                class="input"
                value=value
                aria-describedby=described
                aria-invalid=invalid
            />
            <Below name error hint/>
        </div>
    }
}
