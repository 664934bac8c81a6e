//! Accounts: sign-up, sign-in, sessions, passwords and their resets, API keys, the team of a group, and how often each may
//! be tried.
//!
//! Owns: passwords, tokens and their hashes, the seats of a group. Doesn't own: HTTP, cookies, what a role may
//! do elsewhere (`domain::User` says that).

mod demo;
mod keys;
mod own;
mod password_resets;
mod passwords;
mod recent;
pub mod sessions;
mod team;
mod throttle;
mod tokens;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Caller, FieldErrors, Group, GroupId, Refusal, Role, User, UserId, text};
use crate::error::{Error, Result};
use crate::notify::Outbox;
use crate::storage::{Credentials, NewUser, SharedReads, Store};

use passwords::PasswordHasher;
use recent::{Changes, Recent};
use sessions::SessionStore;

pub use demo::{DEMO_ACCOUNTS, DEMO_PASSWORD, DemoAccount, NewDemoAccount};
pub use own::AccountChange;
pub use team::InvitationOffer;

/// Called with the group of a user who may do less than before, after the commit: what is open in their name is to end.
pub type OnChange = Arc<dyn Fn(GroupId) + Send + Sync>;

/// Accounts, keys and teams. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<AccountsInner>);

/// What clones share.
pub struct AccountsInner {
    store: Store,
    clock: Clock,
    config: Arc<Config>,
    outbox: Outbox,
    on_change: OnChange,
    passwords: PasswordHasher,
    /// Callers by the hash of their key.
    callers: Recent<Vec<u8>, Caller>,
    users: Recent<UserId, User>,
    sessions: SessionStore,
    /// Of what the three above keep.
    changes: Changes,
    admin_names: SharedReads<GroupId, Vec<String>>,
}

impl Deref for Accounts {
    type Target = AccountsInner;

    fn deref(&self) -> &AccountsInner {
        &self.0
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("store", &self.store).finish_non_exhaustive()
    }
}

/// An account to make, and a group of its own.
#[derive(Clone, Debug)]
pub struct SignUp {
    pub email: String,
    pub password: String,
    pub name: String,
    pub group_name: String,
}

impl Accounts {
    pub fn new(store: Store, clock: Clock, config: Arc<Config>, outbox: Outbox, on_change: OnChange) -> Self {
        let changes = Changes::default();
        Self(Arc::new(AccountsInner {
            callers: Recent::new(&changes),
            users: Recent::new(&changes),
            sessions: SessionStore::new(store.clone(), clock.clone(), &changes),
            changes,
            admin_names: SharedReads::default(),
            store,
            clock,
            config,
            outbox,
            on_change,
            passwords: PasswordHasher::default(),
        }))
    }

    /// Makes an account and a group with it as its admin.
    ///
    /// # Errors
    /// [`Refusal::SignupClosed`], [`Refusal::Invalid`], [`Refusal::EmailTaken`]; [`Refusal::TooManyAttempts`] after
    /// too many from `client`; [`Error::Overloaded`]; the database's.
    pub async fn sign_up(&self, input: SignUp, client: &str) -> Result<User> {
        if !self.config.signup_open {
            return Err(Refusal::SignupClosed.into());
        }
        let mut errors = FieldErrors::new();
        let email = errors.take("email", email(&input.email));
        let name = errors.take("name", text(&input.name, "Name", 1, 100));
        let password = errors.take("password", passwords::check(&input.password));
        let group_name = errors.take("group_name", text(&input.group_name, "Group name", 1, 100));
        let (Some(email), Some(name), Some(()), Some(group_name)) = (email, name, password, group_name)
        else {
            return Err(errors.into());
        };
        self.attempt_signup(client).await?;
        let user = self.new_user(email, name, input.password, Role::Admin).await?;
        let group = Group { id: Uuid::now_v7().into(), name: group_name };
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        tx.add_group(group.id, &group.name, now).await?;
        tx.add_user(&user, Some(group.id), now).await?;
        tx.commit().await?;
        Ok(User { id: user.id, email: user.email, name: user.name, role: user.role, group: Some(group) })
    }

    /// Makes an account from the command line: in the group of that name, which is made if need be, or as a
    /// SuperAdmin in none. Without a name of its own it is called after its address.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], [`Refusal::EmailTaken`]; the database's.
    pub async fn create_user(
        &self,
        address: &str,
        name: Option<&str>,
        password: String,
        role: Role,
        group: Option<&str>,
    ) -> Result<User> {
        let mut errors = FieldErrors::new();
        let address = errors.take("email", email(address));
        let name = name.and_then(|name| errors.take("name", text(name, "Name", 1, 100)));
        errors.take("password", passwords::check(&password));
        let group = match (role, group) {
            (Role::SuperAdmin, None) => None,
            (Role::SuperAdmin, Some(_)) => {
                errors.add("group", "A SuperAdmin belongs to no group.");
                None
            }
            (_, None) => {
                errors.add("group", "An admin or a member needs a group.");
                None
            }
            (_, Some(name)) => errors.take("group", text(name, "Group name", 1, 100)),
        };
        let Some(address) = address.filter(|_| errors.is_empty()) else { return Err(errors.into()) };
        let name = name.unwrap_or_else(|| address.split('@').next().unwrap_or_default().to_owned());
        let user = self.new_user(address, name, password, role).await?;
        self.add_user(user, group).await
    }

