//! Stands in for `web::client` outside a browser: what islands call only from effects and handlers, which the
//! server never runs.

use crate::domain::{Intent, Subscription, Usage};

pub fn reload() {}

pub async fn copy(_text: &str) -> bool {
    false
}

pub async fn pause(_milliseconds: i32) {}

pub async fn mount_card(_js: &str, _key: &str, _secret: &str, _id: &'static str) -> bool {
    false
}

/// # Errors
/// Always: there is no card form outside a browser.
pub async fn confirm_card(_intent: Intent) -> Result<(), String> {
    Err(String::new())
}

pub fn drop_card() {}

pub struct UsageStream;

impl UsageStream {
    pub fn open(
        _on_usage: impl Fn(Usage) + 'static,
        _on_subscription: impl Fn(Option<Subscription>) + 'static,
        _on_live: impl Fn(bool) + Clone + 'static,
    ) -> Option<Self> {
        None
    }
}
