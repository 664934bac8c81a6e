//! What the environment says, typed and checked before anything starts.
//!
//! An unknown or malformed value stops the start with one line that names its variable. Secrets are kept in
//! [`SecretString`], which neither logs nor `Debug` show.

mod stripe;
mod upstream;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;
use secrecy::SecretString;
use thiserror::Error;
use url::Url;

pub use stripe::{StripeChoice, StripeConfig};
pub use upstream::{Upstream, UpstreamLimits};

/// The days of access that `GRACE_DAYS` may give to a subscription whose payment failed.
const GRACE_DAYS: RangeInclusive<u32> = 0..=90;

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

/// What the environment asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    pub database_url: SecretString,
    pub stripe: StripeChoice,
    /// The gateway's model server; `None` for the built-in demo model.
    pub upstream: Option<Upstream>,
    pub smtp_url: Option<SecretString>,
    /// `None`: the address that is listened on.
    pub public_url: Option<Url>,
    pub listen_addr: SocketAddr,
    /// Whose word on the client's address, scheme and host is believed.
    pub trusted_proxies: Vec<IpNet>,
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
    /// The gateway's model server.
    pub upstream: Upstream,
    pub upstream_limits: UpstreamLimits,
    pub smtp_url: Option<SecretString>,
    pub trusted_proxies: Vec<IpNet>,
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
            database_url: database_url.into(),
            stripe: stripe::choice(&get)?,
            upstream: upstream::upstream(&get)?,
            smtp_url: smtp_url.map(Into::into),
            public_url,
            listen_addr: parse(&get, "LISTEN_ADDR", "an address and port such as 127.0.0.1:3000")?
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            trusted_proxies: get("TRUSTED_PROXIES").map_or(Ok(Vec::new()), |list| networks(&list))?,
            grace_days: match parse(&get, "GRACE_DAYS", "a whole number of days")? {
                Some(days) if !GRACE_DAYS.contains(&days) => {
                    return Err(wrong("GRACE_DAYS", "must be 0 to 90 days"));
                }
                days => days.unwrap_or(7),
            },
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

/// Addresses and networks, with commas in between.
fn networks(list: &str) -> Result<Vec<IpNet>, ConfigError> {
    list.split(',')
        .map(|text| {
            let text = text.trim();
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| {
                wrong(
                    "TRUSTED_PROXIES",
                    "must be addresses or networks such as 10.0.0.0/8, with commas in between",
                )
            })
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_the_sandbox_on_loopback() {
        let settings = read(&[]).unwrap();
        assert!(
            matches!(settings.stripe, StripeChoice::Sandbox { addr, test_clock: None, .. } if addr.port() == 12111)
        );
        assert_eq!(settings.listen_addr.to_string(), "127.0.0.1:3000");
        assert_eq!((settings.grace_days, settings.signup_open), (7, true));
        assert_eq!(settings.database_url.expose_secret(), "sqlite://data/tollgate.db");
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
            ("GRACE_DAYS", "91"),
            ("GRACE_DAYS", "1000000000"),
            ("TRUSTED_PROXIES", "proxy.example"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("TRUSTED_PROXIES", "10.0.0.1,"),
            ("SIGNUP", "maybe"),
            ("STRIPE_API_BASE", "https://stripe.example.com"),
            ("STRIPE_TEST_CLOCK", "tomorrow"),
            ("STRIPE_TIMEOUT", "0"),
            ("STRIPE_TIMEOUT", "61"),
            ("STRIPE_TIMEOUT", "8s"),
            ("OPENAI_BASE_URL", "api.openai.com/v1"),
            ("OPENAI_BASE_URL", "ftp://api.openai.com/v1"),
            ("OPENAI_BASE_URL", "https://me:key@api.openai.com/v1"),
            ("OPENAI_BASE_URL", "https://api.openai.com/v1?key=1"),
            ("OPENAI_API_KEY", "two words"),
        ] {
            assert_eq!(read(&[(variable, value)]).unwrap_err().variable, variable, "{value}");
        }
    }

    #[test]
    fn a_test_clock_is_for_test_keys() {
        let with = |kind: &str| {
            let (publishable, secret) = (format!("pk_{kind}_1"), format!("sk_{kind}_1"));
            let variables = [
                ("STRIPE_PUBLIC_KEY", publishable.as_str()),
                ("STRIPE_SECRET_KEY", &secret),
                ("STRIPE_WEBHOOK_SECRET", "whsec_1"),
                ("STRIPE_TEST_CLOCK", "clock_1"),
            ];
            read(&variables).map(|settings| settings.stripe)
        };
        let Ok(StripeChoice::Account(account)) = with("test") else { panic!("refused") };
        assert_eq!(account.test_clock.as_deref(), Some("clock_1"));
        assert_eq!(with("live").unwrap_err().variable, "STRIPE_TEST_CLOCK");
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let settings = read(&[("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,::1")]).unwrap();
        let shown: Vec<_> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0/8", "127.0.0.1/32", "::1/128"]);
        assert!(read(&[]).unwrap().trusted_proxies.is_empty());
    }

    #[test]
    fn the_demo_model_answers_unless_a_server_is_named() {
        assert!(read(&[]).unwrap().upstream.is_none());
        assert!(read(&[("OPENAI_API_KEY", "sk-1")]).unwrap().upstream.is_none());
        let upstream = read(&[("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")]).unwrap().upstream.unwrap();
        assert_eq!((upstream.base_url.path(), upstream.api_key.is_none()), ("/v1", true));
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = read(&[
            ("STRIPE_PUBLIC_KEY", "pk_test_1"),
            ("STRIPE_SECRET_KEY", "sk_test_verysecret"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_verysecret"),
            ("DATABASE_URL", "postgres://me:verysecret@localhost/tollgate"),
            ("SMTP_URL", "smtp://me:verysecret@localhost"),
            ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
            ("OPENAI_API_KEY", "sk-verysecret"),
        ])
        .unwrap();
        assert!(!format!("{settings:?}").contains("verysecret"));
    }
}
