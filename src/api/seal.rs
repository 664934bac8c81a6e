//! Seals answers that are kept for replay. They can contain secrets that are shown once, such as an API key;
//! sealed under the client's own Idempotency-Key, of which only a hash is stored, they can be opened by
//! no one but a caller who repeats the request.

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Bytes of the nonce, which stands before the sealed text.
const NONCE: usize = 12;

/// Opens and seals one request's answer.
pub struct Seal {
    cipher: ChaCha20Poly1305,
    fingerprint: [u8; 32],
}

impl Seal {
    /// The key is derived by HMAC-SHA256 from the Idempotency-Key and the scope it is used in; the request's
    /// fingerprint is bound in, so that an answer opens for its own request only.
    pub fn new(idempotency_key: &[u8], scope: &str, fingerprint: [u8; 32]) -> Option<Self> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(idempotency_key).ok()?;
        mac.update(b"tollgate idempotent answer\0");
        mac.update(scope.as_bytes());
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        Some(Self { cipher: ChaCha20Poly1305::new(&key.into()), fingerprint })
    }

    /// Seals `body`; none only if it is too long for the cipher (256 GiB).
    pub fn close(&self, body: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::generate();
        let sealed = self.cipher.encrypt(&nonce, Payload { msg: body, aad: &self.fingerprint }).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Seal::close`] made; none if it was sealed otherwise or changed.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &self.fingerprint }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_scope_and_request_open_it() {
        let seal = |key: &[u8], scope: &str, print| Seal::new(key, scope, [print; 32]).unwrap();
        let sealed = seal(b"key-1", "user /path", 1).close(b"tg_secret").unwrap();
        assert!(!sealed.windows(9).any(|window| window == b"tg_secret"));
        assert_eq!(seal(b"key-1", "user /path", 1).open(&sealed).as_deref(), Some(&b"tg_secret"[..]));
        assert_eq!(seal(b"key-2", "user /path", 1).open(&sealed), None);
        assert_eq!(seal(b"key-1", "other /path", 1).open(&sealed), None);
        assert_eq!(seal(b"key-1", "user /path", 2).open(&sealed), None);
        assert_eq!(seal(b"key-1", "user /path", 1).open(&sealed[..20]), None);
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let seal = Seal::new(b"key", "scope", [0; 32]).unwrap();
        assert_ne!(seal.close(b"text"), seal.close(b"text"));
    }
}
