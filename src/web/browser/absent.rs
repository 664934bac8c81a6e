//! Stands in for `web_browser` outside a browser: what pages call only from effects and handlers, which the
//! server never runs.

use crate::domain::{Intent, Usage};

pub fn load(_path: &str) {}

pub fn hide_form_error() {}

pub async fn copy(_text: &str) -> bool {
    false
}

pub async fn pause(_milliseconds: i32) {}

pub struct UsageStream;

impl UsageStream {
    pub fn open(_on_usage: impl Fn(Usage) + 'static, _on_live: impl Fn(bool) + 'static) -> Option<Self> {
        None
    }
}

#[derive(Clone)]
pub struct Card;

impl Card {
    /// # Errors
    /// Always: there is no card form outside a browser.
    pub async fn mount(_js: &str, _key: &str, _secret: &str, _id: &str) -> Result<Self, String> {
        Err(String::new())
    }

    /// # Errors
    /// Always: there is no card form outside a browser.
    pub async fn confirm(&self, _intent: Intent) -> Result<(), String> {
        Err(String::new())
    }
}
