//! A demo server of our own for one step: the built binary in an empty folder, on free ports.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{cannot_start, output};
use crate::{interrupt, serve};

/// How long a server may take until it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(60);

pub struct DemoServer {
    process: Child,
    binary: PathBuf,
    folder: TempDir,
    pub url: String,
}

impl DemoServer {
    /// # Errors
    /// The binary isn't built, or it doesn't listen; what it printed is in the message.
    pub fn start() -> Result<Self> {
        Self::running(&["serve", "--demo"], "Listening on ")
    }

    /// The Stripe sandbox alone.
    ///
    /// # Errors
    /// As [`DemoServer::start`].
    pub fn sandbox() -> Result<Self> {
        Self::running(&["sandbox"], "Stripe sandbox on ")
    }

    /// `announced` stands before the address in what it prints.
    fn running(arguments: &[&str], announced: &str) -> Result<Self> {
        let binary = std::path::absolute(serve::server())?;
        let folder = tempfile::Builder::new().prefix("tollgate-demo-").tempdir()?;
        let log = folder.path().join("server.log");
        let printed = File::create(&log)?;
        let mut command = Command::new(&binary);
        command
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("SANDBOX_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stderr(printed.try_clone()?)
            .stdout(printed);
        let process = command.spawn().map_err(|error| cannot_start(&command, &error))?;
        let mut server = Self { process, binary, folder, url: String::new() };

        let deadline = Instant::now() + LISTEN_TIMEOUT;
        loop {
            interrupt::check()?;
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let Some(url) = listening_address(&text, announced) {
                server.url = url;
                return Ok(server);
            }
            if server.process.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("the server doesn't listen. It printed:\n{text}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A new API key for a demo account.
    pub fn key(&self, email: &str) -> Result<String> {
        let printed = output(
            Command::new(&self.binary)
                .args(["key", "create", "--user", email])
                .current_dir(self.folder.path())
                .env_clear(),
        )?;
        let key = printed.split_whitespace().find(|text| text.starts_with("tg_"));
        Ok(key.with_context(|| format!("`tollgate key create` printed no key:\n{printed}"))?.to_owned())
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `Listening on http://127.0.0.1:40123`, on a line that is already complete.
fn listening_address(printed: &str, announced: &str) -> Option<String> {
    let rest = printed.split_once(announced)?.1;
    let line = rest.split_once('\n')?.0;
    Some(line.split_whitespace().next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_once_its_line_is_complete() {
        assert_eq!(listening_address("starting\nListening on http://127.0.0.1:4", "Listening on "), None);
        let printed = "starting\nListening on http://127.0.0.1:40123\nSign in as";
        assert_eq!(listening_address(printed, "Listening on ").as_deref(), Some("http://127.0.0.1:40123"));
    }
}
