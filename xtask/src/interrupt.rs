//! Ctrl-C. The programs we run receive it too and stop by themselves; we stay alive for long enough to clean up
//! after them (a database cluster, temporary folders). A second Ctrl-C ends us at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::{Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Starts listening for SIGINT and SIGTERM.
pub fn watch() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal only sets the flag, the second finds it set.
        flag::register_conditional_shutdown(signal, 130, ASKED.clone())?;
        flag::register(signal, ASKED.clone())?;
    }
    Ok(())
}

pub fn happened() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// An error once a signal has asked to stop, so that `?` between two pieces of work ends the run.
pub fn check() -> Result<()> {
    if happened() {
        bail!("interrupted");
    }
    Ok(())
}
