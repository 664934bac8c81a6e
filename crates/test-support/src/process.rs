//! The program itself as a process of its own, to be killed.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The program, at `path`, in an empty folder, with a Stripe account that no server answers for, so that all it knows
/// is its database's. Tests and benchmarks have the path in `CARGO_BIN_EXE_tollgate`.
pub fn program(path: &str, folder: &Path, database_url: &str) -> Command {
    let mut command = Command::new(path);
    command
        .current_dir(folder)
        .env_clear()
        .env("DATABASE_URL", database_url)
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("STRIPE_PUBLIC_KEY", "pk_test_none")
        .env("STRIPE_SECRET_KEY", "sk_test_none")
        .env("STRIPE_WEBHOOK_SECRET", "whsec_none")
        .env("STRIPE_API_BASE", "http://127.0.0.1:9")
        .env("RUST_LOG", "warn");
    command
}

/// Runs the program once, with these arguments, and gives what it printed.
///
/// # Panics
/// Where it fails.
pub fn run(mut command: Command, arguments: &[&str]) -> String {
    let output = command.args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// A client to call it with.
pub fn client() -> reqwest::Client {
    // The client asks for one even where it never speaks TLS. A second installation is refused, and no loss.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A server that runs until it is killed, at the latest when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens: `http://…`.
    pub base: String,
    /// Held open: a server that can't print would fail.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `command`, which serves, and waits until it listens.
    pub fn start(command: Command) -> Self {
        Self::start_as(command, "serve", "Listening on ")
    }

    /// As [`Server::start`], of another of the program's servers, which says where it listens behind `announced`.
    pub fn start_as(mut command: Command, server: &str, announced: &str) -> Self {
        let mut child = command.arg(server).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let base = output
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(announced).map(str::to_owned))
            .expect("the server says where it listens");
        Self { child, base, _output: output }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: it gets no chance to finish anything.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
