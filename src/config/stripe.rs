//! Which Stripe is spoken to, and how.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{ConfigError, parse, wrong};

/// Stripe.js of the API version this program speaks.
/// Source: <https://docs.stripe.com/sdks/stripejs-versioning>.
const STRIPE_JS: &str = "https://js.stripe.com/endive/stripe.js";

/// Seconds that `STRIPE_TIMEOUT` may give to a call.
const TIMEOUT: RangeInclusive<u64> = 1..=60;

/// Which Stripe is spoken to.
#[derive(Clone, Debug)]
pub enum StripeChoice {
    /// The built-in one, listening here.
    Sandbox {
        addr: SocketAddr,
        test_clock: Option<String>,
        timeout: Duration,
    },
    Account(StripeConfig),
}

/// How Stripe is reached.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    pub publishable_key: String,
    pub secret_key: SecretString,
    pub webhook_secret: SecretString,
    /// Another Stripe-compatible server; `None` for Stripe's own.
    pub api_base: Option<String>,
    /// Where Stripe.js is loaded from.
    pub js_url: String,
    /// The test clock that new customers are put on.
    pub test_clock: Option<String>,
    /// How long one try of a call may take, of which there are up to three.
    pub timeout: Duration,
    /// Where the built-in sandbox listens, if that is who answers.
    pub sandbox: Option<SocketAddr>,
}

/// Reads Stripe's variables: all of its keys, or none for the sandbox.
pub(super) fn choice(get: &impl Fn(&str) -> Option<String>) -> Result<StripeChoice, ConfigError> {
    const KEYS: [&str; 3] = ["STRIPE_PUBLIC_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"];
    let api_base = get("STRIPE_API_BASE").map(|url| base_url("STRIPE_API_BASE", &url)).transpose()?;
    let js_url = get("STRIPE_JS_URL").map(|url| base_url("STRIPE_JS_URL", &url)).transpose()?;
    let test_clock = get("STRIPE_TEST_CLOCK");
    if test_clock.as_ref().is_some_and(|id| !id.starts_with("clock_")) {
        return Err(wrong("STRIPE_TEST_CLOCK", "must be a test clock's id, which begins with clock_"));
    }
    let timeout = match parse(get, "STRIPE_TIMEOUT", "a whole number of seconds")? {
        Some(seconds) if !TIMEOUT.contains(&seconds) => {
            return Err(wrong("STRIPE_TIMEOUT", "must be 1 to 60 seconds"));
        }
        seconds => Duration::from_secs(seconds.unwrap_or(8)),
    };
    let [publishable, secret, webhook] = KEYS.map(get);
    let addr = parse(get, "SANDBOX_ADDR", "an address and port such as 127.0.0.1:12111")?
        .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 12111)));
    match (publishable, secret, webhook) {
        (None, None, None) => match (&api_base, &js_url) {
            (None, None) => Ok(StripeChoice::Sandbox { addr, test_clock, timeout }),
            (Some(_), _) => Err(wrong(
                "STRIPE_API_BASE",
                "is set, but the keys to use there are not: set STRIPE_PUBLIC_KEY, STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET",
            )),
            _ => Err(wrong(
                "STRIPE_JS_URL",
                "is set, but the keys to use there are not: set STRIPE_PUBLIC_KEY, STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET",
            )),
        },
        (Some(publishable_key), Some(secret), Some(webhook)) => {
            if !publishable_key.starts_with("pk_") {
                return Err(wrong("STRIPE_PUBLIC_KEY", "must begin with pk_"));
            }
            if !secret.starts_with("sk_") && !secret.starts_with("rk_") {
                return Err(wrong("STRIPE_SECRET_KEY", "must begin with sk_ or rk_"));
            }
            if !webhook.starts_with("whsec_") {
                return Err(wrong("STRIPE_WEBHOOK_SECRET", "must begin with whsec_"));
            }
            if publishable_key.starts_with("pk_live_") != secret.contains("k_live_") {
                return Err(wrong(
                    "STRIPE_PUBLIC_KEY",
                    "and STRIPE_SECRET_KEY must both be live or both be test keys",
                ));
            }
            if test_clock.is_some() && secret.contains("k_live_") {
                return Err(wrong("STRIPE_TEST_CLOCK", "can be used with test keys only"));
            }
            Ok(StripeChoice::Account(StripeConfig {
                publishable_key,
                secret_key: secret.into(),
                webhook_secret: webhook.into(),
                api_base,
                js_url: js_url.unwrap_or_else(|| STRIPE_JS.into()),
                test_clock,
                timeout,
                sandbox: None,
            }))
        }
        (publishable, secret, webhook) => {
            let missing =
                KEYS.into_iter().zip([publishable, secret, webhook]).find(|(_, value)| value.is_none());
            Err(wrong(
                missing.map_or(KEYS[0], |(name, _)| name),
                "is missing: set all three of Stripe's keys, or none to use the sandbox",
            ))
        }
    }
}

fn base_url(variable: &'static str, text: &str) -> Result<String, ConfigError> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(text.to_owned()),
        _ => Err(wrong(variable, "must be an http or https address")),
    }
}
