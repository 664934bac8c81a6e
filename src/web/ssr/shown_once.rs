//! What the page after a form shows once: a new key, an invitation's link, what was done.
//!
//! It is not stored on our side: the answer to the form leaves it in a cookie that scripts can't read, the
//! page that follows shows it and takes the cookie away.

use axum::http::header;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cookies;

pub const DONE: &str = "done";
pub const INVITATION: &str = "invitation";
pub const KEY: &str = "key";
/// The conversation that was just begun, and whose question is to be answered.
pub const QUESTION: &str = "question";

/// Leaves `value` for the next page, which has a minute to come.
pub fn put<T: Serialize>(name: &str, value: &T) {
    if let Ok(json) = serde_json::to_vec(value) {
        set(name, &URL_SAFE_NO_PAD.encode(json), 60);
    }
}

/// What was left under this name, once.
pub fn take<T: DeserializeOwned>(name: &str) -> Option<T> {
    let parts = use_context::<Parts>()?;
    let value = cookies::read(&parts.headers, &format!("tollgate_once_{name}"))?;
    set(name, "", 0);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}

fn set(name: &str, value: &str, seconds: i64) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    if let Some(cookie) = cookies::set(&format!("tollgate_once_{name}"), value, seconds) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}
