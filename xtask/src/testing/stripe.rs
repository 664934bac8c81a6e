//! Stripe's own tools, unmodified: its CLI, and its clients of PyPI and of npm, at the sandbox.

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
    node.args(["clients/stripe/sdk.test.mjs", "clients/stripe/cli.test.mjs"]);
    let mut tally = Tally::default();
    for client in [&mut python, &mut node] {
        client
            .current_dir("end2end")
            .env("SANDBOX_URL", &sandbox.url)
            // The CLI's tests start a sandbox and an application of their own.
            .env("TOLLGATE_BINARY", std::path::absolute(serve::server())?);
        tally.add(counted(client)?);
    }
    Ok(tally)
}
