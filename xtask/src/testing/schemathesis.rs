//! Schemathesis: requests made up from the OpenAPI document, and every answer held against it.

use std::path::Path;
use std::process::Command;
use std::{fs, thread};

use anyhow::{Result, anyhow};

use super::tally::Tally;
use crate::demo::DemoServer;
use crate::process::{run_aside, target_directory};
use crate::setup;

/// Whose keys the requests are made with: each role is allowed other things.
const ACCOUNTS: [&str; 3] = ["superadmin@tollgate.test", "member@acme.test", "admin@acme.test"];

/// No answer of 500 and above, and none that the document doesn't announce. What the values mean is other tests' part.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// One pass for each account, all at the same time: they also get in each other's way, as people do.
pub fn run_all() -> Result<Tally> {
    let program = setup::python_program("schemathesis")?;
    let server = DemoServer::start()?;
    let passes = ACCOUNTS.map(|account| Ok((account, pass(&program, &server, account)?)));
    let passes = passes.into_iter().collect::<Result<Vec<_>>>()?;
    let outcomes: Vec<Result<()>> = thread::scope(|scope| {
        let threads: Vec<_> = passes
            .into_iter()
            .map(|(account, mut command)| {
                scope.spawn(move || run_aside(&format!("      as {account}"), &mut command))
            })
            .collect();
        let ended = |thread: thread::ScopedJoinHandle<'_, Result<()>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a pass panicked")))
        };
        threads.into_iter().map(ended).collect()
    });
    let mut tally = Tally::default();
    for outcome in outcomes {
        match outcome {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                eprintln!("      {error:#}");
                tally.failed += 1;
            }
        }
    }
    Ok(tally)
}

fn pass(program: &Path, server: &DemoServer, account: &str) -> Result<Command> {
    let key = server.key(account)?;
    // Each keeps its notes beside what it tests.
    let folder = target_directory().join("schemathesis").join(account);
    fs::create_dir_all(&folder)?;
    let mut command = Command::new(program);
    command
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
        .current_dir(folder);
    Ok(command)
}
