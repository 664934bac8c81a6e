//! The commands that do one thing and end.

use std::sync::Arc;

use anyhow::{Context, bail};
use url::Url;

use super::NewAccount;
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::{Config, Settings, StripeChoice, StripeConfig, Upstream, UpstreamLimits};
use crate::notify::Outbox;
use crate::services::Services;
use crate::start::open_store;
use crate::storage::Store;

/// Accounts without a server around them.
async fn accounts(settings: &Settings) -> anyhow::Result<(Accounts, Store)> {
    let store = open_store(settings).await?;
    let clock = Clock::system();
    let config = Arc::new(offline_config(settings)?);
    let sends = settings.smtp_url.is_some();
    let outbox = Outbox::new(store.clone(), clock.clone(), &config.public_url, sends);
    let accounts = Accounts::new(store.clone(), clock, config, outbox, Arc::new(|_| {}));
    Ok((accounts, store))
}

/// The configuration of a command that doesn't listen.
fn offline_config(settings: &Settings) -> anyhow::Result<Config> {
    let listen = Url::parse(&format!("http://{}", settings.listen_addr))?;
    let stripe = match &settings.stripe {
        StripeChoice::Account(account) => account.clone(),
        StripeChoice::Sandbox { addr, test_clock, timeout } => StripeConfig {
            publishable_key: stripe_sandbox::PUBLISHABLE_KEY.into(),
            secret_key: stripe_sandbox::SECRET_KEY.into(),
            webhook_secret: "".into(),
            api_base: Some(format!("http://{addr}")),
            js_url: format!("http://{addr}/v3/"),
            test_clock: test_clock.clone(),
            timeout: *timeout,
            sandbox: Some(*addr),
        },
    };
    // Nothing asks a model here, so the demo model isn't started.
    let upstream = Upstream { base_url: listen.clone(), api_key: None };
    Ok(Config {
        listen_addr: settings.listen_addr,
        public_url: settings.public_url.clone().unwrap_or(listen),
        stripe,
        upstream: settings.upstream.clone().unwrap_or(upstream),
        upstream_limits: UpstreamLimits::default(),
        smtp_url: settings.smtp_url.clone(),
        trusted_proxies: Vec::new(),
        grace_days: settings.grace_days,
        signup_open: settings.signup_open,
        demo: false,
    })
}

pub async fn create_user(settings: &Settings, account: NewAccount) -> anyhow::Result<()> {
    let (accounts, _) = accounts(settings).await?;
    let given = std::env::var("TOLLGATE_PASSWORD").ok().filter(|password| !password.is_empty());
    let password = given.clone().unwrap_or_else(|| hex::encode(rand::random::<[u8; 12]>()));
    let NewAccount { email, name, role, group } = account;
    let user = accounts
        .create_user(&email, name.as_deref(), password.clone(), role.into(), group.as_deref())
        .await?;
    println!("Created {} ({}).", user.email, user.role);
    if given.is_none() {
        println!("Password: {password}");
    }
    Ok(())
}

pub async fn create_key(settings: &Settings, email: &str, name: &str) -> anyhow::Result<()> {
    let (accounts, store) = accounts(settings).await?;
    let found = store.credentials(&email.trim().to_lowercase()).await?;
    let user = found.with_context(|| format!("--user: there is no account {email}"))?.user;
    println!("{}", accounts.create_key(&user, name).await?.key);
    Ok(())
}

pub async fn reconcile(settings: &Settings) -> anyhow::Result<()> {
    let store = open_store(settings).await?;
    let (services, _) = Services::new(offline_config(settings)?, store, Clock::system())?;
    let ledger = services.metering.reconcile().await?;
    println!(
        "Recounted the ledgers of {} groups: {} periods, {} shares of members and keys and {} sums by quarter of an \
         hour differed and are put right, in {} groups; {} groups failed.",
        ledger.groups, ledger.periods, ledger.shares, ledger.quarters, ledger.groups_repaired, ledger.failed
    );
    let sum = services.billing.reconcile().await?;
    println!(
        "Compared {} subscriptions with Stripe, repaired {}, failed {}.",
        sum.compared, sum.repaired, sum.failed
    );
    println!("Compared {} invoices with Stripe, repaired {}.", sum.invoices_compared, sum.invoices_repaired);
    if sum.events_given_up > 0 {
        println!("Webhook events given up: {}.", sum.events_given_up);
    }
    if ledger.failed > 0 {
        bail!("the ledgers of {} groups could not be recounted; the log says why", ledger.failed);
    }
    if sum.failed > 0 {
        bail!("{} of them could not be compared with Stripe; the log says why", sum.failed);
    }
    Ok(())
}

pub async fn copy_database(from: &str, to: &str) -> anyhow::Result<()> {
    let source = Store::open(from).await.context("--from")?;
    let target = Store::open(to).await.context("--to")?;
    source.migrate().await.context("--from")?;
    target.migrate().await.context("--to")?;
    for (table, rows) in source.copy_into(&target).await? {
        println!("{rows:>10}  {table}");
    }
    Ok(())
}
