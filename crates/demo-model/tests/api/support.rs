//! A demo model to test, and a client that speaks to it.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server at work.
pub struct Server {
    pub base: String,
    pub http: reqwest::Client,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<std::io::Result<()>>,
}

/// An answer: its status, its headers, its bytes.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The object, of a request that succeeded.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The error's status, parameter and code.
    pub fn error(&self) -> (u16, Value, Value) {
        let error = self.json()["error"].clone();
        assert!(error["message"].is_string() && error["type"].is_string(), "{error}");
        (self.status, error["param"].clone(), error["code"].clone())
    }

    pub fn content_type(&self) -> &str {
        self.headers[CONTENT_TYPE].to_str().unwrap()
    }

    /// A stream's events: what follows `event:`, if anything does, and what follows `data:`.
    pub fn events(&self) -> Vec<(Option<String>, String)> {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.content_type(), "text/event-stream");
        self.text()
            .split_terminator("\n\n")
            .map(|event| {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                (field("event: "), field("data: ").expect("data"))
            })
            .collect()
    }
}

impl Server {
    pub async fn start() -> Self {
        // The client asks for one even where it never speaks TLS. A second installation is refused, and no loss.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(demo_model::serve(listener, shutdown.clone()));
        Self { base, http: reqwest::Client::builder().no_proxy().build().unwrap(), shutdown, task }
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(self.http.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_bytes(path, "application/json", body.to_string()).await
    }

    pub async fn post_bytes(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        read(self.http.post(format!("{}{path}", self.base)).header(CONTENT_TYPE, content_type).body(body))
            .await
    }

    /// A chat with one message; `more` goes into the request.
    pub async fn chat(&self, question: &str, more: Value) -> Answer {
        let mut body = json!({ "model": "demo-chat", "messages": [{ "role": "user", "content": question }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/v1/chat/completions", &body).await
    }

    pub async fn speak(&self, text: &str, more: Value) -> Answer {
        let mut body = json!({ "model": "demo-speech", "input": text, "voice": "alloy" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/v1/audio/speech", &body).await
    }

    /// Posts a form of a file and of texts.
    pub async fn upload(&self, path: &str, file_name: &str, file: &[u8], fields: &[(&str, &str)]) -> Answer {
        let mut form = Vec::new();
        let mut part = |head: &str, content: &[u8]| {
            form.extend(format!("--limit\r\nContent-Disposition: form-data; {head}\r\n\r\n").bytes());
            form.extend(content);
            form.extend(b"\r\n");
        };
        part(&format!("name=\"file\"; filename=\"{file_name}\""), file);
        for (name, value) in fields {
            part(&format!("name=\"{name}\""), value.as_bytes());
        }
        form.extend(b"--limit--\r\n");
        self.post_bytes(path, "multipart/form-data; boundary=limit", form).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, bytes: response.bytes().await.expect("a whole answer").to_vec() }
}

/// What OpenAI's tokenizer says.
pub fn count(text: &str) -> u64 {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len() as u64
}
