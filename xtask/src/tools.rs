//! The short commands.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::postgres::{Commits, Postgres};
use crate::process::{become_program, cargo, run, target_directory};
use crate::progress::Progress;
use crate::{setup, site};

/// Every lint command, each an argument list for cargo.
const LINTS: [&[&str]; 4] = [
    &["fmt", "--all", "--check"],
    &["clippy", "--quiet", "--package=xtask", "--all-targets", "--", "--deny=warnings"],
    &[
        "clippy",
        "--quiet",
        "--package=tollgate",
        "--package=demo-model",
        "--package=stripe-sandbox",
        "--package=tollgate-test-support",
        "--features=tollgate/ssr",
        "--all-targets",
        "--",
        "--deny=warnings",
    ],
    &[
        "clippy",
        "--quiet",
        "--package=tollgate-browser",
        "--package=tollgate",
        "--features=tollgate/hydrate",
        "--lib",
        "--target=wasm32-unknown-unknown",
        "--",
        "--deny=warnings",
    ],
];

/// Formatting and clippy over the server, the browser's half and this program.
pub fn lint() -> Result<()> {
    setup::linters()?;
    setup::wasm_target()?;
    for arguments in LINTS {
        run(cargo([]).args(arguments))?;
    }
    Ok(())
}

/// The optimised binary, with its site inside; returns where it is.
pub fn release() -> Result<PathBuf> {
    let mut progress = Progress::new(2);
    progress.step("The browser's half: WASM, JavaScript, styles", || site::build().map(drop))?;
    progress.step("The server, optimised", || {
        run(&mut cargo(["build", "--release", "--package=tollgate", "--bin=tollgate", "--features=ssr"]))
    })?;
    let binary = target_directory().join("release/tollgate");
    println!("\n{} ({:.1} MB)", binary.display(), std::fs::metadata(&binary)?.len() as f64 / 1e6);
    Ok(binary)
}

pub fn dev() -> Result<()> {
    setup::wasm_target()?;
    if !Command::new("cargo-leptos").arg("--version").output().is_ok_and(|output| output.status.success()) {
        bail!(
            "hot reload needs cargo-leptos, which isn't installed:\n\n  \
             cargo install cargo-leptos --version 0.3.10 --locked\n\n\
             That takes some twenty minutes once. It fetches wasm-bindgen by itself; one on PATH, of the version \
             in Cargo.lock, saves that. `make serve` needs none of it."
        );
    }
    become_program(&mut cargo(["leptos", "watch", "--", "serve", "--demo"]))
}

pub fn bench(arguments: &[String]) -> Result<()> {
    let postgres = Postgres::start(Commits::Durable)?;
    run(cargo(["bench", "--package=tollgate", "--features=ssr"])
        .args(arguments)
        .env("TOLLGATE_TEST_POSTGRES", postgres.url()))
}

/// Lighthouse over the pages that matter, against the release build.
pub fn lighthouse() -> Result<()> {
    let binary = release()?.canonicalize()?;
    setup::node_modules()?;
    run(Command::new("node")
        .arg("lighthouse.mjs")
        .current_dir("end2end")
        .env("TOLLGATE_BINARY", binary)
        .env("CHROMIUM", setup::chromium()?))
}
