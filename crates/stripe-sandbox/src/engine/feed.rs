//! What happens, told to the subscribers of the moment. Unlike a delivery it is told once, and kept nowhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::mpsc;

/// Something that happened.
#[derive(Clone)]
pub(crate) enum News {
    /// An event, as the API shows it.
    Event(Arc<Value>),
    /// A request to the API that was answered.
    Request(Arc<RequestLog>),
}

/// What is told of a request.
pub(crate) struct RequestLog {
    pub(crate) id: String,
    /// By the machine's clock, in Unix seconds.
    pub(crate) created: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// The error that it was answered with, else null.
    pub(crate) error: Value,
}

/// The listeners. Each has a queue of its own without a bound, so that none can hold up what it is told of.
#[derive(Default)]
pub(super) struct Feed(Mutex<Vec<mpsc::UnboundedSender<News>>>);

impl Feed {
    pub(super) fn listen(&self) -> mpsc::UnboundedReceiver<News> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners().push(sender);
        receiver
    }

    pub(super) fn is_heard(&self) -> bool {
        !self.listeners().is_empty()
    }

    pub(super) fn tell(&self, news: &News) {
        self.listeners().retain(|listener| listener.send(news.clone()).is_ok());
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<News>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
