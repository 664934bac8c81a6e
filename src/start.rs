//! The composition root: opens the database, starts the sandbox where no Stripe account is set, builds the
//! services, starts the background tasks and serves. Only the command line and the tests use it.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::billing::DemoClock;
use crate::clock::Clock;
use crate::config::{Config, Settings, StripeChoice, StripeConfig, Upstream, UpstreamLimits};
use crate::http::limits::TimeLimits;
use crate::http::serve::serve;
use crate::router::router;
use crate::services::Services;
use crate::storage::Store;
use crate::web::ssr;
use crate::{demo, gateway, jobs, metrics};

pub use crate::stop::Running;

/// What the command line asks for beyond the environment.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Load the demo data into an empty database, and offer its accounts on the log-in page.
    pub demo: bool,
    /// Let the sandbox or the demo data be reached from other machines.
    pub allow_demo_on_network: bool,
    /// Where the sandbox keeps its state; `None` for memory only.
    pub sandbox_database: Option<PathBuf>,
    /// How long a client may take.
    pub time_limits: TimeLimits,
    /// How long the gateway's model server may take.
    pub upstream_limits: UpstreamLimits,
}

/// Where the sandbox of a server on this database keeps its state: beside a SQLite file, else in `data/`.
pub fn sandbox_database(database_url: &SecretString) -> PathBuf {
    let path = database_url.expose_secret().strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    match path.map(|path| path.split('?').next().unwrap_or(path)) {
        Some(path) if !path.is_empty() && path != ":memory:" => {
            PathBuf::from(path).with_extension("sandbox.db")
        }
        _ => PathBuf::from("data/tollgate.sandbox.db"),
    }
}

/// Opens the database that the settings name and brings its schema up to date.
///
/// # Errors
/// One line that names the variable.
pub async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::open(settings.database_url.expose_secret()).await?;
    store.migrate().await?;
    Ok(store)
}

/// Starts everything; returns once requests are answered.
///
/// # Errors
/// One line that says what is in the way, and which variable to change.
pub async fn start(settings: Settings, options: StartOptions, clock: Clock) -> anyhow::Result<Running> {
    refuse_on_network(&settings, &options)?;
    raise_file_limit();
    let store = open_store(&settings).await?;
    let listener = bind("LISTEN_ADDR", settings.listen_addr).await?;
    let addr = listener.local_addr().context("LISTEN_ADDR")?;
    let public_url = match &settings.public_url {
        Some(url) => url.clone(),
        None => address_of(addr)?,
    };
    let loads_demo = options.demo && store.needs_demo_load().await?;
    let (stripe, sandbox) = stripe(&settings.stripe, addr, &options, &clock, loads_demo).await?;
    let stop = CancellationToken::new();
    let mut config = Config {
        listen_addr: addr,
        public_url,
        stripe,
        upstream: upstream(&settings, &stop).await?,
        upstream_limits: options.upstream_limits,
        smtp_url: settings.smtp_url.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        grace_days: settings.grace_days,
        signup_open: settings.signup_open,
        demo: options.demo,
    };
    if options.demo {
        // Large, as futures that buy and pay are: it would be part of this one on every start.
        Box::pin(demo::load(&config, &store, &clock)).await?;
        config.stripe.test_clock =
            demo_clock(&config.stripe, &clock).await.context("the demo's test clock")?;
    }
    let sandbox = match sandbox {
        Some((running, webhook)) => {
            if loads_demo {
                running.install_webhook(&webhook).await.context("the Stripe sandbox")?;
            }
            Some(running)
        }
        None => None,
    };
    let (services, metering) = Services::new(config, store, clock)?;
    // The first request to the gateway shall not wait for it.
    tokio::task::spawn_blocking(gateway::load);
    let jobs = jobs::start(&services, metering, &stop)?;
    metrics::install();
    let limits = options.time_limits;
    let (pages, assets) = (ssr::routes(services.clone()), ssr::assets::router());
    let app = router(services.clone(), limits, stop.clone(), pages, assets);
    let server = tokio::spawn(serve(listener, app, limits, stop.clone()));
    Ok(Running { addr, services, sandbox, stop, server, jobs })
}

/// Each connection takes a file: lets the process have as many as it may.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}

/// Demo accounts have a known password and sandbox money isn't real: neither belongs on a network by accident.
fn refuse_on_network(settings: &Settings, options: &StartOptions) -> anyhow::Result<()> {
    if options.allow_demo_on_network {
        return Ok(());
    }
    const WAY_OUT: &str = "set Stripe's keys and leave --demo out, or give --allow-demo-on-network";
    if let StripeChoice::Sandbox { addr, .. } = settings.stripe {
        if !settings.listen_addr.ip().is_loopback() {
            bail!("LISTEN_ADDR: the Stripe sandbox is for this machine only: {WAY_OUT}");
        }
        if !addr.ip().is_loopback() {
            bail!("SANDBOX_ADDR: the Stripe sandbox is for this machine only: {WAY_OUT}");
        }
    }
    if options.demo && !settings.listen_addr.ip().is_loopback() {
        bail!("LISTEN_ADDR: the demo data is for this machine only: {WAY_OUT}");
    }
    Ok(())
}

