//! A labelled field with its hint and its error.

use leptos::prelude::*;

/// One field of a form. The browser's own checks are left to the form: `required` here says so to assistive
/// technology, and the error below is the server's wording.
#[component]
pub fn Field(
    /// Also its id, with `prefix` in front.
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] prefix: &'static str,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] inputmode: Option<&'static str>,
    #[prop(optional)] required: bool,
    #[prop(optional)] focus: bool,
    #[prop(optional, into)] value: Signal<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let id = format!("{prefix}{name}");
    let described = Described::new(&id, hint);
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type=kind
                class="input"
                autocomplete=autocomplete
                inputmode=inputmode
                required=required
                autofocus=focus
                value=move || value.get()
                aria-describedby=described.ids(error)
                aria-invalid=move || error.get().map(|_| "true")
            />
            {described.below(error)}
        </div>
    }
}

/// The lines under a field, tied to it for assistive technology.
#[derive(Clone)]
pub struct Described {
    id: String,
    hint: String,
}

impl Described {
    pub fn new(id: &str, hint: String) -> Self {
        Self { id: id.to_owned(), hint }
    }

    /// For the field's `aria-describedby`.
    pub fn ids(&self, error: Signal<Option<String>>) -> impl Fn() -> Option<String> + Send + Clone + use<> {
        let Self { id, hint } = self.clone();
        move || match (error.get().is_some(), hint.is_empty()) {
            (true, _) => Some(format!("{id}-error")),
            (false, false) => Some(format!("{id}-hint")),
            (false, true) => None,
        }
    }

    /// The error if there is one, else the hint.
    pub fn below(self, error: Signal<Option<String>>) -> impl IntoView {
        let Self { id, hint } = self;
        move || match error.get() {
            Some(message) => {
                view! { <p class="field__error" id=format!("{id}-error")>{message}</p> }.into_any()
            }
            None if hint.is_empty() => ().into_any(),
            None => view! { <p class="field__hint" id=format!("{id}-hint")>{hint.clone()}</p> }.into_any(),
        }
    }
}
