//! What is wrong with an input, field by field.

use serde::{Deserialize, Serialize};

use super::Refusal;

/// One thing wrong with one field of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field as the input names it; `events[3].id` for one inside a list.
    pub field: String,
    /// A sentence a person can act on.
    pub message: String,
}

/// Gathers what is wrong, so that an answer names every field at once rather than the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Keeps the value of `result`, or notes its message against `field`.
    pub fn take<T>(&mut self, field: &str, result: Result<T, impl Into<String>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(field, message);
                None
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first message against `field`, for the line under its input.
    pub fn message(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    /// # Errors
    /// [`Refusal::Invalid`] where anything is wrong.
    pub fn into_result(self) -> Result<(), Refusal> {
        if self.is_empty() { Ok(()) } else { Err(self.into()) }
    }

    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// A trimmed text of one line, `min` to `max` characters.
///
/// # Errors
/// A sentence saying what is wrong, with `what` as its subject.
pub fn text(value: &str, what: &str, min: usize, max: usize) -> Result<String, String> {
    let value = multiline_text(value, what, min, max)?;
    // Unicode's own line breaks are no control characters.
    if value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(format!("{what} must not contain line breaks or tabs."));
    }
    Ok(value)
}

/// A trimmed text of `min` to `max` characters, which may have lines and tabs.
///
/// # Errors
/// A sentence saying what is wrong, with `what` as its subject.
pub fn multiline_text(value: &str, what: &str, min: usize, max: usize) -> Result<String, String> {
    let value = value.trim();
    let length = value.chars().count();
    if length < min {
        return Err(if length == 0 {
            format!("{what} is required.")
        } else {
            format!("{what} must have at least {min} characters.")
        });
    }
    if length > max {
        return Err(format!("{what} must have at most {max} characters."));
    }
    if value.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Err(format!("{what} must not contain control characters."));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(text("  Ada  ", "Name", 1, 100).unwrap(), "Ada");
        for wrong in ["", "  ", "A\nBcc: b@example.com", "A\rB", "A\tB", "A\u{0}B", "A\u{2028}B", "A\u{85}B"]
        {
            assert!(text(wrong, "Name", 1, 100).is_err(), "{wrong:?}");
        }
        assert!(multiline_text("one\n\ttwo", "Description", 0, 500).is_ok());
        assert!(multiline_text("one\u{0}", "Description", 0, 500).is_err());
    }
}
