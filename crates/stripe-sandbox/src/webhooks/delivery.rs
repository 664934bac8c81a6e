//! Delivering events to their endpoints.
//!
//! Each endpoint gets its events in order as long as it answers; what it refuses is tried again later, and
//! out of order, as from Stripe. Nothing waits for a delivery but the delivery itself.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::{Client, redirect};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::message::Message;
use crate::engine::{Cause, Kind, Sandbox, WriteFailed};

/// The delays before the second and later attempts. Stripe's are longer; a developer is waiting here.
const RETRY_DELAYS: [Duration; 6] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
];
/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long an event holds up those after it at the same endpoint.
const HEAD_START: Duration = Duration::from_secs(1);

/// Delivers what comes through `queue`, ids of deliveries, for as long as it is polled.
///
/// # Errors
/// If no HTTP client can be built.
pub(crate) fn deliver(
    sandbox: Sandbox,
    mut queue: mpsc::UnboundedReceiver<String>,
) -> Result<impl Future<Output = ()> + Send, reqwest::Error> {
    // The client wants one even where it only speaks HTTP. An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).no_proxy().build()?;
    Ok(async move {
        let mut queues = HashMap::new();
        let mut running = JoinSet::new();
        while let Some(delivery) = queue.recv().await {
            let endpoint = delivery.rsplit('/').next().unwrap_or_default().to_owned();
            let endpoint_queue = queues.entry(endpoint).or_insert_with(|| {
                let (sender, events) = mpsc::unbounded_channel();
                running.spawn(deliver_to_endpoint(sandbox.clone(), client.clone(), events));
                sender
            });
            // An endpoint's queue ends with this function only.
            let _ = endpoint_queue.send(delivery);
        }
    })
}

async fn deliver_to_endpoint(sandbox: Sandbox, client: Client, mut events: mpsc::UnboundedReceiver<String>) {
    let mut running = JoinSet::new();
    while let Some(delivery) = events.recv().await {
        let (tried, first) = oneshot::channel();
        running.spawn(deliver_one(sandbox.clone(), client.clone(), delivery, tried));
        // Either way the next one may go.
        let _ = tokio::time::timeout(HEAD_START, first).await;
        while running.try_join_next().is_some() {}
    }
}

/// Tries until the endpoint has it, or there is no delay left.
async fn deliver_one(sandbox: Sandbox, client: Client, delivery: String, tried: oneshot::Sender<()>) {
    let mut tried = Some(tried);
    for attempt in 0..=RETRY_DELAYS.len() {
        let delay = RETRY_DELAYS.get(attempt);
        let Some((url, message)) = message(&sandbox, &delivery) else { return };
        let outcome = send(&client, url, message).await;
        // A disk that can't be written has been logged; another attempt does no harm.
        let over = record(&sandbox, &delivery, outcome, delay.is_none()).await.unwrap_or(false);
        if let Some(tried) = tried.take() {
            let _ = tried.send(());
        }
        let Some(delay) = delay.filter(|_| !over) else { return };
        tokio::time::sleep(*delay).await;
    }
}

/// What there is to send and where, if it still is. A delivery to an endpoint that is gone is over.
fn message(sandbox: &Sandbox, delivery: &str) -> Option<(String, Message)> {
    sandbox.read(|tx| {
        let delivery = tx.get(Kind::Delivery, delivery).filter(|doc| doc.is_pending())?;
        let endpoint = tx.get(Kind::WebhookEndpoint, delivery.object["endpoint"].as_str()?)?;
        let event = tx.view(Kind::Event, delivery.object["event"].as_str()?)?;
        let url = endpoint.object["url"].as_str()?.to_owned();
        Some((url, Message::new(&event, endpoint.hidden["secret"].as_str()?)))
    })
}

async fn send(client: &Client, url: String, message: Message) -> Result<u16, String> {
    match client.post(url).headers(message.headers).body(message.body).send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err("no answer in time".to_owned()),
        Err(error) if error.is_connect() => Err("no connection".to_owned()),
        Err(error) => Err(error.without_url().to_string()),
    }
}

/// Notes an attempt; says whether the delivery is over.
async fn record(
    sandbox: &Sandbox,
    delivery: &str,
    outcome: Result<u16, String>,
    last: bool,
) -> Result<bool, WriteFailed> {
    let delivered = outcome.as_ref().is_ok_and(|status| (200..300).contains(status));
    let state = match (delivered, last) {
        (true, _) => "delivered",
        (false, true) => "failed",
        (false, false) => "pending",
    };
    sandbox
        .transact(Cause::default(), |tx| {
            let attempt =
                json!({"at": tx.now(), "status": outcome.as_ref().ok(), "error": outcome.as_ref().err()});
            tx.change(Kind::Delivery, delivery, |doc| {
                doc.object["state"] = json!(state);
                if let Some(attempts) = doc.object["attempts"].as_array_mut() {
                    attempts.push(attempt);
                }
            });
            (true, state != "pending")
        })
        .await
}
