//! The command line.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "it answers the operator's terminal")]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::accounts::{Accounts, DEMO_PASSWORD};
use crate::clock::Clock;
use crate::config::{Config, Secret, Settings, StripeChoice, StripeConfig};
use crate::domain::Role;
use crate::notify::Outbox;

use crate::http::shutdown::signalled;
use crate::services::Services;
use crate::start::{Running, StartOptions, bind, open_store, sandbox_database, start};
use crate::storage::Store;

/// Plans, payments and token limits for products that sell AI by subscription.
///
/// Settings come from the environment and from a .env file; the README lists them.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the API.
    Serve {
        /// Load the demo data into an empty database, and offer its accounts on the log-in page.
        #[arg(long)]
        demo: bool,
        /// Let the Stripe sandbox and the demo data be reached from other machines.
        #[arg(long)]
        allow_demo_on_network: bool,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Manage accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Serve the Stripe sandbox alone.
    Sandbox {
        /// Where to send the events of every webhook.
        #[arg(long, requires = "webhook_secret")]
        webhook_url: Option<Url>,
        /// What to sign them with: whsec_…
        #[arg(long, requires = "webhook_url")]
        webhook_secret: Option<String>,
        /// Where to keep its state; without it, in memory only.
        #[arg(long)]
        database: Option<PathBuf>,
        /// Let it be reached from other machines: it takes every test key, so whoever reaches it can change it.
        #[arg(long)]
        allow_demo_on_network: bool,
    },
    /// Compare every live subscription with Stripe, and repair what a lost webhook left behind.
    Reconcile,
    /// Copy everything from one database into another, empty one: from SQLite to PostgreSQL, or back.
    CopyDatabase {
        /// sqlite://PATH or postgres://…
        #[arg(long)]
        from: String,
        /// sqlite://PATH or postgres://…
        #[arg(long)]
        to: String,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create an account. Its password is read from TOLLGATE_PASSWORD, or made up and printed.
    Create(NewAccount),
}

#[derive(Debug, Args)]
struct NewAccount {
    #[arg(long)]
    email: String,
    /// What the person is called; without it, after the address.
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    role: RoleArg,
    /// The name of its group, which is made if there is none; not for a superadmin.
    #[arg(long)]
    group: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    Superadmin,
    Admin,
    Member,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Superadmin => Self::SuperAdmin,
            RoleArg::Admin => Self::Admin,
            RoleArg::Member => Self::Member,
        }
    }
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Create an API key and print it: the only time it is shown.
    Create {
        /// The e-mail address of the account it acts as.
        #[arg(long)]
        user: String,
        #[arg(long, default_value = "command line")]
        name: String,
    },
}

/// What is logged unless `RUST_LOG` says otherwise. The session layer's own complaints are about cookies that
/// anybody can malform, and about failures that are logged where they are handled.
const DEFAULT_LOG: &str = "info,sqlx=warn,tower_sessions=error,tower_sessions_core=off";

/// Reads the arguments and does what they say. What went wrong is one line on standard error.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollgate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => bail!(".env: {error}"),
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let settings = Settings::from_env()?;
    match command {
        Command::Serve { demo, allow_demo_on_network } => serve(settings, demo, allow_demo_on_network).await,
        Command::Migrate => {
            open_store(&settings).await?;
            println!("The schema is up to date.");
            Ok(())
        }
        Command::User(UserCommand::Create(account)) => create_user(&settings, account).await,
        Command::Key(KeyCommand::Create { user, name }) => create_key(&settings, &user, &name).await,
        Command::Sandbox { webhook_url, webhook_secret, database, allow_demo_on_network } => {
            let webhook = webhook_url
                .zip(webhook_secret)
                .map(|(url, secret)| stripe_sandbox::Webhook { url: url.into(), secret });
            serve_sandbox(&settings, webhook, database, allow_demo_on_network).await
        }
        Command::Reconcile => reconcile(&settings).await,
        Command::CopyDatabase { from, to } => copy_database(&from, &to).await,
    }
}

async fn serve(settings: Settings, demo: bool, allow_demo_on_network: bool) -> anyhow::Result<()> {
    let options = StartOptions {
        demo,
        allow_demo_on_network,
        sandbox_database: Some(sandbox_database(&settings.database_url)),
    };
    let running = start(settings, options, Clock::system()).await?;
    announce(&running);
    signalled().await?;
    eprintln!("Stopping.");
    running.stop().await;
    Ok(())
}

/// Says where to click and as whom to sign in.
fn announce(running: &Running) {
    let Running { services, sandbox, .. } = running;
    println!();
    println!("Listening on {}", services.config.public_url.as_str().trim_end_matches('/'));
    if let Some(sandbox) = sandbox {
        println!("Stripe sandbox on http://{} (no real money; card 4242 4242 4242 4242)", sandbox.addr);
    }
    let accounts = services.accounts.demo_accounts();
    if !accounts.is_empty() {
        println!("\nSign in as one of these, password {DEMO_PASSWORD}:");
        for account in accounts {
            println!("  {:<26} {}", account.email, account.label);
        }
    }
    println!();
}

