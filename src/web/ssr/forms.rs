//! Forms as browsers send them: the answer is the page to go on to.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::Serialize;

use super::shown_once;
use crate::web::AppError;

/// Whether a browser sent this as a form: code in a page doesn't ask for HTML.
pub fn is_plain_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Sends a form's browser on to `path`.
pub fn go_on(path: &str) {
    if let (Some(parts), Some(response)) = (use_context::<Parts>(), use_context::<ResponseOptions>())
        && is_plain_form(&parts.headers)
    {
        redirect(&response, path);
    }
}

/// Leaves a sentence about what was done for the next page to show.
pub fn done(sentence: &str) {
    shown_once::put(shown_once::DONE, &sentence);
}

/// Makes the answer a redirect to `path`.
pub fn redirect(response: &ResponseOptions, path: &str) {
    if let Ok(location) = HeaderValue::from_str(inside(path)) {
        response.insert_header(header::LOCATION, location);
        response.set_status(StatusCode::SEE_OTHER);
    }
}

/// `path` where it stays at this address, else the front page: a log-in link must not lead elsewhere.
pub fn inside(path: &str) -> &str {
    let ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours { path } else { "/" }
}

/// Takes along a form as it was typed.
pub fn keep(error: impl Into<AppError>, form: &impl Serialize) -> AppError {
    let error = error.into();
    match serde_json::to_value(form) {
        Ok(serde_json::Value::Object(fields)) => error.keeping(
            fields.iter().filter_map(|(field, value)| Some((field.as_str(), value.as_str()?.to_owned()))),
        ),
        _ => error,
    }
}

/// Makes the answer a redirect to an address of Stripe's.
pub fn leave(address: &str) {
    if let (Some(response), Ok(location)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(address))
    {
        response.insert_header(header::LOCATION, location);
        response.set_status(StatusCode::SEE_OTHER);
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
        for path in ["", "usage", "//evil.test", "/\\evil.test", "https://evil.test", "/a\nb", "javascript:x"]
        {
            assert_eq!(inside(path), "/", "{path:?}");
        }
    }
}
