//! Log-in throttling: after some failures an address, or a network peer, has to wait.

use chrono::Duration;
use sha2::{Digest, Sha256};

use super::Accounts;
use crate::domain::Refusal;
use crate::error::Result;

/// Failures are counted over this long.
const WINDOW: Duration = Duration::minutes(15);
/// Failures from one peer for one address before that peer has to wait for the window's end.
const PER_PAIR: i64 = 10;
/// Failures for one address, whoever tries: high, so that others can't easily lock somebody out.
const PER_ADDRESS: i64 = 100;
/// Failures from one peer, who may be many people behind one network.
const PER_CLIENT: i64 = 100;

fn subject(kind: &str, value: &str) -> Vec<u8> {
    // Hashed, so that the table is no list of who tried to sign in from where.
    Sha256::digest(format!("{kind}:{value}")).to_vec()
}

fn subjects(address: &str, client: &str) -> [(Vec<u8>, i64); 3] {
    [
        (subject("pair", &format!("{client} {address}")), PER_PAIR),
        (subject("address", address), PER_ADDRESS),
        (subject("client", client), PER_CLIENT),
    ]
}

impl Accounts {
    pub(super) async fn refuse_if_throttled(&self, address: &str, client: &str) -> Result<()> {
        let now = self.clock.now();
        for (subject, allowed) in subjects(address, client) {
            let Some(failures) = self.store.login_failures(&subject).await? else { continue };
            let until = failures.since + WINDOW;
            if failures.count >= allowed && now < until {
                let wait = (until - now).num_seconds().max(1);
                return Err(Refusal::TooManyAttempts { retry_after: wait.unsigned_abs() }.into());
            }
        }
        Ok(())
    }

    pub(super) async fn count_failure(&self, address: &str, client: &str) -> Result<()> {
        let now = self.clock.now();
        for (subject, _) in subjects(address, client) {
            self.store.count_login_failure(&subject, now, now - WINDOW).await?;
        }
        Ok(())
    }

    /// After a success. What a peer failed at for other addresses stays counted.
    pub(super) async fn forget_failures(&self, address: &str, client: &str) -> Result<()> {
        let [(pair, _), (address, _), _] = subjects(address, client);
        self.store.forget_login_failures(&pair).await?;
        self.store.forget_login_failures(&address).await
    }
}
