//! The WebSocket that a session is told things through.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::Sessions;
use super::session::Session;
use crate::engine::{API_VERSION, News, RequestLog, new_secret};
use crate::webhooks;

const SUBPROTOCOL: &str = "stripecli-devproxy-v1";
const SESSION: HeaderName = HeaderName::from_static("websocket-id");
/// How long a CLI may take to receive a message before it counts as gone.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a session's WebSocket. The session is named in a header, which no web page can send with one.
pub(super) async fn subscribe(
    State(sessions): State<Sessions>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let id = headers.get(SESSION).and_then(|id| id.to_str().ok()).unwrap_or_default();
    let Some(session) = sessions.known().get(id).cloned() else {
        return (StatusCode::UNAUTHORIZED, "There is no such session.").into_response();
    };
    // From here on, so that nothing is missed that comes after the answer.
    let news = sessions.sandbox.listen();
    upgrade.protocols([SUBPROTOCOL]).on_upgrade(|socket| tell(socket, session, news))
}

/// Tells a session what happens, until either side is gone.
async fn tell(mut socket: WebSocket, session: Arc<Session>, mut news: mpsc::UnboundedReceiver<News>) {
    loop {
        let messages = tokio::select! {
            news = news.recv() => match news {
                Some(news) => session.messages(&news),
                None => return,
            },
            received = socket.recv() => match received {
                // What it acknowledges and what its webhook answered: it shows that itself.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
        };
        for message in messages {
            let sent = socket.send(Message::text(message.to_string()));
            if !matches!(tokio::time::timeout(TIMEOUT, sent).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

impl Session {
    fn messages(&self, news: &News) -> Vec<Value> {
        match news {
            News::Event(event) if self.webhooks => {
                // One by the account's version and one by the latest, of which the CLI drops the one it wasn't asked for.
                [Value::Null, json!(API_VERSION)].map(|version| self.event(event, &version)).into()
            }
            News::Request(log) if self.requests.as_ref().is_some_and(|only| only.let_through(log)) => {
                vec![request(log)]
            }
            _ => Vec::new(),
        }
    }

    fn event(&self, event: &Value, version: &Value) -> Value {
        let message = webhooks::Message::new(event, &self.secret);
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        // As they are written in HTTP/1.1, which the CLI hands on.
        let headers: Map<String, Value> =
            message.headers.iter().map(|(name, value)| (title_case(name), json!(text(value)))).collect();
        json!({
            "type": "webhook_event",
            "endpoint": {"api_version": version},
            "event_payload": String::from_utf8_lossy(&message.body),
            "http_headers": headers,
            "webhook_conversation_id": new_secret("wc_"),
            "webhook_id": new_secret("wh_"),
        })
    }
}

fn title_case(name: &HeaderName) -> String {
    let parts = name.as_str().split('-').map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_uppercase() + rest
    });
    parts.collect::<Vec<_>>().join("-")
}

fn request(log: &RequestLog) -> Value {
    let shown = |field: &str| log.error[field].as_str().unwrap_or_default();
    let payload = json!({
        "created_at": log.created,
        "error": {
            "charge": shown("charge"),
            "code": shown("code"),
            "decline_code": shown("decline_code"),
            "message": shown("message"),
            "param": shown("param"),
            "type": shown("type"),
        },
        "livemode": false,
        "method": log.method,
        "request_id": log.id,
        "status": log.status,
        "url": log.path,
    });
    json!({"type": "request_log_event", "event_payload": payload.to_string(), "request_log_id": log.id})
}
