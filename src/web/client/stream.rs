//! The group's usage and subscription as they change, by server-sent events. Reconnecting is the browser's own.
//!
//! A browser opens few connections to one server, shared by all of its tabs. So a page has one stream for all of its
//! islands, and none while it isn't seen: the first events after it comes back say what changed meanwhile.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::{document, untrack};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use super::call;
use crate::domain::{Subscription, Usage};

const ADDRESS: &str = "/api/subscriptions/subscriptions/usage/stream/";

thread_local! {
    static LISTENERS: RefCell<Vec<Rc<Listener>>> = const { RefCell::new(Vec::new()) };
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
    static LAST: RefCell<Last> = const { RefCell::new(Last { usage: None, subscription: None, live: None }) };
    static FOLLOWS_SIGHT: Cell<bool> = const { Cell::new(false) };
}

/// What came last: an island that begins to listen is told at once.
struct Last {
    usage: Option<Usage>,
    subscription: Option<Option<Subscription>>,
    live: Option<bool>,
}

struct Listener {
    on_usage: Box<dyn Fn(Usage)>,
    on_subscription: Box<dyn Fn(Option<Subscription>)>,
    on_live: Box<dyn Fn(bool)>,
}

/// Listens until dropped.
pub struct UsageStream(Rc<Listener>);

impl UsageStream {
    /// Calls `on_usage` and `on_subscription` at once and for every change, and `on_live` when the connection
    /// comes or goes. `None` where the browser has no server-sent events.
    pub fn open(
        on_usage: impl Fn(Usage) + 'static,
        on_subscription: impl Fn(Option<Subscription>) + 'static,
        on_live: impl Fn(bool) + 'static,
    ) -> Option<Self> {
        let listener = Rc::new(Listener {
            on_usage: Box::new(on_usage),
            on_subscription: Box::new(on_subscription),
            on_live: Box::new(on_live),
        });
        LISTENERS.with_borrow_mut(|all| all.push(Rc::clone(&listener)));
        follow_sight();
        if CONNECTION.with_borrow(Option::is_none) {
            connect()?;
        } else {
            let (usage, subscription, live) =
                LAST.with_borrow(|last| (last.usage.clone(), last.subscription.clone(), last.live));
            untrack(|| {
                if let Some(usage) = usage {
                    (listener.on_usage)(usage);
                }
                if let Some(subscription) = subscription {
                    (listener.on_subscription)(subscription);
                }
                if let Some(live) = live {
                    (listener.on_live)(live);
                }
            });
        }
        Some(Self(listener))
    }
}

impl Drop for UsageStream {
    fn drop(&mut self) {
        let is_last = LISTENERS.with_borrow_mut(|all| {
            all.retain(|listener| !Rc::ptr_eq(listener, &self.0));
            all.is_empty()
        });
        if is_last {
            CONNECTION.set(None);
        }
    }
}

/// Calls every listener. One of them may begin or end another.
fn tell(say: impl Fn(&Listener)) {
    let all = LISTENERS.with_borrow(Clone::clone);
    untrack(|| all.iter().for_each(|listener| say(listener)));
}

/// Open until dropped.
struct Connection {
    source: EventSource,
    _on_message: [Closure<dyn FnMut(MessageEvent)>; 2],
    _on_state: [Closure<dyn FnMut()>; 2],
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn connect() -> Option<()> {
    if document().hidden() {
        return Some(());
    }
    let source = EventSource::new(ADDRESS).ok()?;
    let on_usage = |usage: Usage| {
        LAST.with_borrow_mut(|last| last.usage = Some(usage.clone()));
        tell(|listener| (listener.on_usage)(usage.clone()));
    };
    let on_subscription = |subscription: Option<Subscription>| {
        LAST.with_borrow_mut(|last| last.subscription = Some(subscription.clone()));
        tell(|listener| (listener.on_subscription)(subscription.clone()));
    };
    let on_live = |live| {
        LAST.with_borrow_mut(|last| last.live = Some(live));
        tell(|listener| (listener.on_live)(live));
    };
    let on_message = [listen(&source, "usage", on_usage)?, listen(&source, "subscription", on_subscription)?];
    let on_state = [
        Closure::<dyn FnMut()>::new(move || on_live(true)),
        Closure::<dyn FnMut()>::new(move || on_live(false)),
    ];
    source.set_onopen(Some(on_state[0].as_ref().unchecked_ref()));
    source.set_onerror(Some(on_state[1].as_ref().unchecked_ref()));
    CONNECTION.set(Some(Connection { source, _on_message: on_message, _on_state: on_state }));
    Some(())
}

/// Ends the connection when the page is out of sight, and has another when it is back.
fn follow_sight() {
    if FOLLOWS_SIGHT.replace(true) {
        return;
    }
    let on_change = Closure::<dyn FnMut()>::new(|| {
        if document().hidden() {
            CONNECTION.set(None);
        } else if CONNECTION.with_borrow(Option::is_none) && LISTENERS.with_borrow(|all| !all.is_empty()) {
            // Where a browser had server-sent events, it has them again.
            _ = connect();
        }
    });
    _ = call(&document(), "addEventListener", &["visibilitychange".into(), on_change.as_ref().clone()]);
    on_change.forget();
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
