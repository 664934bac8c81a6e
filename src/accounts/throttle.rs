//! Throttling: after some attempts an address, a client or a group has to wait.
//!
//! An attempt is counted before anything else is done about it, in one statement, so that however many are made at
//! once, no more get through than are allowed.

use chrono::Duration;
use sha2::{Digest, Sha256};

use super::Accounts;
use crate::domain::Refusal;
use crate::error::Result;

/// How many attempts of one kind are allowed for one subject, from the first on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    kind: &'static str,
    attempts: i64,
    window: Duration,
}

/// Log-ins that fail for one address from one client.
const LOGINS_BY_PAIR: Limit = Limit { kind: "pair", attempts: 10, window: Duration::minutes(15) };
/// Log-ins that fail for one address, from any client: high, so that others can't easily lock its owner out.
const LOGINS_BY_ADDRESS: Limit = Limit { kind: "address", attempts: 100, window: Duration::minutes(15) };
/// Log-ins that fail from one client, who may be many people behind one network.
const LOGINS_BY_CLIENT: Limit = Limit { kind: "client", attempts: 100, window: Duration::minutes(15) };
/// Accounts made from one client, who may be many people behind one network.
const SIGNUPS_BY_CLIENT: Limit = Limit { kind: "signup", attempts: 100, window: Duration::minutes(15) };
/// Invitations that one group sends.
const INVITATIONS_BY_GROUP: Limit = Limit { kind: "inviting", attempts: 50, window: Duration::hours(1) };
/// Invitations that one address gets, from all groups.
const INVITATIONS_BY_RECIPIENT: Limit = Limit { kind: "invited", attempts: 5, window: Duration::hours(1) };

/// New passwords asked for one address from one client.
const RESETS_BY_PAIR: Limit = Limit { kind: "resetting", attempts: 5, window: Duration::hours(1) };
/// New passwords asked for one address, from any client: high, so that others can't easily keep its owner from one.
const RESETS_BY_ADDRESS: Limit = Limit { kind: "reset", attempts: 20, window: Duration::hours(1) };
/// New passwords asked from one client, who may be many people behind one network.
const RESETS_BY_CLIENT: Limit = Limit { kind: "resetter", attempts: 100, window: Duration::hours(1) };

impl Limit {
    /// What is stored of a subject. Hashed, so that the table is no list of who tried what from where.
    fn subject_hash(self, subject: &str) -> Vec<u8> {
        Sha256::digest(format!("{}:{subject}", self.kind)).to_vec()
    }
}

/// Attempts that were counted, one of each kind.
pub(super) struct Attempts(Vec<Vec<u8>>);

impl Accounts {
    /// Counts a log-in.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`]; the database's.
    pub(super) async fn attempt_login(&self, address: &str, client: &str) -> Result<Attempts> {
        let pair = format!("{client} {address}");
        self.attempt(&[(LOGINS_BY_PAIR, &pair), (LOGINS_BY_ADDRESS, address), (LOGINS_BY_CLIENT, client)])
            .await
    }

    /// Counts a sign-up.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`]; the database's.
    pub(super) async fn attempt_signup(&self, client: &str) -> Result<Attempts> {
        self.attempt(&[(SIGNUPS_BY_CLIENT, client)]).await
    }

    /// Counts an invitation.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`]; the database's.
    pub(super) async fn attempt_invitation(&self, group: &str, recipient: &str) -> Result<Attempts> {
        self.attempt(&[(INVITATIONS_BY_GROUP, group), (INVITATIONS_BY_RECIPIENT, recipient)]).await
    }

    /// Counts a new password that is asked for.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`]; the database's.
    pub(super) async fn attempt_reset(&self, address: &str, client: &str) -> Result<Attempts> {
        let pair = format!("{client} {address}");
        self.attempt(&[(RESETS_BY_PAIR, &pair), (RESETS_BY_ADDRESS, address), (RESETS_BY_CLIENT, client)])
            .await
    }

    /// Counts in the order given, up to the first limit that is passed: what one refuses isn't held against the next.
    async fn attempt(&self, limits: &[(Limit, &str)]) -> Result<Attempts> {
        let now = self.clock.now();
        let mut counted = Vec::with_capacity(limits.len());
        for (limit, subject) in limits {
            let hash = limit.subject_hash(subject);
            let found = self.store.count_attempt(&hash, now, now - limit.window).await?;
            if found.count > limit.attempts {
                let wait = (found.since + limit.window - now).num_seconds().max(1);
                return Err(Refusal::TooManyAttempts { retry_after: wait.unsigned_abs() }.into());
            }
            counted.push(hash);
        }
        Ok(Attempts(counted))
    }

    /// Takes back attempts that nothing was decided about.
    pub(super) async fn discard_attempts(&self, attempts: &Attempts) -> Result<()> {
        for subject in &attempts.0 {
            self.store.discard_attempt(subject).await?;
        }
        Ok(())
    }

    /// After a log-in that succeeded: the address begins anew. What the client failed at for other addresses stays
    /// counted.
    pub(super) async fn login_succeeded(&self, address: &str, client: &str) -> Result<()> {
        let pair = format!("{client} {address}");
        self.store.clear_attempts(&LOGINS_BY_PAIR.subject_hash(&pair)).await?;
        self.store.clear_attempts(&LOGINS_BY_ADDRESS.subject_hash(address)).await?;
        self.store.discard_attempt(&LOGINS_BY_CLIENT.subject_hash(client)).await
    }
}
