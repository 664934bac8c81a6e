//! The command line.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "it answers the operator's terminal")]

mod commands;
mod serve;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::config::Settings;
use crate::domain::Role;
use crate::start::open_store;

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
        /// Let it be reached from other machines: it takes every test key, so any client there can change it.
        #[arg(long)]
        allow_demo_on_network: bool,
    },
    /// Recount every group's sums from its ledger, compare every live subscription with Stripe, and repair what differs.
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
/// any client can malform, and about failures that are logged where they are handled.
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
        Command::Serve { demo, allow_demo_on_network } => {
            serve::serve(settings, demo, allow_demo_on_network).await
        }
        Command::Migrate => {
            open_store(&settings).await?;
            println!("The schema is up to date.");
            Ok(())
        }
        Command::User(UserCommand::Create(account)) => commands::create_user(&settings, account).await,
        Command::Key(KeyCommand::Create { user, name }) => {
            commands::create_key(&settings, &user, &name).await
        }
        Command::Sandbox { webhook_url, webhook_secret, database, allow_demo_on_network } => {
            let webhook = webhook_url
                .zip(webhook_secret)
                .map(|(url, secret)| stripe_sandbox::Webhook { url: url.into(), secret });
            serve::sandbox(&settings, webhook, database, allow_demo_on_network).await
        }
        Command::Reconcile => commands::reconcile(&settings).await,
        Command::CopyDatabase { from, to } => commands::copy_database(&from, &to).await,
    }
}
