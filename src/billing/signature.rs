//! The signatures of Stripe's webhooks.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::Refusal;

/// How far a signature's time may be from ours.
/// Source: <https://docs.stripe.com/webhooks#replay-attacks>.
const TOLERANCE: chrono::Duration = chrono::Duration::minutes(5);

/// Checks a `Stripe-Signature`: `t=…,v1=…[,v1=…]`, an HMAC-SHA256 of `t.payload`.
/// Source: <https://docs.stripe.com/webhooks#verify-manually>.
///
/// # Errors
/// [`Refusal::Malformed`] where it doesn't fit the payload, or its time is further than [`TOLERANCE`] from `now`.
pub fn verify(payload: &[u8], signature: &str, secret: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
    let bad = |what: &str| Err(Refusal::Malformed(format!("the Stripe-Signature {what}")));
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let Some(timestamp) = parts().find(|(name, _)| *name == "t").map(|(_, value)| value) else {
        return bad("has no time");
    };
    let Some(time) = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)) else {
        return bad("has no time");
    };
    if (now - time).abs() > TOLERANCE {
        return bad("is too old");
    }
    let fits = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, value)| hex::decode(value).ok())
        .any(|given| {
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
                mac.update(timestamp.as_bytes());
                mac.update(b".");
                mac.update(payload);
                mac.verify_slice(&given).is_ok()
            })
        });
    if fits { Ok(()) } else { bad("does not fit") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_test";

    fn sign(payload: &[u8], at: DateTime<Utc>, secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{}.", at.timestamp()).as_bytes());
        mac.update(payload);
        format!("t={},v1={}", at.timestamp(), hex::encode(mac.finalize().into_bytes()))
    }

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_signature_fits_its_payload_and_no_other() {
        let signature = sign(b"{}", now(), SECRET);
        assert!(verify(b"{}", &signature, SECRET, now()).is_ok());
        assert!(verify(b"{ }", &signature, SECRET, now()).is_err());
        assert!(verify(b"{}", &signature, "whsec_other", now()).is_err());
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let right = sign(b"{}", now(), SECRET);
        let both = right.replacen("v1=", &format!("v0=ff,v1={},v1=", "00".repeat(32)), 1);
        assert!(verify(b"{}", &both, SECRET, now()).is_ok());
    }

    #[test]
    fn five_minutes_either_way_are_tolerated() {
        let signature = sign(b"{}", now(), SECRET);
        assert!(verify(b"{}", &signature, SECRET, now() + TOLERANCE).is_ok());
        assert!(verify(b"{}", &signature, SECRET, now() + TOLERANCE + chrono::Duration::seconds(1)).is_err());
        assert!(verify(b"{}", &signature, SECRET, now() - TOLERANCE - chrono::Duration::seconds(1)).is_err());
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for signature in ["", "t=,v1=", "v1=00", "t=1772366400", "t=99999999999999999999,v1=00", "nonsense"] {
            assert!(verify(b"{}", signature, SECRET, now()).is_err(), "{signature}");
        }
    }
}
