//! Writing the site: hashed names, a brotli sibling for each file that gains by it, the manifest, and one rename.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What text and WASM formats are called; images and fonts are compressed already.
const COMPRESSIBLE: [&str; 9] = ["css", "html", "ico", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Bytes after brotli, per kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    pub wasm: usize,
    pub javascript: usize,
    pub css: usize,
}

impl Weights {
    pub fn total(self) -> usize {
        self.wasm + self.javascript + self.css
    }

    /// As an earlier run recorded them; `None` from a manifest that isn't ours.
    pub fn from_manifest(manifest: &Value) -> Option<Self> {
        let kind = |name: &str| usize::try_from(manifest["weights"][name].as_u64()?).ok();
        Some(Self { wasm: kind("wasm")?, javascript: kind("javascript")?, css: kind("css")? })
    }

    fn add(&mut self, path: &str, bytes: usize) {
        match path.rsplit_once('.') {
            Some((_, "wasm")) => self.wasm += bytes,
            Some((_, "js")) => self.javascript += bytes,
            Some((_, "css")) => self.css += bytes,
            _ => {}
        }
    }
}

/// A site being written, in a folder beside its final one.
pub struct Output {
    destination: PathBuf,
    /// Path it is served at, with its content.
    files: Vec<(String, Vec<u8>)>,
    /// Plain path to hashed path.
    names: Map<String, Value>,
}

impl Output {
    pub fn new(destination: &str) -> Result<Self> {
        let destination = PathBuf::from(destination);
        fs::create_dir_all(&destination)
            .with_context(|| format!("cannot create {}", destination.display()))?;
        Ok(Self { destination, files: Vec::new(), names: Map::new() })
    }

    /// Adds a file under its own name.
    pub fn plain(&mut self, path: &str, content: Vec<u8>) {
        self.files.push((path.to_owned(), content));
    }

    /// Adds a file under a name that changes with its content.
    pub fn hashed(&mut self, path: &str, content: Vec<u8>) {
        let (stem, extension) = path.rsplit_once('.').unwrap_or((path, "bin"));
        let hashed = format!("{stem}.{}.{extension}", hash(&content));
        self.names.insert(path.to_owned(), hashed.clone().into());
        self.files.push((hashed, content));
    }

    /// Writes everything and replaces the old site with it.
    pub fn finish(self, inputs: &str) -> Result<Weights> {
        let parent = self.destination.parent().unwrap_or(Path::new("."));
        let fresh = tempfile::Builder::new().prefix("site-new-").tempdir_in(parent)?;
        let sizes: Vec<Result<usize>> = thread::scope(|scope| {
            let running: Vec<_> = self
                .files
                .iter()
                .map(|(path, content)| {
                    let file = fresh.path().join(path.trim_start_matches('/'));
                    scope.spawn(move || write_both(&file, content))
                })
                .collect();
            let ended = |thread: thread::ScopedJoinHandle<'_, Result<usize>>| {
                thread.join().unwrap_or_else(|_| Err(anyhow!("compressing a file panicked")))
            };
            running.into_iter().map(ended).collect()
        });

        let mut weights = Weights::default();
        for ((path, _), size) in self.files.iter().zip(sizes) {
            weights.add(path, size?);
        }
        let manifest = json!({
            "inputs": inputs,
            "files": self.names,
            "weights": { "wasm": weights.wasm, "javascript": weights.javascript, "css": weights.css },
        });
        fs::write(fresh.path().join("assets.json"), serde_json::to_vec_pretty(&manifest)?)?;

        // A folder can't replace a full one: the old site steps aside, and its guard removes it.
        let old = tempfile::Builder::new().prefix("site-old-").tempdir_in(parent)?;
        fs::rename(&self.destination, old.path().join("site"))?;
        fs::rename(fresh.keep(), &self.destination)
            .with_context(|| format!("cannot write {}", self.destination.display()))?;
        Ok(weights)
    }
}

/// Writes a file, and its compressed sibling where that is smaller. Returns the bytes a browser downloads.
fn write_both(file: &Path, content: &[u8]) -> Result<usize> {
    let folder = file.parent().context("a file without a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))?;
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    if !COMPRESSIBLE.contains(&&*extension) {
        return Ok(content.len());
    }
    let compressed = compress(content)?;
    if compressed.len() >= content.len() {
        return Ok(content.len());
    }
    fs::write(file.with_extension(format!("{extension}.br")), &compressed)?;
    Ok(compressed.len())
}

fn compress(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// Enough of a SHA-256 to distinguish versions of a file: 16 hexadecimal digits.
pub fn hash(content: &[u8]) -> String {
    hex::encode(&Sha256::digest(content)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        let build = |text: &str| {
            let mut output = Output::new(site.to_str().unwrap()).unwrap();
            output.hashed("/pkg/tollgate.css", text.repeat(100).into_bytes());
            output.plain("/robots.txt", b"x".to_vec());
            output.finish("inputs").unwrap()
        };
        build("a{}");
        let weights = build("b{}");
        let manifest: Value = serde_json::from_slice(&fs::read(site.join("assets.json")).unwrap()).unwrap();
        assert_eq!(Weights::from_manifest(&manifest), Some(weights));
        let hashed = format!("pkg/tollgate.{}.css", hash("b{}".repeat(100).as_bytes()));
        assert_eq!(manifest["files"]["/pkg/tollgate.css"], format!("/{hashed}"));
        assert_eq!(fs::read(site.join(format!("{hashed}.br"))).unwrap().len(), weights.css);
        assert_eq!(fs::read_dir(site.join("pkg")).unwrap().count(), 2, "the first build's files are gone");
        assert!(!site.join("robots.txt.br").exists(), "one byte doesn't gain by compression");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary folder is left");
    }

    #[test]
    fn brotli_gives_back_what_it_got() {
        let text = "tollgate ".repeat(500);
        let compressed = compress(text.as_bytes()).unwrap();
        assert!(compressed.len() < 100);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &*compressed, &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
    }
}
