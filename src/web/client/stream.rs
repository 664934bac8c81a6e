//! The group's usage and subscription as they change, by server-sent events. Reconnecting is the browser's own.

use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use crate::domain::{Subscription, Usage};

const ADDRESS: &str = "/api/subscriptions/subscriptions/usage/stream/";

/// Open until dropped.
pub struct UsageStream {
    source: EventSource,
    _on_message: [Closure<dyn FnMut(MessageEvent)>; 2],
    _on_state: [Closure<dyn FnMut()>; 2],
}

impl UsageStream {
    /// Calls `on_usage` and `on_subscription` at once and for every change, and `on_live` when the connection
    /// comes or goes. `None` where the browser has no server-sent events.
    pub fn open(
        on_usage: impl Fn(Usage) + 'static,
        on_subscription: impl Fn(Option<Subscription>) + 'static,
        on_live: impl Fn(bool) + Clone + 'static,
    ) -> Option<Self> {
        let source = EventSource::new(ADDRESS).ok()?;
        let on_message =
            [listen(&source, "usage", on_usage)?, listen(&source, "subscription", on_subscription)?];
        let live = on_live.clone();
        let on_state = [
            Closure::<dyn FnMut()>::new(move || live(true)),
            Closure::<dyn FnMut()>::new(move || on_live(false)),
        ];
        source.set_onopen(Some(on_state[0].as_ref().unchecked_ref()));
        source.set_onerror(Some(on_state[1].as_ref().unchecked_ref()));
        Some(Self { source, _on_message: on_message, _on_state: on_state })
    }
}

impl Drop for UsageStream {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Calls `handle` with the data of every event of this name.
fn listen<T: DeserializeOwned>(
    source: &EventSource,
    name: &str,
    handle: impl Fn(T) + 'static,
) -> Option<Closure<dyn FnMut(MessageEvent)>> {
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let text = event.data().as_string().unwrap_or_default();
        // From bytes, as server functions' answers are read: one reader less to download.
        if let Ok(data) = serde_json::from_slice(text.as_bytes()) {
            handle(data);
        }
    });
    source.add_event_listener_with_callback(name, on_message.as_ref().unchecked_ref()).ok()?;
    Some(on_message)
}
