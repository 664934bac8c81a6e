//! Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer other than what was asked for. Its texts and codes are OpenAI's, where it has them.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    param: Option<String>,
    code: Option<&'static str>,
}

impl ApiError {
    /// 400, about one parameter.
    pub fn invalid(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { param: Some(param.into()), code: Some(code), ..Self::bad_request(message) }
    }

    /// 400, about the request as a whole.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            message: message.into(),
            param: None,
            code: None,
        }
    }

    /// 400: a parameter that must be there isn't.
    pub fn missing(param: impl Into<String>) -> Self {
        let param = param.into();
        let message = format!("Missing required parameter: '{param}'.");
        Self::invalid(param, "missing_required_parameter", message)
    }

    /// 400: OpenAI has this, the demo model doesn't.
    pub fn unsupported(param: impl Into<String>, what: &str) -> Self {
        let param = param.into();
        let message = format!("Unsupported value: '{param}': the demo model has no {what}.");
        Self::invalid(param, "unsupported_value", message)
    }

    /// 404: no model of this name, or none for this endpoint.
    pub fn model_not_found(model: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: Some("model_not_found"),
            ..Self::bad_request(format!(
                "The model `{model}` does not exist or you do not have access to it."
            ))
        }
    }

    pub fn unknown_path(method: &Method, path: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: Some("unknown_url"),
            ..Self::bad_request(format!(
                "Unknown request URL: {method} {path}. Please check the URL for typos."
            ))
        }
    }

    pub fn wrong_method(method: &Method, path: &str) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: Some("method_not_supported"),
            ..Self::bad_request(format!("Not allowed to {method} on {path}."))
        }
    }

    /// 413: more bytes than the endpoint takes.
    pub fn too_large(limit: usize) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..Self::bad_request(format!("Maximum content size limit ({limit}) exceeded."))
        }
    }

    /// 500: a fault of this server.
    pub fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "server_error",
            ..Self::bad_request("The server had an error while processing your request.")
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = json!({
            "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
        });
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}
