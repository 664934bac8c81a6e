//! The group's usage as it changes, by server-sent events. Reconnecting is the browser's own.

use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use crate::domain::Usage;

const ADDRESS: &str = "/api/subscriptions/subscriptions/usage/stream/";

/// Open until dropped.
pub struct UsageStream {
    source: EventSource,
    _on_usage: Closure<dyn FnMut(MessageEvent)>,
    _on_open: Closure<dyn FnMut()>,
    _on_error: Closure<dyn FnMut()>,
}

impl UsageStream {
    /// Calls `on_usage` for every change and `on_live` when the connection comes or goes. `None` where the
    /// browser has no server-sent events.
    pub fn open(
        on_usage: impl Fn(Usage) + 'static,
        on_live: impl Fn(bool) + Clone + 'static,
    ) -> Option<Self> {
        let source = EventSource::new(ADDRESS).ok()?;
        let on_usage = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let text = event.data().as_string().unwrap_or_default();
            // From bytes, as server functions' answers are read: one reader less to download.
            if let Ok(usage) = serde_json::from_slice(text.as_bytes()) {
                on_usage(usage);
            }
        });
        let live = on_live.clone();
        let on_open = Closure::<dyn FnMut()>::new(move || live(true));
        let on_error = Closure::<dyn FnMut()>::new(move || on_live(false));
        source.add_event_listener_with_callback("usage", on_usage.as_ref().unchecked_ref()).ok()?;
        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self { source, _on_usage: on_usage, _on_open: on_open, _on_error: on_error })
    }
}

impl Drop for UsageStream {
    fn drop(&mut self) {
        self.source.close();
    }
}
