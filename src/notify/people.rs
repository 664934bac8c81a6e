//! Messages to one person, whose address is known where they are caused.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::templates::{About, Footer, write};
use super::{MessageLink, NewMessage, Outbox};
use crate::domain::{MessageId, Role};
use crate::error::Result;
use crate::storage::Tx;

/// An invitation into a group.
#[derive(Clone, Debug)]
pub struct InvitationMessage<'a> {
    /// The address that is invited.
    pub email: &'a str,
    /// The name of who invites.
    pub inviter: &'a str,
    pub group: &'a str,
    pub role: Role,
    pub link: MessageLink,
}

/// What changed of how somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignInChange {
    pub new_email: Option<String>,
    pub new_password: bool,
}

impl Outbox {
    /// Sends an invitation, in the transaction that makes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn invitation(&self, tx: &mut Tx, invitation: InvitationMessage<'_>) -> Result<MessageId> {
        #[derive(Serialize)]
        struct Data<'a> {
            inviter: &'a str,
            role: Role,
            expires_at: DateTime<Utc>,
        }
        let InvitationMessage { email, inviter, group, role, link } = invitation;
        let data = Data { inviter, role, expires_at: link.expires_at };
        self.tell(tx, "invitation", email, group, data, Some(link)).await
    }

    /// Sends the link by which a new password is chosen, in the transaction that makes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn password_reset(&self, tx: &mut Tx, email: &str, link: MessageLink) -> Result<MessageId> {
        #[derive(Serialize)]
        struct Data {
            expires_at: DateTime<Utc>,
        }
        let data = Data { expires_at: link.expires_at };
        self.tell(tx, "password_reset", email, "", data, Some(link)).await
    }

    /// Tells somebody that the way they sign in was changed, in the transaction that changes it. Where it is the address,
    /// `email` is the old one: whoever changed it reads the new one.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_changed(&self, tx: &mut Tx, email: &str, change: SignInChange) -> Result<MessageId> {
        #[derive(Serialize)]
        struct Data {
            at: DateTime<Utc>,
            #[serde(flatten)]
            change: SignInChange,
        }
        let data = Data { at: self.clock.now(), change };
        self.tell(tx, "sign_in_changed", email, "", data, None).await
    }

    async fn tell(
        &self,
        tx: &mut Tx,
        topic: &str,
        email: &str,
        group: &str,
        data: impl Serialize,
        link: Option<MessageLink>,
    ) -> Result<MessageId> {
        let about = About { group, base: self.public_url.as_str(), admin: false, data };
        let content = write(topic, &about, &Footer::default())?;
        let message = NewMessage {
            recipient: email.to_owned(),
            subject: content.subject,
            body: content.text,
            html: content.html,
            link,
            origin: None,
            unsubscribe_url: None,
        };
        self.add(tx, &message).await
    }
}
