//! The commands that serve until a signal comes.

use std::path::PathBuf;

use anyhow::bail;
use tokio::signal::unix::{SignalKind, signal};

use crate::accounts::DEMO_PASSWORD;
use crate::clock::Clock;
use crate::config::{Settings, StripeChoice};
use crate::start::{Running, StartOptions, bind, sandbox_database, start};

pub async fn serve(settings: Settings, demo: bool, allow_demo_on_network: bool) -> anyhow::Result<()> {
    let options = StartOptions {
        demo,
        allow_demo_on_network,
        sandbox_database: Some(sandbox_database(&settings.database_url)),
        ..StartOptions::default()
    };
    let running = start(settings, options, Clock::system()).await?;
    announce(&running);
    signalled().await?;
    eprintln!("Stopping.");
    tokio::select! {
        () = running.stop() => Ok(()),
        again = signalled() => {
            again?;
            bail!("stopped at once, as a second signal asked")
        }
    }
}

/// Waits for SIGINT or SIGTERM.
async fn signalled() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Says where to click and which accounts to sign in as.
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

/// Serves the Stripe sandbox alone.
pub async fn sandbox(
    settings: &Settings,
    webhook: Option<stripe_sandbox::Webhook>,
    database: Option<PathBuf>,
    allow_network: bool,
) -> anyhow::Result<()> {
    let StripeChoice::Sandbox { addr, .. } = settings.stripe else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sandbox_stays_off_the_network_unless_it_is_let() {
        let settings =
            Settings::read(|name| (name == "SANDBOX_ADDR").then(|| "0.0.0.0:0".to_owned())).unwrap();
        let refused = sandbox(&settings, None, None, false).await.unwrap_err().to_string();
        assert!(
            refused.starts_with("SANDBOX_ADDR") && refused.contains("--allow-demo-on-network"),
            "{refused}"
        );
    }
}
