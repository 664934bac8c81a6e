//! The style sheet: `@import`s joined, nesting and newer colour functions written out for browsers that lack them,
//! and minified.

use std::path::Path;

use anyhow::{Result, anyhow};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::printer::PrinterOptions;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions};
use lightningcss::targets::{Browsers, Targets};

/// The oldest browsers the style sheet is written for: those of the first half of 2023.
const BROWSERS: Browsers = Browsers {
    chrome: Some(version(111, 0)),
    edge: Some(version(111, 0)),
    firefox: Some(version(114, 0)),
    safari: Some(version(16, 4)),
    ios_saf: Some(version(16, 4)),
    android: None,
    ie: None,
    opera: None,
    samsung: None,
};

const fn version(major: u32, minor: u32) -> u32 {
    major << 16 | minor << 8
}

/// # Errors
/// A mistake in a style sheet, with its file and line.
pub fn bundle(entry: &Path) -> Result<Vec<u8>> {
    let provider = FileProvider::new();
    let targets = Targets::from(BROWSERS);
    let mut sheet = Bundler::new(&provider, None, ParserOptions::default())
        .bundle(entry)
        .map_err(|error| anyhow!("{}: {error}", entry.display()))?;
    sheet
        .minify(MinifyOptions { targets, ..MinifyOptions::default() })
        .map_err(|error| anyhow!("{}: {error}", entry.display()))?;
    let printed = sheet
        .to_css(PrinterOptions { minify: true, targets, ..PrinterOptions::default() })
        .map_err(|error| anyhow!("{}: {error}", entry.display()))?;
    Ok(printed.code.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_joined_and_nesting_is_written_out() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("main.css", "@import './tokens.css';\nmain { & h1 { color: #ff0000; } }");
        write("tokens.css", ":root { --space: 1rem; }");
        let css = String::from_utf8(bundle(&folder.path().join("main.css")).unwrap()).unwrap();
        assert_eq!(css, ":root{--space:1rem}main h1{color:red}");
    }

    #[test]
    fn a_mistake_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.css"), "main { color: }} {").unwrap();
        let error = bundle(&folder.path().join("main.css")).unwrap_err().to_string();
        assert!(error.contains("main.css"), "{error}");
    }
}
