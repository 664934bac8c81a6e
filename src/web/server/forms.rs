//! Forms as a browser without JavaScript sends them: it leaves the page, and has to be sent on.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::domain::PlanForm;
use crate::web::AppError;

/// Whether the browser itself sent the form: the code in the page doesn't ask for HTML.
pub fn is_plain_form(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Answers where to go on, and sends a plain form's browser there.
pub fn go_on(path: &str) -> String {
    let path = inside(path);
    if let (Some(parts), Some(response)) = (use_context::<Parts>(), use_context::<ResponseOptions>())
        && is_plain_form(&parts.headers)
    {
        redirect(&response, path);
    }
    path.to_owned()
}

/// Makes the answer a redirect to `path`.
pub fn redirect(response: &ResponseOptions, path: &str) {
    if let Ok(location) = HeaderValue::from_str(path) {
        response.insert_header(header::LOCATION, location);
        response.set_status(StatusCode::SEE_OTHER);
    }
}

/// `path` where it stays at this address, else the front page: a log-in link must not lead elsewhere.
fn inside(path: &str) -> &str {
    let ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours { path } else { "/" }
}

/// Takes along a plan as it was typed.
pub fn keep_plan(error: impl Into<AppError>, form: &PlanForm) -> AppError {
    let error = error.into();
    match serde_json::to_value(form) {
        Ok(serde_json::Value::Object(fields)) => error.keeping(
            fields.iter().filter_map(|(field, value)| Some((field.as_str(), value.as_str()?.to_owned()))),
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_ours_is_followed() {
        for path in ["/usage", "/subscription-plans?new=1", "/"] {
            assert_eq!(inside(path), path);
        }
        for path in ["", "usage", "//evil.test", "/\\evil.test", "https://evil.test", "/a\nb", "javascript:x"] {
            assert_eq!(inside(path), "/", "{path:?}");
        }
    }
}
