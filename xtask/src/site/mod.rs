//! The site: what the browser downloads, written to `target/site`, which the server embeds.
//!
//! Every file under `/pkg/` carries a hash of its content in its name and may be cached for ever; `assets.json` maps
//! the plain names to these. Nothing is written when nothing changed, so that the server isn't compiled again.

mod bindgen;
mod output;
mod styles;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use walkdir::WalkDir;

use crate::process::{cargo, run, target_directory};
use crate::setup;

use output::{Output, Weights};

/// Where the site is written, from the workspace's root. The server's `build.rs` and `src/web/ssr/assets.rs` name it too.
const DIRECTORY: &str = "target/site";
const MANIFEST: &str = "target/site/assets.json";
const STYLES: &str = "style";
const PUBLIC: &str = "public";

/// Bytes of WASM, JavaScript and CSS after brotli that the first page may cost.
const BUDGET: usize = 328_000;

/// The `site` command.
pub fn command(arguments: &[String]) -> Result<()> {
    let check_budget = match arguments {
        [] => false,
        [only] if only == "--check-budget" => true,
        _ => bail!("`site` takes no argument but --check-budget"),
    };
    let weights = build()?;
    if check_budget && weights.total() > BUDGET {
        bail!("the site weighs {} bytes after brotli, more than its budget of {BUDGET}", weights.total());
    }
    Ok(())
}

/// Brings `target/site` up to date and prints what it weighs.
///
/// # Errors
/// What doesn't compile, with the compiler's message; a style sheet with a mistake, with its line.
pub fn build() -> Result<Weights> {
    setup::wasm_target()?;
    run(&mut cargo([
        "build",
        "--package=tollgate-browser",
        "--target=wasm32-unknown-unknown",
        "--profile=wasm",
    ]))?;
    let wasm = target_directory().join("wasm32-unknown-unknown/wasm/tollgate_browser.wasm");
    let wasm = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;

    let inputs = fingerprint(&wasm)?;
    let weights = match recorded(&inputs) {
        Some(weights) => weights,
        None => write(wasm, &inputs)?,
    };
    print(weights);
    Ok(weights)
}

fn write(wasm: Vec<u8>, inputs: &str) -> Result<Weights> {
    let mut output = Output::new(DIRECTORY)?;
    let bound = bindgen::bind(wasm)?;
    for (path, content) in bound.snippets {
        output.plain(&path, content);
    }
    output.hashed("/pkg/tollgate.wasm", bound.wasm);
    output.hashed("/pkg/tollgate.js", bound.javascript);
    output.hashed("/pkg/tollgate.css", styles::bundle(&Path::new(STYLES).join("main.css"))?);
    for (path, content) in files(PUBLIC)? {
        output.plain(&format!("/{path}"), content);
    }
    output.finish(inputs)
}

/// What the site on disk weighs, if it was made from these inputs.
fn recorded(inputs: &str) -> Option<Weights> {
    let manifest: Value = serde_json::from_slice(&fs::read(MANIFEST).ok()?).ok()?;
    (manifest["inputs"] == inputs).then(|| Weights::from_manifest(&manifest)).flatten()
}

/// One hash over everything the site is made from, this program's own part in it included.
fn fingerprint(wasm: &[u8]) -> Result<String> {
    const RECIPE: [&str; 4] = [
        include_str!("mod.rs"),
        include_str!("bindgen.rs"),
        include_str!("output.rs"),
        include_str!("styles.rs"),
    ];
    let mut parts = vec![wasm.to_vec()];
    parts.extend(RECIPE.iter().map(|text| text.as_bytes().to_vec()));
    for folder in [STYLES, PUBLIC] {
        for (path, content) in files(folder)? {
            parts.push(path.into_bytes());
            parts.push(content);
        }
    }
    // Hashed one by one first, so that no two lists of parts run together into the same bytes.
    let hashes: String = parts.iter().map(|part| output::hash(part)).collect();
    Ok(output::hash(hashes.as_bytes()))
}

/// Every file under `folder` with its path from there, in order of path.
fn files(folder: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read the folder {folder}"))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry.path().strip_prefix(folder)?.to_string_lossy().into_owned();
        let content =
            fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
        found.push((path, content));
    }
    Ok(found)
}

fn print(weights: Weights) {
    let kilobytes = |bytes: usize| format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100);
    println!(
        "      after brotli: WASM {} + JavaScript {} + CSS {} = {} of {}",
        kilobytes(weights.wasm),
        kilobytes(weights.javascript),
        kilobytes(weights.css),
        kilobytes(weights.total()),
        kilobytes(BUDGET),
    );
}
