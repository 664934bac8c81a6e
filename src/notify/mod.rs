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
use crate::storage::{Store, Tx};

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

    /// Puts a plain-text message into the outbox, in the transaction of what it tells of. [`Outbox::wake`] after the
    /// commit sends it at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(&self, tx: &mut Tx, to: &str, subject: &str, body: &str) -> Result<()> {
        tx.add_to_outbox(Uuid::now_v7().into(), to, subject, body, self.clock.now()).await
    }

    /// Has the worker look at the outbox now.
    pub fn wake(&self) {
        self.nudge.notify_one();
    }
}
