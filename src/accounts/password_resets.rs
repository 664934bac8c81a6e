//! Setting a new password by a link, for who forgot theirs.

use chrono::Duration;

use super::{Accounts, email, passwords, tokens};
use crate::domain::{Refusal, User};
use crate::error::Result;
use crate::notify::{MessageLink, SignInChange};
use crate::storage::{NewPasswordReset, UserChange};

/// How long a link works.
const VALID_FOR: Duration = Duration::hours(1);

impl Accounts {
    /// Sends a link to the account with this address, if there is one. The link before it works no more.
    ///
    /// What is done, and so how long it takes, is the same with an account and without: neither tells which it was.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for what is no address; [`Refusal::TooManyAttempts`] after too many for the address or from
    /// `client`; the database's.
    pub async fn forgot_password(&self, address: &str, client: &str) -> Result<()> {
        let address = email(address).map_err(|message| Refusal::field("email", message))?;
        self.attempt_reset(&address, client).await?;
        let token = tokens::new("");
        let now = self.clock.now();
        let reset = NewPasswordReset {
            email: address,
            token_hash: tokens::hash(&token),
            expires_at: now + VALID_FOR,
        };
        let link =
            MessageLink { url: self.address(&format!("/reset/{token}")), expires_at: reset.expires_at };
        let mut tx = self.store.begin().await?;
        tx.put_password_reset(&reset, now).await?;
        let message = self.outbox.password_reset(&mut tx, &reset.email, link).await?;
        tx.discard_message_to_nobody(message).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(())
    }

    /// The address of the account whose password a link sets.
    ///
    /// # Errors
    /// [`Refusal::ResetGone`]; the database's.
    pub async fn password_reset(&self, token: &str) -> Result<String> {
        let found = self.store.password_reset(&tokens::hash(token), self.clock.now()).await?;
        found.ok_or_else(|| Refusal::ResetGone.into())
    }

    /// Sets a new password by a link, which works no more. The user's sessions end.
    ///
    /// # Errors
    /// [`Refusal::ResetGone`]; [`Refusal::Invalid`]; [`crate::error::Error::Overloaded`]; the database's.
    pub async fn reset_password(&self, token: &str, password: &str) -> Result<User> {
        passwords::check(password).map_err(|message| Refusal::field("password", message))?;
        // Hashing is only done for those who have a link.
        self.password_reset(token).await?;
        let password_hash = Some(self.passwords.hash(password.to_owned()).await?);
        let mut tx = self.store.begin().await?;
        let address = tx.take_password_reset(&tokens::hash(token), self.clock.now()).await?;
        let user = tx.user_by_email(&address).await?.ok_or(Refusal::ResetGone)?;
        tx.change_user(user.id, &UserChange { password_hash, ..UserChange::default() }, None).await?;
        tx.end_sessions(user.id, None).await?;
        let told = SignInChange { new_email: None, new_password: true };
        self.outbox.sign_in_changed(&mut tx, &user.email, told).await?;
        tx.commit().await?;
        self.changed(user.group.as_ref().map(|group| group.id));
        self.outbox.wake();
        Ok(user)
    }
}
