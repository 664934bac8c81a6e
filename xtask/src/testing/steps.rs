//! The steps. To add one: a line here and a function below.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::tally::{Tally, counted, from_playwright};
use super::{Context, Step, clients, schemathesis, stripe};
use crate::process::{cargo, run, target_directory};
use crate::{serve, setup, tools};

pub const STEPS: &[Step] = &[
    Step::new("lint", "formatting and clippy", lint),
    Step::new("site", "WASM, JavaScript and styles, within their budget", site).essential(),
    Step::new("build", "the server", build).essential(),
    Step::new("unit", "rules and stores, on SQLite and PostgreSQL", unit),
    Step::new("api", "the application over HTTP", api),
    Step::new("sandbox", "the Stripe sandbox, against Stripe's schema and client; the demo model", sandbox),
    Step::new("types", "the sandbox's Stripe.js against the types that Stripe publishes", types),
    Step::new("tooling", "this program's own tests", tooling),
    Step::new("openapi", "the REST API against its own document, with Schemathesis", openapi),
    Step::new("clients", "OpenAI's own clients at the gateway, Python's and Node's", clients),
    Step::new(
        "stripe",
        "Stripe's own CLI and clients at the sandbox, dj-stripe and better-auth",
        stripe_tools,
    ),
    Step::new("e2e", "the pages in Chromium", e2e),
];

fn lint(_: &Context) -> Result<Tally> {
    tools::lint().map(|()| Tally::success())
}

fn site(context: &Context) -> Result<Tally> {
    context.site()?;
    crate::site::command(&["--check-budget".to_owned()]).map(|()| Tally::success())
}

fn build(context: &Context) -> Result<Tally> {
    context.site()?;
    serve::build_server().map(|()| Tally::success())
}

fn unit(context: &Context) -> Result<Tally> {
    context.site()?;
    counted(server_tests(&["--lib", "--bins"]).env("TOLLGATE_TEST_POSTGRES", context.postgres()?))
}

fn api(context: &Context) -> Result<Tally> {
    context.site()?;
    counted(server_tests(&["--test=it"]).env("TOLLGATE_TEST_POSTGRES", context.postgres()?))
}

fn sandbox(_: &Context) -> Result<Tally> {
    counted(&mut server_tests(&["--test=api", "--test=browser"]))
}

/// `cargo test` over the server's packages. They are named together in each step: cargo chooses the features of what
/// they depend on for the packages named, and would compile it again for each choice.
fn server_tests(targets: &[&str]) -> Command {
    let mut command = cargo([
        "test",
        "--package=tollgate",
        "--package=demo-model",
        "--package=stripe-sandbox",
        "--features=tollgate/ssr",
        "--no-fail-fast",
    ]);
    command.args(targets);
    command
}

/// The type checker names what it finds; there is nothing to count.
fn types(_: &Context) -> Result<Tally> {
    setup::node_modules()?;
    run(Command::new("npx").args(["--no-install", "tsc", "--project", "stripe-js"]).current_dir("end2end"))
        .map(|()| Tally::success())
}

fn tooling(_: &Context) -> Result<Tally> {
    counted(&mut cargo(["test", "--package=xtask"]))
}

fn openapi(context: &Context) -> Result<Tally> {
    build(context)?;
    schemathesis::run_all()
}

fn clients(context: &Context) -> Result<Tally> {
    build(context)?;
    clients::run_all()
}

fn stripe_tools(context: &Context) -> Result<Tally> {
    build(context)?;
    stripe::run_all()
}

fn e2e(context: &Context) -> Result<Tally> {
    build(context)?;
    setup::node_modules()?;
    let results = target_directory().join("end2end/results.json");
    if let Some(folder) = results.parent() {
        fs::create_dir_all(folder)?;
    }
    let _ = fs::remove_file(&results);
    let outcome = run(Command::new("npx")
        .args(["--no-install", "playwright", "test", "--reporter=list,json"])
        .current_dir("end2end")
        .env("TOLLGATE_BINARY", absolute(&serve::server())?)
        .env("CHROMIUM", setup::chromium()?)
        // With the packages that the pages' snippets name.
        .env("PYTHON", setup::python_program("python")?)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", absolute(&results)?));
    from_playwright(&results, outcome)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    Ok(std::path::absolute(path)?)
}
