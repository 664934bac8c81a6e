//! The operator's figures, for the SuperAdmin.

use axum::Json as Answer;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use chrono::DateTime;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::ApiState;
use super::page::{Cursor, Page, PageParams, PageQuery, Query};
use crate::domain::{AnalyticsInterval, AnalyticsReport, Figure, FigureRow};
use crate::http::auth::SuperAdmin;
use crate::http::problem::{ApiResult, Problem};
use crate::reports::{Analytics, AnalyticsFields, FigureFields};
use crate::storage::FigureKey;

/// The figures' parameters, for the API's document: requests are read by [`AnalyticsRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct AnalyticsParams {
    /// The beginning of the window: a time, or a day in the time zone. Left out: that of the month eleven months before the
    /// window's last.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-01-01")]
    from: String,
    /// The end of the window, which isn't part of it. Left out, or later than that: the end of the current interval.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-12-01")]
    to: String,
    /// What the window is divided into, at most 400 of them.
    #[param(required = false, default = "month")]
    interval: AnalyticsInterval,
    /// The IANA name of the time zone that the intervals are of.
    #[param(required = false, default = "UTC", example = "Europe/Berlin")]
    tz: String,
}

/// A figure's parameters, for the API's document: requests are read by [`RowsRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct RowsParams {
    /// Whose rows.
    figure: Figure,
    /// The lower-case code of the currency; of no meaning to who signed up.
    #[param(required = false, default = "usd", pattern = "^[a-z]{3}$")]
    currency: String,
    /// As in the figures.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-01-01")]
    from: String,
    /// As in the figures.
    #[param(required = false, pattern = "^[0-9Tt:.zZ+-]*$", example = "2026-12-01")]
    to: String,
    /// The IANA name of the time zone that days are of.
    #[param(required = false, default = "UTC", example = "Europe/Berlin")]
    tz: String,
    /// Of subscriptions and MRR: only those of this plan.
    #[param(required = false)]
    plan_id: Uuid,
}

/// Which figures.
#[derive(Debug)]
pub struct AnalyticsRequest(AnalyticsFields);

/// Which rows.
#[derive(Debug)]
pub struct RowsRequest {
    fields: FigureFields,
    page: PageQuery<FigureKey>,
}

impl<S: Sync> FromRequestParts<S> for AnalyticsRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let mut take = |name| query.take(name).map(|text| text.into_owned());
        let (from, to, interval, tz) = (take("from"), take("to"), take("interval"), take("tz"));
        query.end()?;
        Ok(Self(AnalyticsFields { from, to, interval, tz }))
    }
}

impl<S: Sync> FromRequestParts<S> for RowsRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let page = query.page();
        let mut take = |name| query.take(name).map(|text| text.into_owned());
        let fields = FigureFields {
            figure: take("figure"),
            currency: take("currency"),
            from: take("from"),
            to: take("to"),
            tz: take("tz"),
            plan_id: take("plan_id"),
        };
        query.end()?;
        Ok(Self { fields, page })
    }
}

impl Cursor for FigureKey {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.at.timestamp_micros().to_be_bytes(), self.id.as_bytes().as_slice()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, id) = bytes.split_first_chunk::<8>()?;
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*at))?;
        Some(Self { at, id: Uuid::from_slice(id).ok()? })
    }
}

/// Read the operator's figures
///
/// For each currency on its own: monthly recurring revenue with its roll-forward (`start + new + reactivation + expansion -
/// contraction - churn = end`, exactly), subscriptions, churn, average revenue, tokens used against sold and overage, for
/// the window and each of its months, weeks or days; the funnel of the groups that signed up in it; and the plans at its
/// end. `definitions` says what each figure is. A figure that can't be had is null. What is learnt of a change after its
/// month was over, in any time zone, counts when it is learnt: months that are over don't change.
#[utoipa::path(get, path = "/api/admin/analytics/", operation_id = "analytics", tag = "Operator",
    params(AnalyticsParams),
    responses(
        (status = 200, description = "The figures.", body = AnalyticsReport),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn analytics(
    State(analytics): State<Analytics>,
    SuperAdmin(user): SuperAdmin,
    AnalyticsRequest(fields): AnalyticsRequest,
) -> ApiResult<Answer<AnalyticsReport>> {
    Ok(Answer(analytics.report(&user, &fields).await?))
}

/// List the rows of a figure
///
/// What it is made of, the latest first: movements of revenue, subscriptions at the window's end, groups, usage periods or
/// charges.
#[utoipa::path(get, path = "/api/admin/analytics/rows/", operation_id = "analytics_rows", tag = "Operator",
    params(RowsParams, PageParams),
    responses(
        (status = 200, description = "A page of the rows.", body = Page<FigureRow>),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn analytics_rows(
    State(analytics): State<Analytics>,
    SuperAdmin(user): SuperAdmin,
    request: RowsRequest,
) -> ApiResult<Answer<Page<FigureRow>>> {
    let rows = analytics.rows(&user, &request.fields, request.page.request()).await?;
    let page = Page::of(rows, |(key, _)| *key);
    let results = page.results.into_iter().map(|(_, row)| row).collect();
    Ok(Answer(Page { results, next_cursor: page.next_cursor }))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(analytics)).routes(routes!(analytics_rows))
}
