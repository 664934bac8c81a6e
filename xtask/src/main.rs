//! `cargo xtask`: everything between a fresh clone and a running, tested Tollgate.
//!
//! `site` turns the browser's half of the crate into files, `setup` finds or fetches what a machine lacks,
//! `postgres` is a cluster for one run, `testing` is the table of steps behind `make test`. The rest are short
//! commands made of these.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command line")]

mod demo;
mod interrupt;
mod postgres;
mod process;
mod progress;
mod serve;
mod setup;
mod site;
mod testing;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Usage: cargo xtask <command>

  serve [ARGUMENTS…]     build what is out of date and serve the demo on http://127.0.0.1:3000
  test [STEP…]           run every test, or only the named steps (`cargo xtask test help` lists them)
  lint                   formatting and clippy, for the server and for the browser
  site [--check-budget]  only the site: WASM, JavaScript and styles into target/site
  release                site and optimised binary
  dev                    hot reload through cargo-leptos
  bench [ARGUMENTS…]     the benchmarks, with a PostgreSQL of their own
  lighthouse             Lighthouse against the release build

Every command is also a make target of the same name.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome =
        interrupt::watch().and_then(|()| process::enter_workspace()).and_then(|()| dispatch(&arguments));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // What failed because of the interruption needs no explanation.
        Err(_) if interrupt::happened() => {
            eprintln!("\nStopped.");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{HELP}");
        return Ok(());
    };
    match command.as_str() {
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        "serve" => serve::serve(rest),
        "test" => testing::run(rest),
        "lint" => tools::lint(),
        "site" => site::command(rest),
        "release" => tools::release().map(drop),
        "dev" => tools::dev(),
        "bench" => tools::bench(rest),
        "lighthouse" => tools::lighthouse(),
        other => bail!("no command {other:?}\n\n{HELP}"),
    }
}
