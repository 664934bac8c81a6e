//! The Stripe sandbox: a server that speaks Stripe's API, keeps what it is sent, and moves no money.
//!
//! It owns the far end of the payments: the API at `/v1`, the objects behind it, test cards, webhooks,
//! Stripe.js's stand-in and a panel to look into it all. It doesn't know the application: the two meet
//! over HTTP only, so that what works here works at Stripe.
//!
//! Layer by layer, each using only what stands above it in this list (`layers.rs` holds the code to it):
//!
//! - `clock`, `error`, `money`: what any of them may need
//! - [`engine`]: documents in memory, written through to SQLite, changed in transactions
//! - [`webhooks`]: delivering events
//! - [`http`]: Stripe's conventions: keys, forms, lists, idempotency
//! - [`cards`], [`payments`]: what a test card does, and charging one
//! - [`billing`]: prices, subscriptions and invoices, and what falls due as time passes
//! - [`resources`]: the endpoints
//! - [`dispatch`]: from a request to its endpoint, and from there to the answer
//! - [`panel`], [`browser`], [`cli`]: what people see, and what Stripe's CLI listens to

mod billing;
mod browser;
mod cards;
mod cli;
mod clock;
mod dispatch;
mod engine;
mod error;
mod http;
#[cfg(test)]
mod layers;
mod money;
mod panel;
mod payments;
mod resources;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use billing::ChallengeError;
pub use clock::Clock;
pub use dispatch::routes;
pub use engine::{Sandbox, WriteFailed};
pub use error::StartError;
pub use webhooks::{Attempt, Delivery, DeliveryState, Webhook};

/// The publishable key that the application's pages use with the sandbox. Any other `pk_test_…` works too.
pub const PUBLISHABLE_KEY: &str = "pk_test_TollgateSandboxPublicKey";
/// The secret key that the application uses with the sandbox. Any other `sk_test_…` works too.
pub const SECRET_KEY: &str = "sk_test_TollgateSandboxSecretKey";

/// What a sandbox is started with.
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    pub listener: TcpListener,
    /// Let it be reached from other machines and under any host name: every client that reaches it can read and
    /// change everything in it. Without this the listener must be a loopback one.
    pub allow_network: bool,
    /// The SQLite file that keeps its objects; without one they live as long as the process.
    pub database: Option<PathBuf>,
    /// An endpoint that receives every event, installed (or replaced) at the start.
    pub webhook: Option<Webhook>,
    /// Where its objects get their time from. Webhooks are signed with the machine's own time, as
    /// Stripe's are under a test clock.
    pub clock: Clock,
}

/// A sandbox at work. Dropping it stops it.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    sandbox: Sandbox,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts a sandbox: opens its database, installs the webhook endpoint, goes on with what was left
/// undelivered, and serves.
///
/// # Errors
/// If the listener can be reached from other machines without that being allowed, or the database can't be opened
/// or read.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let addr = options.listener.local_addr()?;
    if !options.allow_network && !addr.ip().is_loopback() {
        return Err(StartError::OnNetwork(addr));
    }
    let disk = match &options.database {
        Some(path) => Some(engine::Disk::open(path).await?),
        None => None,
    };
    let (sandbox, deliveries_due) =
        Sandbox::open(disk, billing::due::SCHEDULE, options.clock, origin(addr)).await?;
    sandbox.discard_expired_replays().await?;
    if let Some(webhook) = &options.webhook {
        sandbox.install_webhook(webhook).await?;
    }

    let mut router = Router::new()
        .merge(dispatch::router())
        .merge(browser::router())
        .merge(panel::router())
        .with_state(sandbox.clone())
        .merge(cli::router(sandbox.clone()));
    if !options.allow_network {
        router = router.layer(from_fn(http::host::loopback_only));
    }
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(webhooks::deliver(sandbox.clone(), deliveries_due)?);
    tasks.spawn(billing::due::watch(sandbox.clone()));
    tasks.spawn(async move {
        let mut stopped = stopped;
        let until = async move {
            // A sender that is gone means stop.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(options.listener, router).with_graceful_shutdown(until).await {
            tracing::error!(%error, "the Stripe sandbox stopped serving");
        }
    });
    Ok(Running { addr, sandbox, stop, tasks })
}

impl Running {
    /// Its objects, as the panel reads them.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Installs the application's webhook endpoint, in the place of one that an earlier start installed: it receives every
    /// event from now on.
    ///
    /// # Errors
    /// If the disk can't be written.
    pub async fn install_webhook(&self, webhook: &Webhook) -> Result<(), StartError> {
        self.sandbox.install_webhook(webhook).await
    }

    /// Resolves once every event has been delivered or given up on.
    pub async fn deliveries_finished(&self) {
        self.sandbox.deliveries_finished().await;
    }

    /// Finishes the requests at hand and stops. What is undelivered waits in the database, if there is one.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // The server is the one that ends by itself; the other tasks run for ever.
        self.tasks.join_next().await;
        self.tasks.shutdown().await;
        self.sandbox.close().await;
    }
}

/// How a browser on the same machine reaches the sandbox.
fn origin(addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", addr.port())
    } else {
        format!("http://{addr}")
    }
}
