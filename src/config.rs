//! What the environment says, typed and checked before anything starts.
//!
//! An unknown or malformed value stops the start with one line that names its variable. Secrets are kept in
//! [`Secret`], which neither logs nor `Debug` show.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use thiserror::Error;
use url::Url;

/// Stripe.js of the API version this program speaks.
/// Source: <https://docs.stripe.com/sdks/stripejs-versioning>.
const STRIPE_JS: &str = "https://js.stripe.com/endive/stripe.js";

/// A value that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A value that can't be used. Its text is one line and names the variable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    pub variable: &'static str,
    pub problem: String,
}

fn wrong(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

/// Which Stripe is spoken to.
#[derive(Clone, Debug)]
pub enum StripeChoice {
    /// The built-in one, listening here.
    Sandbox {
        addr: SocketAddr,
    },
    Account(StripeConfig),
}

/// How Stripe is reached.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    pub publishable_key: String,
    pub secret_key: Secret,
    pub webhook_secret: Secret,
    /// Another Stripe-compatible server; `None` for Stripe's own.
    pub api_base: Option<String>,
    /// Where Stripe.js is loaded from.
    pub js_url: String,
    /// Where the built-in sandbox listens, if that is who answers.
    pub sandbox: Option<SocketAddr>,
}

/// What the environment asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    pub database_url: Secret,
    pub stripe: StripeChoice,
    pub smtp_url: Option<Secret>,
    /// `None`: the address that is listened on.
    pub public_url: Option<Url>,
    pub listen_addr: SocketAddr,
    pub grace_days: u32,
    pub signup_open: bool,
}

/// What the running server goes by: the settings, with every address known.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen_addr: SocketAddr,
    /// The origin people see.
    pub public_url: Url,
    pub stripe: StripeConfig,
    pub smtp_url: Option<Secret>,
    pub grace_days: u32,
    pub signup_open: bool,
    /// Whether the demo accounts are there and offered on the log-in page.
    pub demo: bool,
}

impl Config {
    /// Whether people reach this server on their own machine only, so that cookies can't ask for HTTPS.
    pub fn is_loopback(&self) -> bool {
        self.public_url.scheme() == "http" && is_loopback_host(&self.public_url)
    }
}

fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that can't be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads settings from anything that knows variables by name. An empty value counts as unset.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that can't be used.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get =
            |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let database_url = get("DATABASE_URL").unwrap_or_else(|| "sqlite://data/tollgate.db".into());
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme))
        {
            return Err(wrong("DATABASE_URL", "must be sqlite://PATH or postgres://…"));
        }
        let smtp_url = get("SMTP_URL");
        if let Some(url) = &smtp_url
            && !["smtp://", "smtps://"].iter().any(|scheme| url.starts_with(scheme))
        {
            return Err(wrong("SMTP_URL", "must be smtp://… or smtps://…"));
        }
        let public_url = get("PUBLIC_URL").map(|url| origin("PUBLIC_URL", &url)).transpose()?;
        Ok(Self {
            database_url: Secret::new(database_url),
            stripe: stripe(&get)?,
            smtp_url: smtp_url.map(Secret::new),
            public_url,
            listen_addr: parse(&get, "LISTEN_ADDR", "an address and port such as 127.0.0.1:3000")?
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            grace_days: parse(&get, "GRACE_DAYS", "a whole number of days")?.unwrap_or(7),
            signup_open: match get("SIGNUP").as_deref() {
                None | Some("open") => true,
                Some("closed") => false,
                Some(_) => return Err(wrong("SIGNUP", "must be open or closed")),
            },
        })
    }
}

fn parse<T: FromStr>(
    get: &impl Fn(&str) -> Option<String>,
    variable: &'static str,
    what: &str,
) -> Result<Option<T>, ConfigError> {
    get(variable)
        .map(|value| value.parse().map_err(|_| wrong(variable, format!("must be {what}"))))
        .transpose()
}

/// An http or https address without path.
fn origin(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url =
        Url::parse(text).map_err(|_| wrong(variable, "must be an address such as https://example.com"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(variable, "must begin with http:// or https://"));
    }
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
        return Err(wrong(variable, "must be a bare address, with no path"));
    }
    Ok(url)
}

fn stripe(get: &impl Fn(&str) -> Option<String>) -> Result<StripeChoice, ConfigError> {
    const KEYS: [&str; 3] = ["STRIPE_PUBLIC_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"];
    let api_base = get("STRIPE_API_BASE").map(|url| base_url("STRIPE_API_BASE", &url)).transpose()?;
    let js_url = get("STRIPE_JS_URL").map(|url| base_url("STRIPE_JS_URL", &url)).transpose()?;
    let [publishable, secret, webhook] = KEYS.map(get);
    let addr = parse(get, "SANDBOX_ADDR", "an address and port such as 127.0.0.1:12111")?
        .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 12111)));
    match (publishable, secret, webhook) {
        (None, None, None) => match (&api_base, &js_url) {
            (None, None) => Ok(StripeChoice::Sandbox { addr }),
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
            Ok(StripeChoice::Account(StripeConfig {
                publishable_key,
                secret_key: Secret::new(secret),
                webhook_secret: Secret::new(webhook),
                api_base,
                js_url: js_url.unwrap_or_else(|| STRIPE_JS.into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_the_sandbox_on_loopback() {
        let settings = read(&[]).unwrap();
        assert!(matches!(settings.stripe, StripeChoice::Sandbox { addr } if addr.port() == 12111));
        assert_eq!(settings.listen_addr.to_string(), "127.0.0.1:3000");
        assert_eq!((settings.grace_days, settings.signup_open), (7, true));
        assert_eq!(settings.database_url.expose(), "sqlite://data/tollgate.db");
    }

    #[test]
    fn a_half_set_stripe_names_what_is_missing() {
        let error =
            read(&[("STRIPE_PUBLIC_KEY", "pk_test_1"), ("STRIPE_WEBHOOK_SECRET", "whsec_1")]).unwrap_err();
        assert_eq!(error.variable, "STRIPE_SECRET_KEY");
    }

    #[test]
    fn a_value_that_cannot_be_used_names_its_variable() {
        for (variable, value) in [
            ("DATABASE_URL", "mysql://x"),
            ("SANDBOX_ADDR", "localhost"),
            ("SMTP_URL", "mail.example.com"),
            ("PUBLIC_URL", "example.com"),
            ("PUBLIC_URL", "https://example.com/app"),
            ("LISTEN_ADDR", "3000"),
            ("GRACE_DAYS", "-1"),
            ("GRACE_DAYS", "a week"),
            ("SIGNUP", "maybe"),
            ("STRIPE_API_BASE", "https://stripe.example.com"),
        ] {
            assert_eq!(read(&[(variable, value)]).unwrap_err().variable, variable, "{value}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = read(&[
            ("STRIPE_PUBLIC_KEY", "pk_test_1"),
            ("STRIPE_SECRET_KEY", "sk_test_verysecret"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_verysecret"),
            ("DATABASE_URL", "postgres://me:verysecret@localhost/tollgate"),
            ("SMTP_URL", "smtp://me:verysecret@localhost"),
        ])
        .unwrap();
        assert!(!format!("{settings:?}").contains("verysecret"));
    }
}
