//! What a server function answers when it can't do what was asked.
//!
//! This is what a browser sees, so it can only be made of what is meant for people: the conversion from the
//! server's own error stands in `web/ssr/error.rs` and leaves the inside behind.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::{FieldError, Refusal};

/// Codes of refusals that are told apart here.
const EMAIL_TAKEN: &str = "email_taken";
const MALFORMED: &str = "malformed";
/// The most bytes of what was typed that an error takes along. Proxies refuse headers above 8 KiB.
const MOST_TYPED: usize = 3 * 1024;

#[derive(Clone, Debug, PartialEq, Error, Serialize, Deserialize)]
pub enum AppError {
    /// What a [`Refusal`] says. Not the refusal itself: the figures that some carry would be code in every browser.
    #[error("{message}")]
    Refused {
        /// [`Refusal::code`].
        code: String,
        message: String,
        /// What is wrong with single fields.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<FieldError>,
        /// What was typed, by field, where a form is to be shown again: a browser without JavaScript
        /// loads the page anew and would have lost it. Never a password.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        typed: Vec<(String, String)>,
    },
    /// Stripe didn't answer as it should; what it said is in the log.
    #[error("Stripe doesn't answer as it should at the moment. Try again: nothing is charged twice.")]
    Stripe,
    /// The inside failed; it is in the log.
    #[error("Something went wrong on our side. Try again in a moment.")]
    Unavailable,
    /// The answer never came, or wasn't one of ours.
    #[error("The server can't be reached. Check the connection and try again.")]
    Unreachable,
}

impl AppError {
    fn refused(code: &str, message: String, errors: Vec<FieldError>) -> Self {
        Self::Refused { code: code.to_owned(), message, errors, typed: Vec::new() }
    }

    /// The code of what was refused; `None` where it wasn't refused, but failed.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    fn errors(&self) -> &[FieldError] {
        match self {
            Self::Refused { errors, .. } => errors,
            _ => &[],
        }
    }

    fn is_about_the_address(&self) -> bool {
        self.code() == Some(EMAIL_TAKEN)
    }

    /// The message for the line under the field of this name.
    pub fn field(&self, name: &str) -> Option<String> {
        if name == "email" && self.is_about_the_address() {
            return Some(self.to_string());
        }
        self.errors().iter().find(|error| error.field == name).map(|error| error.message.clone())
    }

    /// The message for the whole form: all but what [`AppError::field`] shows under one of `fields`.
    pub fn form(&self, fields: &[&str]) -> Option<String> {
        let errors = self.errors();
        if !errors.is_empty() {
            let rest = errors.iter().find(|error| !fields.contains(&error.field.as_str()));
            return rest.map(|error| error.message.clone());
        }
        (!self.is_about_the_address() || !fields.contains(&"email")).then(|| self.to_string())
    }

    /// What was typed into the field of this name before the form was refused.
    pub fn typed(&self, name: &str) -> Option<&str> {
        match self {
            Self::Refused { typed, .. } => {
                typed.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }

    /// Takes along what was typed, as far as it fits an address: a value that doesn't is left out.
    #[must_use]
    pub fn keeping<'a>(mut self, fields: impl IntoIterator<Item = (&'a str, impl Into<String>)>) -> Self {
        if let Self::Refused { typed, .. } = &mut self {
            typed.clear();
            let mut budget = MOST_TYPED;
            for (field, value) in fields {
                let value = value.into();
                if let Some(left) = budget.checked_sub(value.len()) {
                    budget = left;
                    typed.push((field.to_owned(), value));
                }
            }
        }
        self
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = (refusal.code(), refusal.to_string());
        let errors = if let Refusal::Invalid(errors) = refusal { errors } else { Vec::new() };
        Self::refused(code, message, errors)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => {
                let message = "The request is malformed: a field is missing or has the wrong form.";
                Self::refused(MALFORMED, message.to_owned(), Vec::new())
            }
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Deserialization(_) => Self::Unreachable,
            _ => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(fields: &[&str]) -> AppError {
        let errors = fields
            .iter()
            .map(|field| FieldError { field: (*field).to_owned(), message: format!("{field} is wrong.") });
        Refusal::Invalid(errors.collect()).into()
    }

    #[test]
    fn a_field_shows_its_own_error_and_the_form_the_rest() {
        let error = invalid(&["name", "elsewhere"]);
        assert_eq!(error.field("name").as_deref(), Some("name is wrong."));
        assert_eq!(error.field("email"), None);
        assert_eq!(error.form(&["name", "email"]).as_deref(), Some("elsewhere is wrong."));
        assert_eq!(invalid(&["name"]).form(&["name"]), None);
    }

    #[test]
    fn a_taken_address_is_shown_under_the_address_where_there_is_such_a_field() {
        let error = AppError::from(Refusal::EmailTaken);
        assert!(error.field("email").is_some());
        assert_eq!(error.form(&["email"]), None);
        assert!(error.form(&["name"]).is_some());
    }

    #[test]
    fn the_codes_told_apart_here_are_those_of_refusals() {
        assert_eq!(Refusal::EmailTaken.code(), EMAIL_TAKEN);
        assert_eq!(Refusal::Malformed(String::new()).code(), MALFORMED);
    }

    #[test]
    fn what_was_typed_comes_back_through_the_address_bar() {
        let error = invalid(&["name"]).keeping([("name", "A&B=ü"), ("email", "")]);
        let back = AppError::de(error.ser());
        assert_eq!(back, error);
        assert_eq!(back.typed("name"), Some("A&B=ü"));
        assert_eq!(back.typed("password"), None);
    }

    #[test]
    fn what_was_typed_fits_an_address() {
        let long = "x".repeat(MOST_TYPED + 1);
        let error = invalid(&["name"]).keeping([("description", long.as_str()), ("name", "Pro")]);
        assert_eq!((error.typed("description"), error.typed("name")), (None, Some("Pro")));
        let most = "x".repeat(MOST_TYPED);
        assert!(invalid(&["name"]).keeping([("a", most.as_str()), ("b", "y")]).ser().len() < 4 * 1024);
    }

    #[test]
    fn what_is_not_ours_is_read_as_no_answer() {
        assert_eq!(AppError::de("<html>502</html>".into()), AppError::Unreachable);
    }
}
