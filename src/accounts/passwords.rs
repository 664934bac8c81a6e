//! Passwords, by argon2id.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::error::{Error, Result};

/// Checked against where there is no such account, so that the answer takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_now("nobody's password").unwrap_or_default());

/// Whether a new password is long enough to be worth having. Length is what counts.
/// Source: NIST SP 800-63B, section 5.1.1.
pub fn check(password: &str) -> Result<(), String> {
    match password.chars().count() {
        0 => Err("Password is required.".into()),
        1..8 => Err("Password must have at least 8 characters.".into()),
        _ if password.len() > 512 => Err("Password must have at most 512 bytes.".into()),
        _ => Ok(()),
    }
}

fn hash_now(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("argon2: {error}")))
}

/// Hashes a password, off the threads that answer requests.
pub async fn hash(password: String) -> Result<String> {
    off_thread(move || hash_now(&password)).await?
}

/// Whether the password has this hash; `None` takes as long and is never right.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    off_thread(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.clone());
        let Ok(parsed) = PasswordHash::new(&hash) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known
    })
    .await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Stopping("password hashing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_by_its_hash() {
        let kept = hash("correct horse battery".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$"));
        assert!(verify("correct horse battery".into(), Some(kept.clone())).await.unwrap());
        assert!(!verify("correct horse batter".into(), Some(kept)).await.unwrap());
        assert!(!verify("nobody's password".into(), None).await.unwrap());
    }

    #[test]
    fn a_short_password_is_refused() {
        assert!(check("short").is_err());
        assert!(check("").is_err());
        assert!(check("long enough").is_ok());
    }
}
