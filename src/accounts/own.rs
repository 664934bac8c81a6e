//! What users change of their own account.

use super::sessions::SessionKey;
use super::{Accounts, email, passwords};
use crate::domain::{FieldErrors, Refusal, User, text};
use crate::error::{Error, Result};
use crate::notify::SignInChange;
use crate::storage::UserChange;

/// What to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    pub name: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
    /// Needed for another address or password.
    pub current_password: Option<String>,
}

impl Accounts {
    /// Changes the user's account. A new password ends the user's sessions, all but `session`; a new address or password
    /// is told to the address the account had, and a link that was to set a password works no more.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], also for a wrong current password and for an address that is taken;
    /// [`Refusal::TooManyAttempts`], counted with the log-ins; [`Error::Overloaded`]; the database's.
    pub async fn change_account(
        &self,
        user: &User,
        session: &SessionKey,
        change: AccountChange,
        client: &str,
    ) -> Result<User> {
        let mut errors = FieldErrors::new();
        let name = change.name.and_then(|name| errors.take("name", text(&name, "Name", 1, 100)));
        let address = change.email.and_then(|address| errors.take("email", email(&address)));
        let address = address.filter(|address| *address != user.email);
        let password = change.password;
        if let Some(password) = &password {
            errors.take("password", passwords::check(password));
        }
        let signs_in_otherwise = address.is_some() || password.is_some();
        let current = change.current_password.filter(|current| !current.is_empty());
        if signs_in_otherwise && current.is_none() {
            errors.add("current_password", "Your current password is required.");
        }
        errors.into_result()?;
        let checked = match current.filter(|_| signs_in_otherwise) {
            Some(current) => Some(self.check_current(user, &current, client).await?),
            None => None,
        };
        let new_password = password.is_some();
        let password_hash = match password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let told = SignInChange { new_email: address.clone(), new_password };
        let change = UserChange { name, email: address, password_hash };
        let mut tx = self.store.begin().await?;
        if signs_in_otherwise {
            tx.discard_password_reset(&user.email).await?;
        }
        tx.change_user(user.id, &change, checked.as_deref()).await.map_err(named)?;
        if new_password {
            tx.end_sessions(user.id, Some(session.as_bytes())).await?;
        }
        if signs_in_otherwise {
            self.outbox.sign_in_changed(&mut tx, &user.email, told).await?;
        }
        tx.commit().await?;
        self.changed(user.group.as_ref().map(|group| group.id));
        self.outbox.wake();
        self.store.user(user.id).await?.ok_or_else(|| Refusal::NotSignedIn.into())
    }

    /// The hash of the current password, where it is this.
    async fn check_current(&self, user: &User, password: &str, client: &str) -> Result<String> {
        Ok(self.check_credentials(&user.email, password, client).await.map_err(named)?.password_hash)
    }
}

/// What is refused about an account, by the field that it is about.
fn named(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::WrongCredentials) => {
            Refusal::field("current_password", "This isn't your current password.").into()
        }
        Error::Refused(refusal @ Refusal::EmailTaken) => Refusal::field("email", refusal.to_string()).into(),
        other => other,
    }
}
