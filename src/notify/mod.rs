//! E-mail: written to the outbox in the transaction of its cause, sent from there.
//!
//! Owns: the outbox and its worker. A message that is written while no SMTP server is set isn't sent: the SuperAdmin
//! reads it on a page. Doesn't own: what is written when, and to which address.

mod mailer;

use std::sync::Arc;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::MessageId;
use crate::error::Result;
use crate::storage::{MessageState, Store, Tx};

pub use crate::storage::{MessageLink, NewMessage};
pub use mailer::{MAX_ATTEMPTS, Mailer, MailerError};

/// Where messages are put. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    /// The state that a message begins in.
    first_state: MessageState,
    added: Arc<Notify>,
}

impl Outbox {
    /// With `sends`, a [`Mailer`] sends what is put in, in this process or another.
    pub fn new(store: Store, clock: Clock, sends: bool) -> Self {
        let first_state = if sends { MessageState::Waiting } else { MessageState::Kept };
        Self { store, clock, first_state, added: Arc::default() }
    }

    /// Puts a message into the outbox, in the transaction of its cause. [`Outbox::wake`] after the commit sends
    /// it at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(&self, tx: &mut Tx, message: &NewMessage) -> Result<MessageId> {
        let id = Uuid::now_v7().into();
        tx.add_to_outbox(id, message, self.first_state, self.clock.now()).await?;
        Ok(id)
    }

    /// Has the worker look at the outbox now.
    pub fn wake(&self) {
        self.added.notify_one();
    }
}
