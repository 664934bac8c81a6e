//! wasm-bindgen, as a library: a module that browsers can load and the JavaScript that loads it.

use std::fs;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::{files, output};

pub struct Bound {
    pub wasm: Vec<u8>,
    pub javascript: Vec<u8>,
    /// JavaScript that crates bring along, by the path it is served at.
    pub snippets: Vec<(String, Vec<u8>)>,
}

pub fn bind(wasm: Vec<u8>) -> Result<Bound> {
    let directory = tempfile::tempdir()?;
    Bindgen::new()
        .input_bytes("tollgate", wasm)
        .web(true)?
        .remove_name_section(true)
        .remove_producers_section(true)
        // The page knows the module's hashed name and passes it to `init`.
        .omit_default_module_path(true)
        .generate(directory.path())
        .context("wasm-bindgen can't process the module")?;

    let read = |name: &str| {
        fs::read(directory.path().join(name)).with_context(|| format!("wasm-bindgen wrote no {name}"))
    };
    let javascript = String::from_utf8(read("tollgate.js")?)?;

    // Snippets import each other by relative paths, so the folder gets the hash and the files keep their names.
    let folder = directory.path().join("snippets");
    let snippets = if folder.is_dir() { files(&folder.to_string_lossy())? } else { Vec::new() };
    let joined: Vec<u8> = snippets.iter().flat_map(|(_, content)| content.iter().copied()).collect();
    let hashed = format!("snippets-{}", output::hash(&joined));
    Ok(Bound {
        wasm: read("tollgate_bg.wasm")?,
        javascript: javascript.replace("./snippets/", &format!("./{hashed}/")).into_bytes(),
        snippets: snippets
            .into_iter()
            .map(|(path, content)| (format!("/pkg/{hashed}/{path}"), content))
            .collect(),
    })
}
