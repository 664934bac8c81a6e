//! Which model server the gateway asks.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{ConfigError, wrong};

/// A model server that speaks OpenAI's API.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// As OpenAI's own clients take it: `https://api.openai.com/v1`.
    pub base_url: Url,
    pub api_key: Option<SecretString>,
}

/// How long the model server may take. A whole answer may take any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamLimits {
    pub connect: Duration,
    /// From the end of a request to the headers of its answer; reasoning models think that long. OpenAI's own clients
    /// wait ten minutes.
    pub answer: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// How long streams may go on once the server is to stop.
    pub stopping: Duration,
}

impl Default for UpstreamLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            stopping: Duration::from_secs(8),
        }
    }
}

/// Reads `OPENAI_BASE_URL` and `OPENAI_API_KEY`. `None` is the built-in demo model, which takes no key: a key alone, as
/// many machines have one, sends nothing to anyone.
pub(super) fn upstream(get: &impl Fn(&str) -> Option<String>) -> Result<Option<Upstream>, ConfigError> {
    let api_key = get("OPENAI_API_KEY").map(api_key).transpose()?;
    let Some(base_url) = get("OPENAI_BASE_URL") else { return Ok(None) };
    Ok(Some(Upstream { base_url: base_url_of(&base_url)?, api_key }))
}

/// It has to fit a header. The message doesn't repeat it.
fn api_key(text: String) -> Result<SecretString, ConfigError> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        Err(wrong("OPENAI_API_KEY", "must be letters, digits and signs of ASCII, without spaces"))
    }
}

fn base_url_of(text: &str) -> Result<Url, ConfigError> {
    const NAME: &str = "OPENAI_BASE_URL";
    let url =
        Url::parse(text).map_err(|_| wrong(NAME, "must be an address such as https://api.openai.com/v1"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(NAME, "must begin with http:// or https://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(NAME, "must end with its path, such as /v1"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(NAME, "must have no user name or password: a key goes into OPENAI_API_KEY"));
    }
    Ok(url)
}
