//! E-mail: put down in the transaction of its cause, sent from the outbox.
//!
//! Owns: what messages say, who is told of what, the outbox and its worker. A message that is written while no SMTP server is
//! set isn't sent: the SuperAdmin reads it on a page. Doesn't own: when something is to be told.
//!
//! What a group is to be told is a notice, one row in the transaction of its cause (`storage`'s `Tx::add_notice`), which
//! becomes a message for each of those who are to know (`expand`). What is for one person, whose address its cause knows, is
//! a message at once (`people`), so that a secret link never lies in a notice.
//!
//! A message is sent at least once. Twice is possible where a mail server took it and its answer was lost, or where the
//! server that sent it was killed before it noted so; its Message-ID is the same then, by which receivers know it.

mod expand;
mod mailer;
mod people;
mod settings;
mod templates;

use std::sync::Arc;

use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::{MessageId, MessageState, OutboxMessage, Refusal, User};
use crate::error::Result;
use crate::storage::{Store, Tx};

pub use crate::storage::{MessageLink, NewMessage, OutboxRow, PageRequest, PageRows, Unsubscribable};
pub use mailer::{MAX_ATTEMPTS, Mailer, MailerError};
pub use people::{InvitationMessage, SignInChange};

/// Where messages are put. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    /// The address people see, with a slash at its end.
    public_url: Url,
    /// The state that a message begins in.
    first_state: MessageState,
    added: Arc<Notify>,
}

impl Outbox {
    /// With `sends`, a [`Mailer`] sends what is put in, in this process or another.
    pub fn new(store: Store, clock: Clock, public_url: &Url, sends: bool) -> Self {
        let first_state = if sends { MessageState::Waiting } else { MessageState::Kept };
        let mut public_url = public_url.clone();
        if !public_url.path().ends_with('/') {
            public_url.set_path(&format!("{}/", public_url.path()));
        }
        Self { store, clock, public_url, first_state, added: Arc::default() }
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

    /// One page of the messages, newest first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for all but a SuperAdmin; the database's.
    pub async fn messages(&self, user: &User, page: PageRequest<MessageId>) -> Result<PageRows<OutboxRow>> {
        user.must_be_superadmin()?;
        self.store.outbox_page(page).await
    }

    /// Has a message sent now that was given up, is waiting for its next try, or was kept while no mail server was set.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for all but a SuperAdmin; [`Refusal::NotFound`]; [`Refusal::Conflict`] for one that was sent or
    /// whose link has expired, and where no mail server is set; the database's.
    pub async fn send_again(&self, user: &User, id: MessageId) -> Result<OutboxMessage> {
        user.must_be_superadmin()?;
        if self.first_state == MessageState::Kept {
            self.store.message_state(id).await?;
            return Err(Refusal::Conflict("No mail server is set: SMTP_URL says which.".into()).into());
        }
        let waiting = self.store.send_again(id, self.clock.now()).await?;
        self.wake();
        Ok(waiting)
    }

    /// Has the worker look at the outbox now.
    pub fn wake(&self) {
        self.added.notify_one();
    }
}
