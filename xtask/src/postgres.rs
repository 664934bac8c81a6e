//! A PostgreSQL of our own for one run: a fresh cluster in a temporary folder, on a free port of the loopback
//! interface, gone when the run ends.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{cannot_start, on_path, output};
use crate::{interrupt, setup};

/// How long a cluster may take to accept connections before we give up on it.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What happens to a commit when the power fails.
#[derive(Clone, Copy, PartialEq)]
pub enum Commits {
    /// Lost, perhaps. Tests kill servers, never the database or the machine.
    Fast,
    /// Kept, as in production: what benchmarks measure.
    Durable,
}

pub struct Postgres {
    server: Child,
    port: u16,
    // Removed after the server has stopped: fields are dropped after `drop` has run.
    _folder: TempDir,
}

impl Postgres {
    /// Creates and starts a cluster whose only user, `postgres`, needs no password.
    ///
    /// # Errors
    /// PostgreSQL isn't installed and can't be, or doesn't start; its log's end is in the message.
    pub fn start(commits: Commits) -> Result<Self> {
        let programs = setup::postgres_programs()?;
        let folder = tempfile::Builder::new().prefix("tollgate-postgres-").tempdir()?;
        let account = Account::for_server()?;
        account.own(folder.path())?;

        let data = folder.path().join("data");
        output(
            account
                .command(&programs.join("initdb"))
                .args([
                    "--auth=trust",
                    "--username=postgres",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "--pgdata",
                ])
                .arg(&data),
        )?;

        let log = folder.path().join("log");
        let port = free_port()?;
        let mut command = account.command(&programs.join("postgres"));
        command.arg("-D").arg(&data);
        for setting in settings(port, commits) {
            command.args(["-c", &setting]);
        }
        let server = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .map_err(|error| cannot_start(&command, &error))?;
        let mut postgres = Self { server, port, _folder: folder };
        postgres.wait_until_ready(&programs.join("pg_isready"), &log)?;
        Ok(postgres)
    }

    /// Where tests connect to; they make databases of their own beside this one.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, is_ready: &Path, log: &Path) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        let port = self.port.to_string();
        loop {
            interrupt::check()?;
            let mut question = Command::new(is_ready);
            question.args(["--quiet", "--host=127.0.0.1", "--port", &port]);
            if question.status().is_ok_and(|status| status.success()) {
                return Ok(());
            }
            let ended = self.server.try_wait()?.is_some();
            if ended || Instant::now() > deadline {
                let text = fs::read_to_string(log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().rev().take(10).collect();
                let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
                bail!("PostgreSQL didn't start. The end of its log:\n{tail}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT, "immediate shutdown": nothing in this cluster is worth a checkpoint. `kill` because the standard
        // library only sends SIGKILL, which would leave the server's children behind.
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

fn settings(port: u16, commits: Commits) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        // Each test has a pool of its own.
        "max_connections=400".to_owned(),
    ];
    if commits == Commits::Fast {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// Whom the server runs as. PostgreSQL refuses to be root, so root lends it Debian's `postgres` user.
enum Account {
    Own,
    Postgres { setpriv: PathBuf },
}

impl Account {
    fn for_server() -> Result<Self> {
        if !setup::is_root() {
            return Ok(Self::Own);
        }
        let setpriv =
            on_path("setpriv").context("PostgreSQL refuses to run as root, and `setpriv` isn't here")?;
        Ok(Self::Postgres { setpriv })
    }

    fn own(&self, folder: &Path) -> Result<()> {
        if let Self::Postgres { .. } = self {
            output(Command::new("chown").arg("postgres").arg(folder))?;
        }
        Ok(())
    }

    /// A program run by this account, out of reach of the terminal's Ctrl-C: the tests stop first, the server after.
    fn command(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = match self {
            Self::Own => Command::new(program),
            Self::Postgres { setpriv } => {
                let mut command = Command::new(setpriv);
                // If we are killed without a chance to clean up, the server shuts down with us.
                command.args([
                    "--reuid=postgres",
                    "--regid=postgres",
                    "--init-groups",
                    "--pdeathsig=INT",
                    "--",
                ]);
                command.arg(program);
                command
            }
        };
        // The current folder may be closed to that account.
        command.current_dir("/").process_group(0);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_durable_clusters_wait_for_the_disk() {
        let has_fsync = |commits| settings(5432, commits).iter().any(|setting| setting == "fsync=off");
        assert!(has_fsync(Commits::Fast));
        assert!(!has_fsync(Commits::Durable));
    }
}
