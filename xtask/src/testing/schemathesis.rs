//! Schemathesis: requests made up from the OpenAPI document, and every answer held against it.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::tally::Tally;
use crate::demo::DemoServer;
use crate::process::run;
use crate::setup;

/// Whose keys the requests are made with: each role is allowed other things.
const ACCOUNTS: [&str; 3] = ["superadmin@tollgate.test", "member@acme.test", "admin@acme.test"];

/// No answer of 500 and above, and none that the document doesn't announce. What the values mean is other tests' part.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// One pass for each account.
pub fn run_all() -> Result<Tally> {
    let program = setup::python_program("schemathesis")?;
    let server = DemoServer::start()?;
    for account in ACCOUNTS {
        println!("      as {account}");
        let key = server.key(account)?;
        run(Command::new(&program)
            .arg("run")
            .arg(format!("{}/api/openapi.json", server.url))
            .args(["--checks", CHECKS])
            .args(["--phases", "examples,coverage,fuzzing"])
            .args(["--max-examples", "25"])
            // The same requests in each run, so that a failure can be had again.
            .args(["--seed", "1"])
            // This answer has no end.
            .args(["--exclude-path-regex", "/stream/?$"])
            .args(["--request-timeout", "10"])
            .args(["--header", &format!("Authorization: Bearer {key}")])
            // It keeps its notes beside what it tests.
            .current_dir("target"))
        .with_context(|| format!("as {account}"))?;
    }
    Ok(Tally { passed: ACCOUNTS.len() as u64, failed: 0 })
}
