//! Running other programs.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::interrupt;

/// Makes the workspace's root the current folder, so that every path in this program is relative to it.
pub fn enter_workspace() -> Result<()> {
    // cargo sets it at run time; the compile-time value serves who starts the binary by hand.
    let xtask = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root =
        PathBuf::from(&xtask).join("..").canonicalize().with_context(|| format!("no folder {xtask}"))?;
    env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))
}

/// Where cargo puts what it builds.
pub fn target_directory() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// A cargo command that doesn't inherit what `cargo run` sets for this program: build scripts that watch these
/// variables (ring's does) would run again each time this program and a cargo started by hand alternate.
pub fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command.args(arguments);
    command
}

/// Runs a program that shares our terminal.
///
/// # Errors
/// It can't be started, or doesn't end well.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(command, &error))?;
    interrupt::check()?;
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs a short program and returns what it printed, trimmed. Its errors go to the terminal.
///
/// # Errors
/// As [`run`].
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    interrupt::check()?;
    if !output.status.success() {
        bail!("`{}` failed ({})", describe(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program beside others: what it printed comes in one piece under `title`, when it has ended.
///
/// # Errors
/// As [`run`]. The message leaves the arguments out, which may hold a key.
pub fn run_aside(title: &str, command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    let text = [output.stdout, output.stderr].concat();
    println!("{title}\n{}", String::from_utf8_lossy(&text));
    interrupt::check()?;
    if !output.status.success() {
        bail!("{}: `{}` failed ({})", title.trim(), command.get_program().to_string_lossy(), output.status);
    }
    Ok(())
}

/// Becomes another program: Ctrl-C and the exit code are then its own.
///
/// # Errors
/// It can't be started; on success this doesn't return.
pub fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(cannot_start(command, &error))
}

pub fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

pub fn cannot_start(command: &Command, error: &std::io::Error) -> anyhow::Error {
    anyhow!("cannot start `{}`: {error}", describe(command))
}

pub fn describe(command: &Command) -> String {
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
