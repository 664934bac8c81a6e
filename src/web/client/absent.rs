//! Stands in for `web::client` outside a browser: what islands call only from effects and handlers, which the
//! server never runs.

use leptos::ev::MouseEvent;

use crate::domain::{Intent, Subscription, Usage};
use crate::web::gateway::{Chunk, Failure, Models, NoMicrophone};

pub fn reload() {}

pub async fn renew(_ids: &str) {}

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

/// # Errors
/// Always, as [`confirm_card`].
pub async fn ask_bank(_js: &str, _publishable_key: &str, _client_secret: &str) -> Result<(), String> {
    Err(String::new())
}

pub fn drop_card() {}

pub struct UsageStream;

impl UsageStream {
    pub fn open(
        _on_usage: impl Fn(Usage) + 'static,
        _on_subscription: impl Fn(Option<Subscription>) + 'static,
        _on_live: impl Fn(bool) + 'static,
    ) -> Option<Self> {
        None
    }
}

/// # Errors
/// Always: there is no gateway to reach outside a browser.
pub async fn stream_answer(_request: String, _on_chunk: impl FnMut(Chunk)) -> Result<(), Failure> {
    Err(Failure::Unreachable)
}

pub fn stop_answer() {}

/// # Errors
/// Always, as [`stream_answer`].
pub async fn models() -> Result<Models, Failure> {
    Err(Failure::Unreachable)
}

/// # Errors
/// Always: there is no microphone outside a browser.
pub async fn start_recording() -> Result<(), NoMicrophone> {
    Err(NoMicrophone::Unsupported)
}

pub fn discard_recording() {}

/// # Errors
/// Always, as [`start_recording`].
pub async fn finish_recording(_model: String) -> Result<String, Failure> {
    Err(Failure::Unreachable)
}

/// # Errors
/// Always, as [`stream_answer`].
pub async fn read_aloud(_event: MouseEvent, _model: String) -> Result<(), Failure> {
    Err(Failure::Unreachable)
}

pub fn is_at_end() -> bool {
    false
}

pub fn scroll_to_end() {}

pub fn is_online() -> bool {
    true
}

pub fn text_in(_id: &str) -> Option<String> {
    None
}

pub fn send_form(_event: &leptos::ev::KeyboardEvent) {}
