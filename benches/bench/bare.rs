//! The least an HTTP server in axum can do: one route, one fixed answer, no layers.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::net::TcpListener;

use crate::client::Call;

/// Set for the process that serves the route: how many bytes it answers.
const SIZE: &str = "TOLLGATE_BENCH_BARE";

/// A process that serves the bare route, until this is dropped.
pub struct Bare {
    child: Child,
    address: String,
}

impl Bare {
    pub fn start(size: usize) -> Self {
        let program = env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .env(SIZE, size.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let mut address = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut address).expect("the address");
        Self { child, address: address.trim().to_owned() }
    }

    pub fn call(&self) -> Call {
        let request =
            || Request::get("/").header("host", "localhost").body(Full::default()).expect("a request");
        Call { address: self.address.clone(), request: Box::new(request) }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this process is to serve the bare route.
pub fn is_asked_for() -> bool {
    env::var_os(SIZE).is_some()
}

pub async fn serve() {
    let size = env::var(SIZE).ok().and_then(|size| size.parse().ok()).expect("a size in bytes");
    let body = Bytes::from(vec![b'x'; size]);
    let app = Router::new().route("/", get(move || async move { body }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    axum::serve(listener, app).await.expect("it serves");
}
