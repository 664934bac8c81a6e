//! Compiles the crate again when the site it embeds has changed.

use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The browser's half is what the site is made from; only the server embeds it.
    if env::var_os("CARGO_FEATURE_SSR").is_some() {
        // cargo takes a watched path that doesn't exist for one that changed, each time. An empty folder is a site
        // that hasn't been built; where it can't be created the price is a slower build, nothing else.
        let _ = fs::create_dir_all("target/site");
        println!("cargo::rerun-if-changed=target/site");
    }
}
