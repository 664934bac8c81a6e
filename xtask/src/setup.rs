//! What a machine needs besides cargo: found, fetched where that is possible, or named plainly.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{on_path, output, run, target_directory};

/// The standard library for the browser's half.
pub fn wasm_target() -> Result<()> {
    let root = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(&root).join("lib/rustlib/wasm32-unknown-unknown").is_dir() {
        return Ok(());
    }
    rustup(&["target", "add", "wasm32-unknown-unknown"], "the WASM target")
}

/// `cargo fmt` and `cargo clippy`.
pub fn linters() -> Result<()> {
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        // rustup puts a proxy on PATH whether or not the component is there, so ask the program itself.
        let answers =
            Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !answers {
            rustup(&["component", "add", component], component)?;
        }
    }
    Ok(())
}

fn rustup(arguments: &[&str], what: &str) -> Result<()> {
    if on_path("rustup").is_none() {
        bail!("{what} is missing from this Rust and there is no rustup to add it; see https://rustup.rs");
    }
    println!("      adding {what}: rustup {}", arguments.join(" "));
    run(Command::new("rustup").args(arguments))
}

/// SQLite and the TLS library are C.
pub fn c_compiler() -> Result<()> {
    let named = env::var_os("CC").map(PathBuf::from);
    let found = named.is_some() || ["cc", "gcc", "clang"].iter().any(|name| on_path(name).is_some());
    if !found {
        bail!(
            "a C compiler is needed (SQLite is C): `apt-get install build-essential`, or Xcode's command line tools"
        );
    }
    Ok(())
}

/// The folder of PostgreSQL's server programs, which Debian keeps off PATH.
pub fn postgres_programs() -> Result<PathBuf> {
    if let Some(found) = find_postgres() {
        return Ok(found);
    }
    debian_package("postgresql", "PostgreSQL")?;
    find_postgres().context("PostgreSQL is installed, but its `initdb` isn't found")
}

fn find_postgres() -> Option<PathBuf> {
    let configured =
        on_path("pg_config").and_then(|program| output(Command::new(program).arg("--bindir")).ok());
    let mut folders: Vec<PathBuf> = configured.map(PathBuf::from).into_iter().collect();
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    packaged.sort();
    folders.extend(packaged.into_iter().rev());
    folders.extend(
        on_path("initdb").and_then(|program| Some(program.canonicalize().ok()?.parent()?.to_owned())),
    );
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// A Chromium for the browser tests: `CHROMIUM`, or one of the usual names.
pub fn chromium() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        let path = PathBuf::from(named);
        if !path.is_file() {
            bail!("CHROMIUM names {}, which isn't a file", path.display());
        }
        return Ok(path);
    }
    let find = || ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name));
    if let Some(found) = find() {
        return Ok(found);
    }
    debian_package("chromium", "Chromium")?;
    find().context("Chromium is installed, but not on PATH")
}

/// Node's packages in `end2end`, exactly those of its lock file.
pub fn node_modules() -> Result<()> {
    if on_path("npm").is_none() {
        debian_package("npm", "Node.js with npm")?;
    }
    let lock = fs::read("end2end/package-lock.json").context("cannot read end2end/package-lock.json")?;
    let installed = Path::new("end2end/node_modules/.installed-from-lock");
    if fs::read(installed).is_ok_and(|from| from == lock) {
        return Ok(());
    }
    println!("      fetching the browser tests' packages: npm ci");
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir("end2end")
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .env("PUPPETEER_SKIP_DOWNLOAD", "1"))?;
    fs::write(installed, lock).context("cannot write into end2end/node_modules")
}

/// A program of the Python packages that the tests use, from an environment of their own under the target folder.
pub fn python_program(name: &str) -> Result<PathBuf> {
    let requirements = "end2end/requirements.txt";
    let wanted = fs::read(requirements).with_context(|| format!("cannot read {requirements}"))?;
    let environment = std::path::absolute(target_directory().join("venv"))?;
    let installed = environment.join("installed-from");
    let program = environment.join("bin").join(name);
    if program.is_file() && fs::read(&installed).is_ok_and(|from| from == wanted) {
        return Ok(program);
    }
    let create = || run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
    if create().is_err() {
        // Debian ships Python without this part of its library.
        debian_package("python3-venv", "Python's venv")?;
        create()?;
    }
    println!("      fetching the API tests' packages: pip install");
    run(Command::new(environment.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        requirements,
    ]))?;
    fs::write(installed, wanted)?;
    Ok(program)
}

/// Installs one of Debian's packages when we may, and says how when we may not.
pub fn debian_package(package: &str, what: &str) -> Result<()> {
    if !is_root() || on_path("apt-get").is_none() {
        bail!("{what} is missing. On Debian or Ubuntu: `sudo apt-get install {package}`");
    }
    println!("      installing {what}: apt-get install {package}");
    let install = || {
        run(Command::new("apt-get")
            .args(["install", "--yes", "--no-install-recommends", "--quiet", package])
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // A fresh image has no package lists; an old one has lists that name files long gone.
    install().or_else(|_| {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        install()
    })
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}
