//! OpenAI's own clients, of PyPI and of npm, unmodified, against the gateway before the demo model.

use std::process::Command;

use anyhow::Result;

use super::tally::{Tally, counted};
use crate::demo::DemoServer;
use crate::setup;

/// Who spends: of the demo's subscribed group.
const SPENDER: &str = "admin@acme.test";
/// Who has nothing to spend: of the group without a subscription.
const WITHOUT_TOKENS: &str = "admin@newco.test";

/// One client after the other, each at a server of its own: what they spend is counted.
pub fn run_all() -> Result<Tally> {
    let pytest = setup::python_program("pytest")?;
    setup::node_modules()?;
    let mut python = Command::new(pytest);
    python.args(["-p", "no:cacheprovider", "--verbose", "--ignore=clients/stripe", "clients"]);
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap", "clients/openai.test.mjs"]);
    let mut tally = Tally::default();
    for client in [&mut python, &mut node] {
        let server = DemoServer::start()?;
        client
            .current_dir("end2end")
            .env("TOLLGATE_URL", &server.url)
            .env("TOLLGATE_KEY", server.key(SPENDER)?)
            .env("TOLLGATE_KEY_WITHOUT_TOKENS", server.key(WITHOUT_TOKENS)?);
        tally.add(counted(client)?);
    }
    Ok(tally)
}
