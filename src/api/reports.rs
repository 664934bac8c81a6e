//! Reports as files to download.

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::Response;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::ApiState;
use super::page::Query;
use crate::domain::{ReportBy, ReportFormat};
use crate::error::Error;
use crate::http::auth::AnyAdmin;
use crate::http::problem::{ApiResult, Problem};
use crate::reports::{InvoicesQuery, Report, ReportFields, Reports, UsageQuery};

/// A report's parameters, for the API's document: requests are read by [`UsageRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct UsageReportParams {
    /// CSV as RFC 4180 has it, a line of JSON for each row, or a spreadsheet.
    #[param(required = false, default = "csv")]
    format: ReportFormat,
    /// What there is a row for each of.
    #[param(required = false, default = "day")]
    by: ReportBy,
    /// The beginning of the window: a time, or a day in the time zone. Left out: the first event.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-11-01")]
    from: String,
    /// The end of the window, which isn't part of it. Left out: the last event.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-12-01")]
    to: String,
    /// The IANA name of the time zone that days are of.
    #[param(required = false, default = "UTC", example = "Europe/Berlin")]
    tz: String,
    /// Whose ledger. Left out: the caller's own, a SuperAdmin's are all.
    #[param(required = false)]
    group_id: Uuid,
}

/// A report's parameters, for the API's document: requests are read by [`InvoicesRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct InvoicesReportParams {
    /// CSV as RFC 4180 has it, a line of JSON for each row, or a spreadsheet.
    #[param(required = false, default = "csv")]
    format: ReportFormat,
    /// Only invoices made from then on: a time, or a day in the time zone.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-11-01")]
    from: String,
    /// Only invoices made before then.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-12-01")]
    to: String,
    /// The IANA name of the time zone that days are of.
    #[param(required = false, default = "UTC", example = "Europe/Berlin")]
    tz: String,
    /// Whose invoices. Left out: those of the caller's own group, a SuperAdmin's are all.
    #[param(required = false)]
    group_id: Uuid,
}

/// Which usage to report.
#[derive(Debug)]
pub struct UsageRequest(UsageQuery);

/// Which invoices to report.
#[derive(Debug)]
pub struct InvoicesRequest(InvoicesQuery);

/// The parameters that both have.
fn common(query: &mut Query<'_>) -> ReportFields {
    let mut take = |name| query.take(name).map(|text| text.into_owned());
    ReportFields {
        format: take("format"),
        by: None,
        from: take("from"),
        to: take("to"),
        tz: take("tz"),
        group_id: take("group_id"),
    }
}

impl<S: Sync> FromRequestParts<S> for UsageRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let by = query.take("by").map(|text| text.into_owned());
        let fields = ReportFields { by, ..common(&mut query) };
        query.end()?;
        Ok(Self(fields.usage()?))
    }
}

impl<S: Sync> FromRequestParts<S> for InvoicesRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let fields = common(&mut query);
        query.end()?;
        Ok(Self(fields.invoices()?))
    }
}

fn download(report: Report) -> Result<Response, Error> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| Error::Internal(error.to_string()));
    let disposition = value(&format!("attachment; filename=\"{}\"", report.filename))?;
    let media_type = value(report.format.media_type())?;
    let mut response = Response::new(Body::from_stream(report.body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_DISPOSITION, disposition);
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Download the ledger
///
/// Its events of a window, or what they add up to; every breakdown of the same window adds up to the same total. All of it
/// is of one moment, whatever is recorded meanwhile.
///
/// By event the columns are `id, occurred_at, recorded_at, period_start, user_id, user, key_id, model, usage_type, tokens,
/// estimated`, the classes of `details`, and `period_id`; otherwise `key, label, llm, voice, events`. Of all groups, they are
/// followed by `group_id, group`. The last row is the total, under the id or key `total`: a file without it was cut off.
/// Text that a spreadsheet would take for a formula has an apostrophe before it, but for JSON.
#[utoipa::path(get, path = "/api/reports/usage/", operation_id = "usage_report", tag = "Reports",
    params(UsageReportParams),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 403, description = "`forbidden`: a member."),
        (status = 404, description = "`not_found`: there is no such group, or it is another's."),
        (status = 503, description = "`overloaded`: too many reports are being written."),
    ))]
async fn usage_report(
    State(reports): State<Reports>,
    AnyAdmin(user): AnyAdmin,
    UsageRequest(query): UsageRequest,
) -> ApiResult<Response> {
    Ok(download(reports.usage(&user, query).await?)?)
}

/// Download the invoices
///
/// Those that were made in a window, the oldest first, with Stripe's ids and what was paid, credited and refunded of each:
/// amounts in minor units and as decimals. The last row has the id `total` and the number of invoices, and the sums where
/// all are of one currency; of several, each has a row with the id `subtotal` before it. A file without the last row was
/// cut off.
#[utoipa::path(get, path = "/api/reports/invoices/", operation_id = "invoices_report", tag = "Reports",
    params(InvoicesReportParams),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 403, description = "`forbidden`: a member."),
        (status = 404, description = "`not_found`: there is no such group, or it is another's."),
        (status = 503, description = "`overloaded`: too many reports are being written."),
    ))]
async fn invoices_report(
    State(reports): State<Reports>,
    AnyAdmin(user): AnyAdmin,
    InvoicesRequest(query): InvoicesRequest,
) -> ApiResult<Response> {
    Ok(download(reports.invoices(&user, query).await?)?)
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(usage_report)).routes(routes!(invoices_report))
}
