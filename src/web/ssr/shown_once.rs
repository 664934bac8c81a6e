//! What the page after a form shows once: a new key, an invitation's link, what was done.
//!
//! It is stored nowhere on our side: the answer to the form leaves it in a cookie that scripts can't read, the
//! page that follows shows it and takes the cookie away.

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::services;
use super::form_errors::cookie;

pub const DONE: &str = "done";
pub const INVITATION: &str = "invitation";
pub const KEY: &str = "key";

/// Leaves `value` for the next page, which has a minute to come.
pub fn put<T: Serialize>(name: &str, value: &T) {
    if let Ok(json) = serde_json::to_vec(value) {
        set(name, &URL_SAFE_NO_PAD.encode(json), 60);
    }
}

/// What was left under this name, once.
pub fn take<T: DeserializeOwned>(name: &str) -> Option<T> {
    let parts = use_context::<Parts>()?;
    let value = cookie(&parts.headers, &format!("tollgate_once_{name}"))?;
    set(name, "", 0);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}

fn set(name: &str, value: &str, seconds: u32) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    let secure = if services().config.public_url.scheme() == "https" { "; Secure" } else { "" };
    let cookie =
        format!("tollgate_once_{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}
