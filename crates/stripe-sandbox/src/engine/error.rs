//! Stripe's error envelope.

use serde_json::{Map, Value, json};

use super::kind::Kind;

/// An error as the API answers it. Seen by the caller of the API.
/// Source: <https://docs.stripe.com/api/errors>
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    error: Map<String, Value>,
    /// A declined payment is an answer in the form of an error: what it changed stays.
    pub(crate) keeps_changes: bool,
}

impl ApiError {
    fn new(status: u16, kind: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("message".into(), Value::String(message.into()));
        error.insert("type".into(), json!(kind));
        Self { status, error, keeps_changes: false }
    }

    /// 400 `invalid_request_error`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    /// 400 `idempotency_error`.
    pub(crate) fn idempotency(message: impl Into<String>) -> Self {
        Self::new(400, "idempotency_error", message)
    }

    /// 402 `card_error`.
    pub(crate) fn card(code: &str, message: impl Into<String>) -> Self {
        Self::new(402, "card_error", message).code(code)
    }

    /// 500 `api_error`, of which the reason stays in the log.
    pub(crate) fn internal() -> Self {
        Self::new(500, "api_error", "The sandbox could not keep this. Its log says why.")
    }

    /// What Stripe would do, and this sandbox doesn't.
    pub(crate) fn unsupported(param: &str) -> Self {
        Self::invalid(format!("The Stripe sandbox does not support the parameter `{param}` here."))
            .param(param)
    }

    pub(crate) fn required(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    /// `resource_missing`: 404 where the address names it, else 400. Of customers always 404.
    pub(crate) fn missing(kind: Kind, id: &str, param: &str) -> Self {
        let name = match kind {
            Kind::PaymentMethod => "PaymentMethod",
            Kind::SetupIntent => "setupintent",
            Kind::WebhookEndpoint => "webhook endpoint",
            Kind::PortalConfiguration => "configuration",
            other => other.object(),
        };
        let status = if param == "id" || kind == Kind::Customer { 404 } else { 400 };
        Self::invalid(format!("No such {name}: '{id}'")).status(status).code("resource_missing").param(param)
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn code(self, code: &str) -> Self {
        let url = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
        self.with("code", json!(code)).with("doc_url", json!(url))
    }

    pub(crate) fn param(self, param: &str) -> Self {
        self.with("param", json!(param))
    }

    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.error.insert(field.into(), value);
        self
    }

    /// The same, with one field seen through `with`.
    pub(crate) fn mapping(mut self, field: &str, with: impl FnOnce(Value) -> Value) -> Self {
        if let Some(value) = self.error.remove(field) {
            self.error.insert(field.into(), with(value));
        }
        self
    }

    /// The same, of a parameter inside of another.
    pub(crate) fn inside(self, outer: &str) -> Self {
        self.mapping("param", |param| {
            let param = param.as_str().unwrap_or_default();
            let (head, rest) = param.split_at(param.find('[').unwrap_or(param.len()));
            json!(format!("{outer}[{head}]{rest}"))
        })
    }

    /// The same about a parameter that has another name where it was given.
    pub(crate) fn renaming(self, name: impl FnOnce(&str) -> &str) -> Self {
        match self.error.get("param").and_then(Value::as_str).map(|param| name(param).to_owned()) {
            Some(param) => self.param(&param),
            None => self,
        }
    }

    pub(crate) fn keeping_changes(mut self) -> Self {
        self.keeps_changes = true;
        self
    }

    /// Whether this is its code.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.error.get("code").is_some_and(|own| own == code)
    }

    /// What went wrong, in words.
    pub(crate) fn message(&self) -> String {
        self.error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The error alone, as it stands in `last_payment_error`.
    pub(crate) fn into_object(self) -> Value {
        Value::Object(self.error)
    }

    pub(crate) fn body(&self) -> Value {
        json!({"error": self.error})
    }
}
