//! E-mail: written to the outbox with what it tells of, sent from there.
//!
//! Owns: the outbox and its worker. Without an SMTP server the messages stay, and the SuperAdmin reads them
//! on a page. Doesn't own: when somebody is to be told, and in what words.

mod sender;

use tokio::sync::Notify;
use uuid::Uuid;

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::Result;
use crate::storage::Store;

pub use sender::{Mailer, MailerError};

/// Where messages are put. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    nudge: Arc<Notify>,
}

impl Outbox {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, nudge: Arc::default() }
    }

    /// Puts a plain-text message into the outbox.
    pub async fn send(&self, to: &str, subject: &str, body: &str) -> Result<()> {
        self.store.add_to_outbox(Uuid::now_v7(), to, subject, body, self.clock.now()).await?;
        self.nudge.notify_one();
        Ok(())
    }
}
