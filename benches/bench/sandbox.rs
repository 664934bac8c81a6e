//! The Stripe sandbox as a process of its own, full of customers.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;
use tollgate_test_support::process::{Server, client, program};

use crate::client::{Call, Turn};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");
const KEY: &str = "Bearer sk_test_TollgateSandboxSecretKey";
const FORM: &str = "application/x-www-form-urlencoded";
/// What makes a new customer one that can be charged.
const CARD: &str = "payment_method=pm_card_visa&invoice_settings%5Bdefault_payment_method%5D=pm_card_visa";
/// Requests under way at once while it is filled.
const FILLERS: usize = 4;
/// What a simulated month takes, in seconds, whichever month it is.
const MONTH: i64 = 32 * 86_400;

pub struct Sandbox {
    server: Server,
    http: reqwest::Client,
    price: String,
    _folder: TempDir,
}

impl Sandbox {
    /// In memory, with so many customers, of whom so many have a subscription.
    pub async fn start(customers: usize, subscriptions: usize) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut command = program(PROGRAM, folder.path(), "sqlite::memory:");
        command.env("SANDBOX_ADDR", "127.0.0.1:0");
        // It takes the place of an account.
        for name in ["STRIPE_PUBLIC_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"] {
            command.env_remove(name);
        }
        let server = Server::start_as(command, "sandbox", "Stripe sandbox on ");
        let mut sandbox = Self { server, http: client(), price: String::new(), _folder: folder };
        let price = "currency=usd&unit_amount=2999&recurring%5Binterval%5D=month&product_data%5Bname%5D=Pro";
        sandbox.price = sandbox.make("prices", price).await;
        let filled = (0..FILLERS).map(async |filler| {
            for number in (filler..customers).step_by(FILLERS) {
                let email = format!("email={number}%40example.test&name=Customer+{number}");
                if number < subscriptions {
                    let customer = sandbox.make("customers", &format!("{email}&{CARD}")).await;
                    sandbox.subscribe(&customer).await;
                } else {
                    sandbox.make("customers", &email).await;
                }
            }
        });
        join_all(filled).await;
        sandbox
    }

    /// How much of the machine's memory it has, in bytes. Zero where that isn't to be found as on Linux.
    pub fn memory(&self) -> u64 {
        crate::subject::memory(self.server.id(), "VmRSS:")
    }

    /// How long it takes to bring a test clock with so many subscriptions a month on, every one of them renewed.
    pub async fn month(&self, subscriptions: usize) -> Duration {
        let customers = self.get_value("customers?limit=1").await;
        let now = customers["data"][0]["created"].as_i64().expect("when it was made");
        let clock = self.make("test_helpers/test_clocks", &format!("frozen_time={now}")).await;
        for _ in 0..subscriptions {
            let customer = self.make("customers", &format!("test_clock={clock}&{CARD}")).await;
            self.subscribe(&customer).await;
        }
        let begun = Instant::now();
        let path = format!("test_helpers/test_clocks/{clock}");
        self.make(&format!("{path}/advance"), &format!("frozen_time={}", now + MONTH)).await;
        while self.get_value(&path).await["status"] != "ready" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    }

    /// `GET /v1/…`
    pub fn get(&self, path: &str) -> Call {
        let path = format!("/v1/{path}");
        self.call(move |_| request("GET", &path).body(Full::default()).expect("a request"))
    }

    /// A customer, each time another.
    pub fn make_customer(&self) -> Call {
        self.call(|turn| {
            let body = format!("email={}-{}%40example.test", turn.connection, turn.number);
            let request = request("POST", "/v1/customers").header(CONTENT_TYPE, FORM);
            request.body(Full::from(body)).expect("a request")
        })
    }

    /// The id of some customer.
    pub async fn customer(&self) -> String {
        let customers = self.get_value("customers?limit=1").await;
        customers["data"][0]["id"].as_str().expect("a customer").to_owned()
    }

    async fn subscribe(&self, customer: &str) {
        self.make("subscriptions", &format!("customer={customer}&items%5B0%5D%5Bprice%5D={}", self.price))
            .await;
    }

    /// Sends a form, and gives the id of what that made.
    async fn make(&self, path: &str, form: &str) -> String {
        let request = self.http.post(format!("{}/v1/{path}", self.server.base));
        let request = request.header("content-type", FORM).header("authorization", KEY).body(form.to_owned());
        let made: Value =
            request.send().await.expect("an answer").json().await.expect("an object, of the sandbox's");
        made["id"].as_str().expect("an object that was made").to_owned()
    }

    async fn get_value(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/v1/{path}", self.server.base)).header("authorization", KEY);
        request.send().await.expect("an answer").json().await.expect("an object, of the sandbox's")
    }

    fn call(&self, request: impl Fn(Turn) -> Request<Full<Bytes>> + Send + Sync + 'static) -> Call {
        let address = self.server.base.trim_start_matches("http://").to_owned();
        Call { address, request: Box::new(request) }
    }
}

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(HOST, "localhost").header(AUTHORIZATION, KEY)
}