/// The clock that new customers of the demo stand on: the one that is set, or else that of the demo data.
async fn demo_clock(stripe: &StripeConfig, clock: &Clock) -> anyhow::Result<Option<String>> {
    if stripe.test_clock.is_some() || stripe.sandbox.is_none() {
        return Ok(stripe.test_clock.clone());
    }
    let customers = DemoClock::open(stripe, clock.now()).await?;
    customers.advance(clock.now()).await?;
    Ok(Some(customers.id().await))
}

/// Stripe's account, or the sandbox in its place with the webhook that it is to have: not before the demo data is loaded,
/// whose events are over.
async fn stripe(
    choice: &StripeChoice,
    app: SocketAddr,
    options: &StartOptions,
    clock: &Clock,
    loads_demo: bool,
) -> anyhow::Result<(StripeConfig, Option<(stripe_sandbox::Running, stripe_sandbox::Webhook)>)> {
    let (addr, test_clock, timeout) = match choice {
        StripeChoice::Account(account) => return Ok((account.clone(), None)),
        StripeChoice::Sandbox { addr, test_clock, timeout } => (*addr, test_clock.clone(), *timeout),
    };
    let listener = bind("SANDBOX_ADDR", addr).await?;
    let secret = format!("whsec_{}", hex::encode(rand::random::<[u8; 24]>()));
    let webhook = stripe_sandbox::Webhook {
        url: address_of(app)?.join("/api/subscriptions/webhook/stripe/")?.into(),
        secret: secret.clone(),
    };
    let running = stripe_sandbox::start(stripe_sandbox::Options {
        listener,
        allow_network: options.allow_demo_on_network,
        database: options.sandbox_database.clone(),
        webhook: (!loads_demo).then(|| webhook.clone()),
        clock: sandbox_clock(clock),
    })
    .await
    .context("the Stripe sandbox")?;
    let base = address_of(running.addr)?;
    let stripe = StripeConfig {
        publishable_key: stripe_sandbox::PUBLISHABLE_KEY.into(),
        secret_key: stripe_sandbox::SECRET_KEY.into(),
        webhook_secret: secret.into(),
        api_base: Some(base.to_string()),
        js_url: base.join("/v3/")?.into(),
        test_clock,
        timeout,
        sandbox: Some(running.addr),
    };
    Ok((stripe, Some((running, webhook))))
}

/// The gateway's model server: the one that is set, or else the demo model, started here.
async fn upstream(settings: &Settings, stop: &CancellationToken) -> anyhow::Result<Upstream> {
    if let Some(upstream) = &settings.upstream {
        return Ok(upstream.clone());
    }
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.context("the demo model")?;
    let base_url = address_of(listener.local_addr()?)?.join("/v1")?;
    let serving = demo_model::serve(listener, stop.clone());
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the demo model ended");
        }
    });
    Ok(Upstream { base_url, api_key: None })
}

/// The application's clock, as the sandbox takes it: the two tell one time.
pub(crate) fn sandbox_clock(clock: &Clock) -> stripe_sandbox::Clock {
    let clock = clock.clone();
    stripe_sandbox::Clock::from_fn(move || clock.now())
}

/// How a listener is reached from this machine.
fn address_of(addr: SocketAddr) -> anyhow::Result<Url> {
    let mut reachable = addr;
    if addr.ip().is_unspecified() {
        reachable.set_ip(match addr {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(Url::parse(&format!("http://{reachable}"))?)
}

pub(crate) async fn bind(variable: &str, addr: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(addr).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!(
                "{variable}: {addr} is in use by another program; stop that, or set {variable} to another port"
            )
        }
        Err(error) => bail!("{variable}: can't listen on {addr}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandbox_keeps_its_state_beside_the_database() {
        for (url, path) in [
            ("sqlite://data/tollgate.db", "data/tollgate.sandbox.db"),
            ("sqlite:///srv/t.db?mode=rwc", "/srv/t.sandbox.db"),
            ("postgres://localhost/tollgate", "data/tollgate.sandbox.db"),
        ] {
            assert_eq!(sandbox_database(&url.into()), PathBuf::from(path));
        }
    }

    #[test]
    fn the_sandbox_and_the_demo_stay_off_the_network() {
        let settings =
            |addr: &str| Settings::read(|name| (name == "LISTEN_ADDR").then(|| addr.into())).unwrap();
        let options = StartOptions::default();
        assert!(refuse_on_network(&settings("127.0.0.1:3000"), &options).is_ok());
        let refused = refuse_on_network(&settings("0.0.0.0:3000"), &options).unwrap_err().to_string();
        assert!(refused.starts_with("LISTEN_ADDR"), "{refused}");
        let allowed = StartOptions { allow_demo_on_network: true, ..options };
        assert!(refuse_on_network(&settings("0.0.0.0:3000"), &allowed).is_ok());
    }
}
