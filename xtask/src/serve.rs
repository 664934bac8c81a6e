//! `make serve`: from whatever state the clone is in to the demo in a browser.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{become_program, cargo, run, target_directory};
use crate::progress::Progress;
use crate::{setup, site};

pub fn serve(arguments: &[String]) -> Result<()> {
    let mut progress = Progress::new(3);
    progress.step("Looking for what is needed", || {
        setup::c_compiler()?;
        setup::wasm_target()
    })?;
    progress.step("The browser's half: WASM, JavaScript, styles", || site::build().map(drop))?;
    progress.step("The server", build_server)?;
    println!();
    become_program(Command::new(server()).args(["serve", "--demo"]).args(arguments))
}

/// The server in the development profile, which `make test` uses too.
pub fn build_server() -> Result<()> {
    run(&mut cargo(["build", "--package=tollgate", "--bin=tollgate", "--features=ssr"]))
}

/// Where [`build_server`] leaves it.
pub fn server() -> PathBuf {
    target_directory().join("debug/tollgate")
}
