//! The plans on offer.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::Json;
use super::page::{Page, PageParams, PlansQuery};
use super::path::Id;
use crate::billing::Billing;
use crate::domain::{Plan, PlanFields, PlanId, PlanInput, Role};
use crate::http::auth::{MaybeUser, SuperAdmin};
use crate::http::problem::ApiResult;
use crate::storage::PlanKey;

impl PartialSchema for Plan {
    fn schema() -> RefOr<Schema> {
        PlanFields::schema()
    }
}

/// A plan is written as [`PlanFields`].
impl ToSchema for Plan {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        PlanFields::schemas(schemas);
    }
}

/// List the plans
///
/// In order of currency, then of what a month costs.
#[utoipa::path(get, path = "/api/subscriptions/plans/", operation_id = "list_plans", tag = "Plans",
    security((), ("session" = []), ("key" = [])),
    params(
        ("include_archived" = Option<bool>, Query, description = "Also the archived ones. Has an effect for a \
            SuperAdmin only."),
        PageParams,
    ),
    responses((status = 200, description = "The plans.", body = Page<Plan>)))]
async fn list_plans(
    State(billing): State<Billing>,
    MaybeUser(user): MaybeUser,
    query: PlansQuery,
) -> ApiResult<Answer<Page<Plan>>> {
    let request = query.page.request();
    let plans = billing.plans_page(user.as_ref(), query.include_archived, request).await?;
    Ok(Answer(Page::of(plans, PlanKey::of)))
}

/// Make a plan
///
/// With `stripe_price_id`, that price must exist at Stripe, be active and recurring, and agree on amount,
/// currency and interval. Without it, a product and a price are made at Stripe.
#[utoipa::path(post, path = "/api/subscriptions/plans/", operation_id = "create_plan", tag = "Plans",
    request_body = PlanInput,
    responses(
        (status = 201, description = "The plan.", body = Plan),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn create_plan(
    State(billing): State<Billing>,
    SuperAdmin(user): SuperAdmin,
    Json(body): Json<PlanInput>,
) -> ApiResult<(StatusCode, Answer<Plan>)> {
    Ok((StatusCode::CREATED, Answer(billing.create_plan(&user, body).await?)))
}

/// Read a plan
///
/// Archived ones too.
#[utoipa::path(get, path = "/api/subscriptions/plans/{id}/", operation_id = "read_plan", tag = "Plans",
    security((), ("session" = []), ("key" = [])),
    params(("id" = Uuid, Path, description = "The plan's id.")),
    responses((status = 200, description = "The plan.", body = Plan)))]
async fn read_plan(
    State(billing): State<Billing>,
    MaybeUser(user): MaybeUser,
    Id(id): Id<PlanId>,
) -> ApiResult<Answer<Plan>> {
    Ok(Answer(match user.filter(|user| user.role == Role::SuperAdmin) {
        Some(superadmin) => billing.plan_with_subscribers(&superadmin, id).await?,
        None => billing.plan(id).await?,
    }))
}

/// Replace a plan's terms
///
/// A Stripe price can't change its amount: another price makes a new one at Stripe, and subscribers keep the
/// old one until they change plan.
#[utoipa::path(put, path = "/api/subscriptions/plans/{id}/", operation_id = "update_plan", tag = "Plans",
    params(("id" = Uuid, Path, description = "The plan's id.")),
    request_body = PlanInput,
    responses(
        (status = 200, description = "The plan as it is now.", body = Plan),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn update_plan(
    State(billing): State<Billing>,
    SuperAdmin(user): SuperAdmin,
    Id(id): Id<PlanId>,
    Json(body): Json<PlanInput>,
) -> ApiResult<Answer<Plan>> {
    Ok(Answer(billing.update_plan(&user, id, body).await?))
}

/// Remove a plan
///
/// One that was never bought is deleted; any other is archived: it can't be bought any more and keeps working
/// for those who have it.
#[utoipa::path(delete, path = "/api/subscriptions/plans/{id}/", operation_id = "remove_plan", tag = "Plans",
    params(("id" = Uuid, Path, description = "The plan's id.")),
    responses(
        (status = 204, description = "Deleted or archived."),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
        (status = 409, description = "`conflict`: it is being bought at this moment."),
    ))]
async fn remove_plan(
    State(billing): State<Billing>,
    SuperAdmin(user): SuperAdmin,
    Id(id): Id<PlanId>,
) -> ApiResult<StatusCode> {
    billing.remove_plan(&user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a plan
///
/// Puts an archived plan back on sale, on the terms it had. One that is on sale stays as it is. Refused with 422 on
/// `name` or `stripe_price_id` where another plan on sale has the same, or where Stripe can't charge its price any more.
#[utoipa::path(post, path = "/api/subscriptions/plans/{id}/restore/", operation_id = "restore_plan", tag = "Plans",
    params(("id" = Uuid, Path, description = "The plan's id.")),
    responses(
        (status = 200, description = "The plan as it is now.", body = Plan),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn restore_plan(
    State(billing): State<Billing>,
    SuperAdmin(user): SuperAdmin,
    Id(id): Id<PlanId>,
) -> ApiResult<Answer<Plan>> {
    Ok(Answer(billing.restore_plan(&user, id).await?))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_plans))
        .routes(idempotent(routes!(create_plan)))
        .routes(routes!(read_plan, update_plan, remove_plan))
        .routes(routes!(restore_plan))
}
