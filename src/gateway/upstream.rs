//! The model server: how it is asked.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Url};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::error::ApiError;
use super::headers::{for_client, for_upstream};
use crate::config::{self, UpstreamLimits};
use crate::error::{Error, Result};

/// A model server that speaks OpenAI's API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Upstream {
    client: Client,
    base_url: Url,
    limits: UpstreamLimits,
    /// Marked as sensitive, so that it isn't shown.
    authorization: Option<HeaderValue>,
}

/// What to ask.
pub struct Question {
    pub method: Method,
    /// Below the base URL, as the client wrote it, with its query.
    pub path: String,
    /// As the client sent them.
    pub headers: HeaderMap,
    pub body: Body,
}

/// An answer whose body is still to come.
pub struct Answer {
    pub status: StatusCode,
    /// Those that the client may see.
    pub headers: HeaderMap,
    body: Body,
    idle: Duration,
}

impl Upstream {
    /// # Errors
    /// [`Error::Internal`] where no TLS can be set up, or the key doesn't fit a header.
    pub fn new(config: &config::Upstream, limits: UpstreamLimits) -> Result<Self> {
        let failed = |what: &str| Error::Internal(format!("the gateway's {what}"));
        let tls = tls().map_err(|error| failed(&error.to_string()))?;
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(limits.connect)
            // Where an answer redirects to is for the client to decide, and none of ours to send a key to.
            .redirect(Policy::none())
            .tcp_nodelay(true);
        if matches!(config.base_url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            // A proxy doesn't know what listens on this machine.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| failed(&error.to_string()))?;
        let authorization = config.api_key.as_ref().map(|key| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
                .map_err(|_| failed("key doesn't fit a header"))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        let authorization = authorization.transpose()?;
        Ok(Self { client, base_url: config.base_url.clone(), limits, authorization })
    }

    pub fn limits(&self) -> UpstreamLimits {
        self.limits
    }

    /// Asks, and waits until the head of the answer is there.
    ///
    /// # Errors
    /// 404 for a path that leaves the base URL; 502 where the upstream can't be reached or breaks off; 504 where it
    /// takes too long.
    pub async fn ask(&self, question: Question) -> Result<Answer, ApiError> {
        let Question { method, path, headers, body } = question;
        let url = self.url(&path).ok_or_else(|| ApiError::unknown_path(method.as_str(), &path))?;
        let mut headers = for_upstream(headers);
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let request = self.client.request(method, url).headers(headers).body(body).send();
        let response = match timeout(self.limits.answer, request).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                // The address says which server it is, and the path nothing new.
                tracing::warn!(error = %chain(&error.without_url()), "the upstream gave no answer");
                return Err(ApiError::upstream_unreachable());
            }
            Err(_) => {
                tracing::warn!(limit = ?self.limits.answer, "the upstream gave no answer in time");
                return Err(ApiError::upstream_timeout());
            }
        };
        let status = response.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            tracing::error!(%status, "the upstream refuses OPENAI_API_KEY");
        }
        let (head, body) = axum::http::Response::<Body>::from(response).into_parts();
        Ok(Answer { status, headers: for_client(head.headers), body, idle: self.limits.idle })
    }

    /// The address of a path below the base URL; none where what the client wrote would lead elsewhere, by `..` in
    /// whatever spelling.
    fn url(&self, path: &str) -> Option<Url> {
        let base = self.base_url.as_str().trim_end_matches('/');
        let text = format!("{base}{path}");
        let url = Url::parse(&text).ok()?;
        (url.as_str() == text).then_some(url)
    }
}

impl Answer {
    pub fn is_event_stream(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        content_type.is_some_and(|value| value.trim_start().starts_with("text/event-stream"))
    }

    /// The body's next piece; none at its end.
    ///
    /// # Errors
    /// 502 where it breaks off; 504 where nothing comes for too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            match timeout(self.idle, self.body.frame()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data)),
                    // Trailers, which no answer of this API has.
                    Err(_) => {}
                },
                Ok(Some(Err(error))) => {
                    tracing::warn!(error = %chain(&error), "the upstream broke off");
                    return Err(ApiError::upstream_unreachable());
                }
                Err(_) => {
                    tracing::warn!(limit = ?self.idle, "the upstream fell silent");
                    return Err(ApiError::upstream_timeout());
                }
            }
        }
    }

    /// The body, to be passed on as it comes.
    pub fn into_body(self) -> axum::body::Body {
        axum::body::Body::new(self.body)
    }
}

/// Trusts whom browsers trust, and whom this machine does: an upstream may have a certificate of its owner's. A bare
/// container trusts nobody by itself.
fn tls() -> std::result::Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(base_url: &str) -> Upstream {
        let config =
            config::Upstream { base_url: base_url.parse().unwrap(), api_key: Some("sk-verysecret".into()) };
        Upstream::new(&config, UpstreamLimits::default()).unwrap()
    }

    #[test]
    fn paths_stay_below_the_base_url() {
        for base in ["http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/"] {
            let url = |path: &str| upstream(base).url(path).map(|url| url.to_string());
            let whole = "http://127.0.0.1:9/v1/models/a?b=c".to_owned();
            assert_eq!(url("/models/a?b=c"), Some(whole));
            for path in [
                "/models/..",
                "/models/../files",
                "/models/%2e%2e/files",
                "/models/.%2E/x",
                "/models\\..\\files",
            ] {
                assert_eq!(url(path), None, "{path}");
            }
            assert!(url("/models/meta%2Fllama").is_some());
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", upstream("https://api.openai.com/v1")).contains("verysecret"));
    }
}