    /// Adds a user to the group of this name, made where there is none; to none for a SuperAdmin.
    async fn add_user(&self, user: NewUser, group: Option<String>) -> Result<User> {
        let now = self.clock.now();
        let known = match &group {
            Some(name) => self.store.group_by_name(name).await?,
            None => None,
        };
        let mut tx = self.store.begin().await?;
        let group = match (group, known) {
            (None, _) => None,
            (Some(name), Some(id)) => Some(Group { id, name }),
            (Some(name), None) => {
                let id = GroupId(Uuid::now_v7());
                tx.add_group(id, &name, now).await?;
                Some(Group { id, name })
            }
        };
        tx.add_user(&user, group.as_ref().map(|group| group.id), now).await?;
        tx.commit().await?;
        Ok(User { id: user.id, email: user.email, name: user.name, role: user.role, group })
    }

    /// The user with this address and password.
    ///
    /// # Errors
    /// [`Refusal::WrongCredentials`], whether the address or the password is wrong;
    /// [`Refusal::TooManyAttempts`] after too many failures for the address or from `client`;
    /// [`Error::Overloaded`]; the database's.
    pub async fn log_in(&self, address: &str, password: &str, client: &str) -> Result<User> {
        Ok(self.check_credentials(address, password, client).await?.user)
    }

    /// As [`Accounts::log_in`], with the hash of the password.
    async fn check_credentials(&self, address: &str, password: &str, client: &str) -> Result<Credentials> {
        let address = address.trim().to_lowercase();
        let attempts = self.attempt_login(&address, client).await?;
        match self.check_password(&address, password).await {
            Ok(credentials) => {
                self.login_succeeded(&address, client).await?;
                Ok(credentials)
            }
            Err(refused @ Error::Refused(_)) => Err(refused),
            // Nothing was learned about the password.
            Err(failed) => {
                self.discard_attempts(&attempts).await?;
                Err(failed)
            }
        }
    }

    async fn check_password(&self, address: &str, password: &str) -> Result<Credentials> {
        // What is no address has no account, and can't be looked for: it may hold what a database can't.
        let found = match email(address) {
            Ok(address) => self.store.credentials(&address).await?,
            Err(_) => None,
        };
        // An unknown address costs as much as a wrong password, so that neither tells which it was.
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let right = self.passwords.verify(password.to_owned(), hash).await?;
        found.filter(|_| right).ok_or_else(|| Refusal::WrongCredentials.into())
    }

    /// A user who has not been removed; where another process removed it, not for more than a second.
    ///
    /// # Errors
    /// The database's.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        self.users.get(id, async |id| self.store.user(*id).await).await
    }

    /// Where browsers' sessions are kept.
    pub fn session_store(&self) -> SessionStore {
        self.sessions.clone()
    }

    /// The accounts the log-in page offers; none outside demo mode.
    pub fn demo_accounts(&self) -> Vec<DemoAccount> {
        if self.config.demo { DEMO_ACCOUNTS.to_vec() } else { Vec::new() }
    }

    /// Discards what is remembered of a user, and has what is open in its name be checked again.
    fn changed(&self, group: Option<GroupId>) {
        self.changes.note();
        if let Some(group) = group {
            (self.on_change)(group);
        }
    }

    /// The address that people see of one of our pages.
    fn address(&self, path: &str) -> String {
        let mut url = self.config.public_url.clone();
        url.set_path(path);
        url.into()
    }

    async fn new_user(&self, email: String, name: String, password: String, role: Role) -> Result<NewUser> {
        let password_hash = self.passwords.hash(password).await?;
        Ok(NewUser { id: Uuid::now_v7().into(), email, name, password_hash, role })
    }
}

/// An e-mail address in lower case.
fn email(address: &str) -> Result<String, String> {
    let address = address.trim().to_lowercase();
    if address.is_empty() {
        return Err("E-mail address is required.".into());
    }
    if address.len() > 254
        || !email_address::EmailAddress::is_valid(&address)
        || address.contains(['<', '"', ' '])
    {
        return Err("This is not an e-mail address.".into());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(email(" Ada@Example.COM ").unwrap(), "ada@example.com");
        for wrong in ["", "ada", "ada@", "@example.com", "a b@example.com", "Ada <ada@example.com>"] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }
}
