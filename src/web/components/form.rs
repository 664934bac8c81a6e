//! A form that calls a server function, and what became of its last sending.

use leptos::prelude::*;
use leptos::server::ServerActionError;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;

use super::notice::Notice;
use crate::domain::Level;
use crate::web::AppError;

/// The last attempt to send a form, where this page is shown because it was refused.
#[derive(Clone, Debug, Default)]
pub struct Attempt(Option<AppError>);

impl Attempt {
    /// The last attempt to call this server function.
    pub fn of<S: ServerFn<Error = AppError>>() -> Self {
        let error = use_context::<ServerActionError>().filter(|error| error.path() == S::PATH);
        Self(error.map(|error| ServerFnUrlError::<AppError>::decode_err(error.err())))
    }

    pub fn refused(self) -> Option<AppError> {
        self.0
    }

    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        self.0.as_ref()?.field(field)
    }

    /// What was typed into a field.
    pub fn value(&self, field: &str) -> String {
        self.0.as_ref().and_then(|error| error.typed(field)).unwrap_or_default().to_owned()
    }

    /// What is wrong with the form as a whole, for a form with these fields.
    pub fn message(&self, fields: &[&str]) -> Option<String> {
        self.0.as_ref()?.form(fields)
    }
}

/// A form whose sending calls the server function at `to`.
#[component]
pub fn Form(to: &'static str, children: Children) -> impl IntoView {
    view! {
        <form method="post" action=to>
            {children()}
        </form>
    }
}

/// What was refused about a form as a whole.
#[component]
pub fn Refused(message: Option<String>) -> impl IntoView {
    message.map(|message| view! { <Notice level=Level::Limit alert=true>{message}</Notice> })
}

/// Why the last call of a server function without fields of its own was refused, if it was.
pub fn refused<S: ServerFn<Error = AppError>>() -> impl IntoView {
    let message = Attempt::of::<S>().message(&[]);
    view! { <Refused message/> }
}
