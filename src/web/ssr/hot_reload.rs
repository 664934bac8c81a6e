//! Hot reload under `cargo leptos watch`, which rebuilds the site while the server runs and says by its variables
//! that it started us.

use std::env;
use std::sync::LazyLock;

use leptos::config::{LeptosOptions, get_configuration};

/// How it watches; nothing for a server that runs by itself.
pub static WATCH: LazyLock<Option<LeptosOptions>> = LazyLock::new(|| {
    env::var_os("LEPTOS_WATCH")?;
    get_configuration(None).ok().map(|file| file.leptos_options)
});

/// Where a page hears of changes, for the `connect-src` of its policy; with a space ahead of each.
pub fn sources() -> String {
    let Some(options) = &*WATCH else { return String::new() };
    let port = options.reload_external_port.unwrap_or(options.reload_port);
    format!(" ws://127.0.0.1:{port} ws://localhost:{port}")
}
