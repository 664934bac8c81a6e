//! Passwords, by argon2id, a few at a time: each hash takes a processor and 19 MiB while it is made.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::available_parallelism;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Hashes that may wait while others are made. Some seconds' work; more would only wait in vain.
const WAITING: usize = 256;
/// Seconds after which the queue has moved on.
const RETRY_AFTER: u64 = 2;
/// At most so many hashes at once, however many processors there are.
const MOST_AT_ONCE: usize = 4;

/// Compared with where there is no such account, so that the answer takes as long. No password has it.
static DECOY: LazyLock<String> =
    LazyLock::new(|| hash_in(&mut Vec::new(), b"a password of no account").unwrap_or_default());

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

/// Hashes passwords, off the threads that answer requests. Clones share its limits.
#[derive(Clone, Debug)]
pub struct PasswordHasher(Arc<Limits>);

#[derive(Debug)]
struct Limits {
    /// A permit for each hash that is made or waits.
    queue: Arc<Semaphore>,
    /// A permit for each hash that is made.
    running: Arc<Semaphore>,
    /// The memory of hashes made before. Given back to the allocator it would stay there, once for each thread.
    memory: Mutex<Vec<Vec<Block>>>,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        let at_once = available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
        Self(Arc::new(Limits {
            queue: Arc::new(Semaphore::new(at_once + WAITING)),
            running: Arc::new(Semaphore::new(at_once)),
            memory: Mutex::default(),
        }))
    }
}

impl PasswordHasher {
    /// The hash of a new password.
    ///
    /// # Errors
    /// [`Error::Overloaded`] where too many wait already.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.run(move |memory| hash_in(memory, password.as_bytes())).await?
    }

    /// Whether the password has this hash; `None` takes as long and is never right.
    ///
    /// # Errors
    /// [`Error::Overloaded`] where too many wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        self.run(move |memory| {
            let hash = hash.as_ref();
            let right = verify_in(memory, password.as_bytes(), hash.unwrap_or(&DECOY));
            right && hash.is_some()
        })
        .await
    }

    /// Runs `work` when its turn has come. A caller that goes away before leaves the queue.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T> {
        let overloaded = Error::Overloaded { what: "password hashing", retry_after: RETRY_AFTER };
        let Ok(queued) = Arc::clone(&self.0.queue).try_acquire_owned() else { return Err(overloaded) };
        let stopping = Error::Stopping("password hashing");
        let Ok(permit) = Arc::clone(&self.0.running).acquire_owned().await else { return Err(stopping) };
        let limits = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            let mut memory = limits.memory().pop().unwrap_or_default();
            let result = work(&mut memory);
            limits.memory().push(memory);
            drop((permit, queued));
            result
        });
        task.await.map_err(|_| stopping)
    }
}

impl Limits {
    fn memory(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        // A list of buffers is whole whenever a holder panics.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hashes with a new salt, in `memory`, which is made as large as it takes.
fn hash_in(memory: &mut Vec<Block>, password: &[u8]) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("argon2: {error}"));
    let (params, salt) = (Params::DEFAULT, Salt::generate());
    let output = output_in(memory, Argon2::default(), password, &salt, Params::DEFAULT_OUTPUT_LEN)
        .ok_or_else(|| failed(&"no hash"))?;
    Ok(PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(&params).map_err(|error| failed(&error))?,
        salt: Some(salt),
        hash: Some(output),
    }
    .to_string())
}

/// Whether the password has this hash, by the parameters that stand in it.
fn verify_in(memory: &mut Vec<Block>, password: &[u8], hash: &str) -> bool {
    let mut check = || {
        let parsed = PasswordHash::new(hash).ok()?;
        let (salt, expected) = (parsed.salt?, parsed.hash?);
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
        let version = Version::try_from(parsed.version?).ok()?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&parsed).ok()?);
        let output = output_in(memory, argon2, password, &salt, expected.len())?;
        // Compared in constant time.
        Some(output == expected)
    };
    check().unwrap_or(false)
}

fn output_in(
    memory: &mut Vec<Block>,
    argon2: Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    length: usize,
) -> Option<Output> {
    memory.resize(argon2.params().block_count(), Block::new());
    let mut buffer = [0; Output::MAX_LENGTH];
    let output = buffer.get_mut(..length)?;
    argon2.hash_password_into_with_memory(password, salt, output, memory).ok()?;
    Output::new(output).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_by_its_hash() {
        let hasher = PasswordHasher::default();
        let kept = hasher.hash("correct horse battery".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(hasher.verify("correct horse battery".into(), Some(kept.clone())).await.unwrap());
        assert!(!hasher.verify("correct horse batter".into(), Some(kept)).await.unwrap());
        assert!(!hasher.verify("a password of no account".into(), None).await.unwrap());
        assert!(!hasher.verify("x".into(), Some("no hash".into())).await.unwrap());
    }

    /// Hashes made before, or elsewhere, with other parameters.
    #[tokio::test]
    async fn a_hash_is_checked_by_its_own_parameters() {
        use argon2::password_hash::PasswordHasher as _;
        for params in [Params::new(64, 1, 1, None), Params::new(32_768, 1, 2, Some(48))] {
            let other = Argon2::from(params.unwrap()).hash_password(b"a password").unwrap().to_string();
            let hasher = PasswordHasher::default();
            assert!(hasher.verify("a password".into(), Some(other.clone())).await.unwrap(), "{other}");
            assert!(!hasher.verify("another".into(), Some(other)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn only_so_many_wait_and_few_have_memory() {
        let hasher = PasswordHasher::default();
        let asked = (0..2 * WAITING).map(|_| hasher.hash("a password".into()));
        let answers = futures::future::join_all(asked).await;
        let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Overloaded { .. }))).count();
        let made = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!((made + refused, refused > 0, made >= WAITING), (answers.len(), true, true));
        assert!(hasher.0.memory().len() <= MOST_AT_ONCE);
        assert!(hasher.hash("a password".into()).await.is_ok(), "the queue is free again");
    }

    #[test]
    fn a_short_password_is_refused() {
        assert!(check("short").is_err());
        assert!(check("").is_err());
        assert!(check("long enough").is_ok());
    }
}
