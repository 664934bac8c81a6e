//! A labelled field with its hint and its error.

use leptos::prelude::*;

/// One field of a form.
#[component]
pub fn Field(
    /// Also its id.
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] input_type: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(default = None)] error: Option<String>,
    #[prop(default = true)] required: bool,
) -> impl IntoView {
    let described = describes(name, error.is_some(), !hint.is_empty());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=input_type
                class="input"
                autocomplete=autocomplete
                required=required
                value=value
                aria-describedby=described
                aria-invalid=invalid
            />
            <Below name error hint/>
        </div>
    }
}

/// One of several, chosen from a list.
#[component]
pub fn Choice(
    /// Also its id.
    name: &'static str,
    label: &'static str,
    /// The values with what they are called.
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

/// The line under a field: its error if there is one, else its hint.
#[component]
pub fn Below(name: &'static str, error: Option<String>, hint: &'static str) -> impl IntoView {
    let (class, text) = match error {
        Some(error) => ("field__error", error),
        None if hint.is_empty() => return None,
        None => ("field__hint", hint.to_owned()),
    };
    Some(view! { <p class=class id=format!("{name}-below")>{text}</p> })
}

/// For the field's `aria-describedby`: the line under it, if there is one.
pub fn describes(name: &str, error: bool, hint: bool) -> Option<String> {
    (error || hint).then(|| format!("{name}-below"))
}

/// The text of a `<textarea>`, which leptos writes as it is given: it counts the element among those whose content
/// isn't HTML, as that of `<script>`. The browser reads it from the server's page and never writes it.
pub fn textarea_text(text: String) -> String {
    // Of nothing, leptos would make a space.
    if text.is_empty() { text } else { text.to_html() }
}
