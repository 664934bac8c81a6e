//! Programs that speak to Stripe, unmodified, at the sandbox: Stripe's own CLI and clients, and libraries that are built on these.

use std::process::Command;

use anyhow::Result;

use super::tally::{Tally, counted};
use crate::demo::DemoServer;
use crate::{serve, setup};

pub fn run_all() -> Result<Tally> {
    let pytest = setup::python_program("pytest")?;
    setup::node_modules()?;
    let sandbox = DemoServer::sandbox()?;
    let mut python = Command::new(pytest);
    python.args(["-p", "no:cacheprovider", "--verbose", "clients/stripe"]);
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap", "--test-timeout=120000"]);
    node.args(["sdk", "cli", "better_auth"].map(|subject| format!("clients/stripe/{subject}.test.mjs")));
    let mut tally = Tally::default();
    for client in [&mut python, &mut node] {
        client
            .current_dir("end2end")
            .env("SANDBOX_URL", &sandbox.url)
            // Many of these tests start a sandbox of their own.
            .env("TOLLGATE_BINARY", std::path::absolute(serve::server())?);
        tally.add(counted(client)?);
    }
    Ok(tally)
}
