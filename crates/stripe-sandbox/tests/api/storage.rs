//! What survives a restart.

use serde_json::json;
use stripe_sandbox::Webhook;
use tempfile::tempdir;

use super::support::{Endpoint, Sandbox, id, intent_of};

#[tokio::test]
async fn a_restart_keeps_everything() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let sandbox = Sandbox::with(Some(file.clone()), None).await;
    let (customer, price) =
        (sandbox.customer(&[("email", "a@example.test")]).await, sandbox.price(500).await);
    let form = [("payment_behavior", "default_incomplete")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    let keyed = async |sandbox: &Sandbox| {
        let request = sandbox.request("POST", "/v1/customers").header("idempotency-key", "once");
        id(&request.send().await.ok())
    };
    let second = keyed(&sandbox).await;
    sandbox.delete(&format!("/v1/customers/{second}")).await.ok();
    let collections = [
        "customers",
        "prices",
        "products",
        "subscriptions",
        "invoices",
        "payment_intents",
        "invoice_payments",
        "events",
    ];
    let before: Vec<_> = collections.iter().map(|name| sandbox.running.sandbox().list(name)).collect();
    sandbox.running.shutdown().await;

    let sandbox = Sandbox::with(Some(file), None).await;
    let after: Vec<_> = collections.iter().map(|name| sandbox.running.sandbox().list(name)).collect();
    assert_eq!(before, after);
    assert_eq!(keyed(&sandbox).await, second, "answers by key are kept too");
    let confirm = format!("/v1/payment_intents/{}/confirm", id(intent_of(&subscription)));
    sandbox.post(&confirm, &[("payment_method", "pm_card_visa")]).await.ok();
    let now = sandbox.get(&format!("/v1/subscriptions/{}", id(&subscription))).await.ok();
    assert_eq!(now["status"], "active", "what isn't shown, such as whose intent it is, is kept as well");
    let newest = sandbox.customer(&[]).await;
    assert_eq!(sandbox.get("/v1/customers").await.ok()["data"][0]["id"], json!(newest));
}

#[tokio::test]
async fn what_was_not_delivered_is_delivered_after_a_restart() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    // An address that is known but where nothing listens yet.
    let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", reserved.local_addr().unwrap());
    let webhook = || Webhook { url: url.clone(), secret: "whsec_test".to_owned() };
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let sandbox = Sandbox::with(Some(file.clone()), Some(webhook())).await;
    sandbox.customer(&[]).await;
    sandbox.running.shutdown().await;

    let endpoint = Endpoint::on(tokio::net::TcpListener::bind(address).await.unwrap()).await;
    assert_eq!(endpoint.url, url);
    let sandbox = Sandbox::with(Some(file), Some(webhook())).await;
    sandbox.running.deliveries_finished().await;
    assert_eq!(endpoint.kinds(), ["customer.created"]);
    assert_eq!(sandbox.running.sandbox().list("webhook_endpoints").len(), 1, "installed again, not twice");
}

#[tokio::test]
async fn the_file_never_holds_a_card_number() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let sandbox = Sandbox::with(Some(file), None).await;
    let form = [
        ("type", "card"),
        ("card[number]", "4000002760003184"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2030"),
        ("card[cvc]", "987"),
    ];
    let request = sandbox.request("POST", "/v1/payment_methods").header("idempotency-key", "card");
    request.form(&form).send().await.ok();
    sandbox.running.shutdown().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == b"4000002760003184"));
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_alone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("PRAGMA user_version = 99").execute(&pool).await.unwrap();
    pool.close().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = stripe_sandbox::Options {
        listener,
        allow_network: false,
        database: Some(file),
        webhook: None,
        clock: stripe_sandbox::Clock::system(),
    };
    let error = stripe_sandbox::start(options).await.err().unwrap();
    assert!(error.to_string().contains("its format is 99"), "{error}");
}
