//! Which requests `stripe logs tail` shows.

use serde::Deserialize;

use crate::engine::{ApiError, RequestLog};

/// As the CLI sends them, in JSON. Each that is given has to fit, by one of its values.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filters {
    /// Whose requests: `self`, or those from and to connected accounts, of which there are none.
    filter_account: Vec<String>,
    filter_http_method: Vec<String>,
    filter_request_path: Vec<String>,
    /// `SUCCEEDED` or `FAILED`.
    filter_request_status: Vec<String>,
    /// `API` or `DASHBOARD`.
    filter_source: Vec<String>,
    filter_status_code: Vec<String>,
    /// `2XX`, `4XX` or `5XX`.
    filter_status_code_type: Vec<String>,
}

impl Filters {
    /// # Errors
    /// If a filter isn't one that can be kept to.
    pub(super) fn parse(json: Option<&str>) -> Result<Self, ApiError> {
        let Some(json) = json else { return Ok(Self::default()) };
        serde_json::from_str(json)
            .map_err(|error| ApiError::invalid(format!("Invalid filters: {error}")).param("filters"))
    }

    pub(super) fn let_through(&self, log: &RequestLog) -> bool {
        let succeeded = if log.status < 400 { "SUCCEEDED" } else { "FAILED" };
        let code = log.status.to_string();
        [
            (&self.filter_account, "self"),
            (&self.filter_http_method, log.method.as_str()),
            (&self.filter_request_path, log.path.as_str()),
            (&self.filter_request_status, succeeded),
            (&self.filter_source, "API"),
            (&self.filter_status_code, code.as_str()),
            (&self.filter_status_code_type, &format!("{}XX", log.status / 100)),
        ]
        .into_iter()
        .all(|(wanted, is)| wanted.is_empty() || wanted.iter().any(|one| one.eq_ignore_ascii_case(is)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shows(filters: &str) -> bool {
        let log = RequestLog {
            id: "req_1".to_owned(),
            created: 0,
            method: "POST".to_owned(),
            path: "/v1/customers".to_owned(),
            status: 402,
            error: Value::Null,
        };
        Filters::parse(Some(filters)).unwrap().let_through(&log)
    }

    #[test]
    fn every_filter_has_to_fit_by_one_of_its_values() {
        for fitting in [
            "{}",
            r#"{"filter_http_method": ["GET", "POST"], "filter_status_code_type": ["4XX"]}"#,
            r#"{"filter_request_status": ["FAILED"], "filter_status_code": ["402"], "filter_account": ["self"]}"#,
            r#"{"filter_request_path": ["/v1/customers"], "filter_source": ["api"]}"#,
        ] {
            assert!(shows(fitting), "{fitting}");
        }
        for other in [
            r#"{"filter_http_method": ["GET"], "filter_status_code_type": ["4XX"]}"#,
            r#"{"filter_request_status": ["SUCCEEDED"]}"#,
            r#"{"filter_account": ["connect_in"]}"#,
        ] {
            assert!(!shows(other), "{other}");
        }
    }

    #[test]
    fn a_filter_that_is_not_kept_to_is_refused() {
        assert!(Filters::parse(Some(r#"{"filter_ip_address": ["127.0.0.1"]}"#)).is_err());
        assert!(Filters::parse(Some("nothing")).is_err());
    }
}
