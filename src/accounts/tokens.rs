//! Secrets that are shown once and stored hashed: API keys, invitation links.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// 256 random bits behind `prefix`, in characters that fit a URL. Too many to guess, so a plain hash of it
/// keeps it: there is nothing a slow hash would protect.
pub fn new(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// What is stored of a token.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, other) = (new("tg_"), new("tg_"));
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[..3]), (46, "tg_"));
        assert_ne!(hash(&one), hash(&other));
    }
}
