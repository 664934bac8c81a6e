//! Which e-mails one gets, by one's own choice.

use uuid::Uuid;

use super::Outbox;
use crate::domain::{NotificationSettings, Refusal, User};
use crate::error::Result;
use crate::storage::Unsubscribable;

impl Outbox {
    /// Which e-mails the user gets.
    ///
    /// # Errors
    /// The database's.
    pub async fn settings(&self, user: &User) -> Result<NotificationSettings> {
        self.store.notification_settings(user.id, user.role).await
    }

    /// Has the user get these e-mails from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn choose(&self, user: &User, settings: &NotificationSettings) -> Result<()> {
        self.store.set_notifications(user.id, settings).await
    }

    /// Whose token it is and which e-mails it stops, for its holder to confirm.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a token that isn't known; the database's.
    pub async fn unsubscribable(&self, token: &str) -> Result<Unsubscribable> {
        let known = match token.parse::<Uuid>() {
            Ok(token) => self.store.unsubscribable(token).await?,
            Err(_) => None,
        };
        known.ok_or_else(|| Refusal::NotFound("link to unsubscribe by".into()).into())
    }

    /// Stops the e-mails that a token is for. Safe to repeat.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a token that isn't known; the database's.
    pub async fn unsubscribe(&self, token: &str) -> Result<()> {
        let known = match token.parse::<Uuid>() {
            Ok(token) => self.store.unsubscribe(token).await?,
            Err(_) => false,
        };
        if known { Ok(()) } else { Err(Refusal::NotFound("link to unsubscribe by".into()).into()) }
    }
}