/// Accounts without a server around them.
async fn accounts(settings: &Settings) -> anyhow::Result<(Accounts, Store)> {
    let store = open_store(settings).await?;
    let clock = Clock::system();
    let outbox = Outbox::new(store.clone(), clock.clone(), settings.smtp_url.is_some());
    let config = Arc::new(offline_config(settings)?);
    Ok((Accounts::new(store.clone(), clock, config, outbox), store))
}

/// The configuration of a command that doesn't listen.
fn offline_config(settings: &Settings) -> anyhow::Result<Config> {
    let listen = Url::parse(&format!("http://{}", settings.listen_addr))?;
    let stripe = match &settings.stripe {
        StripeChoice::Account(account) => account.clone(),
        StripeChoice::Sandbox { addr } => StripeConfig {
            publishable_key: stripe_sandbox::PUBLISHABLE_KEY.into(),
            secret_key: Secret::new(stripe_sandbox::SECRET_KEY),
            webhook_secret: Secret::new(""),
            api_base: Some(format!("http://{addr}")),
            js_url: format!("http://{addr}/v3/"),
            sandbox: Some(*addr),
        },
    };
    Ok(Config {
        listen_addr: settings.listen_addr,
        public_url: settings.public_url.clone().unwrap_or(listen),
        stripe,
        smtp_url: settings.smtp_url.clone(),
        grace_days: settings.grace_days,
        signup_open: settings.signup_open,
        demo: false,
    })
}

async fn create_user(settings: &Settings, account: NewAccount) -> anyhow::Result<()> {
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

async fn create_key(settings: &Settings, email: &str, name: &str) -> anyhow::Result<()> {
    let (accounts, store) = accounts(settings).await?;
    let found = store.credentials(&email.trim().to_lowercase()).await?;
    let user = found.with_context(|| format!("--user: there is no account {email}"))?.user;
    println!("{}", accounts.create_key(&user, name).await?.key);
    Ok(())
}

async fn serve_sandbox(
    settings: &Settings,
    webhook: Option<stripe_sandbox::Webhook>,
    database: Option<PathBuf>,
    allow_network: bool,
) -> anyhow::Result<()> {
    let StripeChoice::Sandbox { addr } = settings.stripe else {
        bail!("STRIPE_SECRET_KEY: is set; the sandbox takes the place of a Stripe account");
    };
    if !allow_network && !addr.ip().is_loopback() {
        bail!(
            "SANDBOX_ADDR: the Stripe sandbox is for this machine only: choose a loopback address, or give --allow-demo-on-network"
        );
    }
    let listener = bind("SANDBOX_ADDR", addr).await?;
    let running = stripe_sandbox::start(stripe_sandbox::Options {
        listener,
        allow_network,
        database,
        webhook,
        clock: stripe_sandbox::Clock::system(),
    })
    .await?;
    println!("Stripe sandbox on http://{}", running.addr);
    println!("  STRIPE_PUBLIC_KEY={}", stripe_sandbox::PUBLISHABLE_KEY);
    println!("  STRIPE_SECRET_KEY={}", stripe_sandbox::SECRET_KEY);
    println!("  STRIPE_API_BASE=http://{0}\n  STRIPE_JS_URL=http://{0}/v3/", running.addr);
    signalled().await?;
    running.shutdown().await;
    Ok(())
}

async fn reconcile(settings: &Settings) -> anyhow::Result<()> {
    let store = open_store(settings).await?;
    let services = Services::new(offline_config(settings)?, store, Clock::system())?;
    let sum = services.billing.reconcile().await?;
    println!("Compared {}, repaired {}, failed {}.", sum.compared, sum.repaired, sum.failed);
    if sum.events_given_up > 0 {
        println!("Webhook events given up: {}.", sum.events_given_up);
    }
    if sum.failed > 0 {
        bail!("{} of them could not be compared with Stripe; the log says why", sum.failed);
    }
    Ok(())
}

async fn copy_database(from: &str, to: &str) -> anyhow::Result<()> {
    let source = Store::open(from).await.context("--from")?;
    let target = Store::open(to).await.context("--to")?;
    source.migrate().await.context("--from")?;
    target.migrate().await.context("--to")?;
    for (table, rows) in source.copy_into(&target).await? {
        println!("{rows:>10}  {table}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sandbox_stays_off_the_network_unless_it_is_let() {
        let settings =
            Settings::read(|name| (name == "SANDBOX_ADDR").then(|| "0.0.0.0:0".to_owned())).unwrap();
        let refused = serve_sandbox(&settings, None, None, false).await.unwrap_err().to_string();
        assert!(
            refused.starts_with("SANDBOX_ADDR") && refused.contains("--allow-demo-on-network"),
            "{refused}"
        );
    }
}
