//! The server that is measured, with a subscribed group and a member of it to call as.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use http_body_util::Full;
use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate::clock::Clock;

use crate::bare::{QUESTION, question};
use crate::client::{Call, Turn};
use tollgate_test_support::databases::Database;
use tollgate_test_support::process::{Server, client, program, run};
use tollgate_test_support::seed::Seed;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");
const EMAIL: &str = "bench@acme.test";
const ADMIN: &str = "admin@acme.test";
const SUPERADMIN: &str = "super@acme.test";
const PASSWORD: &str = "a password of some length";

/// A server on a database, as it is released. Its log is at `warn`; nothing else is changed.
pub struct Subject {
    server: Server,
    /// `Bearer tg_…`.
    key: String,
    cookie: String,
    /// `Bearer tg_…`, of an admin.
    admin_key: String,
    superadmin_cookie: String,
    _folder: TempDir,
}

impl Subject {
    /// Brings the database up to date, subscribes a group, and serves.
    pub async fn start(database: &Database) -> Self {
        Self::start_with(database, None).await
    }

    /// As [`Subject::start`], with a model server behind its gateway.
    pub async fn start_with(database: &Database, upstream: Option<&str>) -> Self {
        let store = database.store().await;
        let seed = Seed::with_clock(&store, Clock::system()).await;
        // No limit: what is measured is never refused.
        seed.change_limits(None, None).await;
        seed.renew().await;
        store.close().await;
        let folder = TempDir::new().expect("a folder");
        let run = |arguments: &[&str]| {
            let mut command = program(PROGRAM, folder.path(), &database.url);
            command.env("TOLLGATE_PASSWORD", PASSWORD);
            run(command, arguments)
        };
        run(&["user", "create", "--email", EMAIL, "--role", "member", "--group", "Acme"]);
        let key = format!("Bearer {}", run(&["key", "create", "--name", "bench", "--user", EMAIL]));
        run(&["user", "create", "--email", ADMIN, "--role", "admin", "--group", "Acme"]);
        let admin_key = format!("Bearer {}", run(&["key", "create", "--name", "bench", "--user", ADMIN]));
        run(&["user", "create", "--email", SUPERADMIN, "--role", "superadmin"]);
        let mut command = program(PROGRAM, folder.path(), &database.url);
        command.envs(upstream.map(|address| ("OPENAI_BASE_URL", address)));
        let server = Server::start(command);
        let cookie = log_in(&server.base, EMAIL).await;
        let superadmin_cookie = log_in(&server.base, SUPERADMIN).await;
        Self { server, key, cookie, admin_key, superadmin_cookie, _folder: folder }
    }

    /// A report of so many new events at each call.
    pub fn record(&self, events: usize) -> Call {
        let (key, count) = (self.key.clone(), Arc::new(AtomicU64::new(0)));
        self.call(move |_| {
            let event = |number: u64| {
                json!({"id": format!("call-{events}-{number}"), "usage_type": "llm", "tokens_used": 12,
                       "model": "gpt-4o"})
            };
            let first = count.fetch_add(events as u64, Ordering::Relaxed);
            let body = match events {
                1 => event(first),
                _ => Value::Array((first..first + events as u64).map(event).collect()),
            };
            Request::post("/api/subscriptions/usage/events/")
                .header(HOST, "localhost")
                .header(AUTHORIZATION, &key)
                .header(CONTENT_TYPE, "application/json")
                .body(Full::from(body.to_string()))
                .expect("a request")
        })
    }

    /// A hold, and with the next call on the connection its settlement.
    pub fn hold_and_settle(&self) -> Call {
        let key = self.key.clone();
        self.call(move |turn| {
            let id = format!("pair-{}-{}", turn.connection, turn.number / 2);
            let (path, body) = match turn.number % 2 {
                0 => (String::new(), json!({"id": id, "usage_type": "llm", "tokens": 12})),
                _ => (format!("{id}/settle/"), json!({"tokens_used": 12, "model": "gpt-4o"})),
            };
            Request::post(format!("/api/subscriptions/usage/holds/{path}"))
                .header(HOST, "localhost")
                .header(AUTHORIZATION, &key)
                .header(CONTENT_TYPE, "application/json")
                .body(Full::from(body.to_string()))
                .expect("a request")
        })
    }

    /// A question through the gateway.
    pub fn ask(&self) -> Call {
        let key = self.key.clone();
        self.call(move |_| {
            question().header(AUTHORIZATION, &key).body(Full::from(QUESTION)).expect("a request")
        })
    }

    /// `usage/`, by key.
    pub fn usage(&self) -> Call {
        let key = self.key.clone();
        self.call(move |_| {
            Request::get("/api/subscriptions/subscriptions/usage/")
                .header(HOST, "localhost")
                .header(AUTHORIZATION, &key)
                .body(Full::default())
                .expect("a request")
        })
    }

    /// The page `/usage`, by session.
    pub fn page(&self) -> Call {
        self.page_by("/usage", &self.cookie)
    }

    /// A page that a SuperAdmin opens.
    pub fn page_of_superadmin(&self, path: &str) -> Call {
        self.page_by(path, &self.superadmin_cookie)
    }

    fn page_by(&self, path: &str, cookie: &str) -> Call {
        let (path, cookie) = (path.to_owned(), cookie.to_owned());
        self.call(move |_| {
            Request::get(&path)
                .header(HOST, "localhost")
                .header(COOKIE, &cookie)
                .body(Full::default())
                .expect("a request")
        })
    }

    /// Downloads every event of the ledger. Gives how long it took, and how much more memory the server had meanwhile, in
    /// bytes; zero where that isn't to be found as on Linux.
    pub async fn export(&self, format: &str) -> (Duration, u64) {
        let process = self.server.id();
        // The peak is that from now on.
        let counted = std::fs::write(format!("/proc/{process}/clear_refs"), "5").is_ok();
        let (before, begun) = (memory(process, "VmRSS:"), Instant::now());
        let path = format!("{}/api/reports/usage/?by=event&format={format}", self.server.base);
        let request = client().get(path).header(AUTHORIZATION, &self.admin_key);
        let mut answer = request.send().await.expect("the server answers");
        assert!(answer.status().is_success(), "{answer:?}");
        while answer.chunk().await.expect("the whole file").is_some() {}
        let peak = memory(process, "VmHWM:");
        (begun.elapsed(), if counted { peak.saturating_sub(before) } else { 0 })
    }

    fn call(&self, request: impl Fn(Turn) -> Request<Full<Bytes>> + Send + Sync + 'static) -> Call {
        Call { address: self.address(), request: Box::new(request) }
    }

    fn address(&self) -> String {
        self.server.base.trim_start_matches("http://").to_owned()
    }
}

/// A figure of a process's memory, in bytes. Zero where that isn't to be found as on Linux.
pub fn memory(process: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let found = status.lines().find_map(|line| line.strip_prefix(figure));
    found.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Signs in; gives the session's cookie.
async fn log_in(base: &str, email: &str) -> String {
    let answer = client()
        .post(format!("{base}/api/auth/login/"))
        .json(&json!({"email": email, "password": PASSWORD}))
        .send()
        .await
        .expect("the server answers");
    assert!(answer.status().is_success(), "{answer:?}");
    let cookie = answer.headers().get("set-cookie").expect("a cookie").to_str().expect("text");
    cookie.split(';').next().expect("its value").to_owned()
}
