//! All groups, for the SuperAdmin.

use axum::Json as Answer;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::ApiState;
use super::page::{DEFAULT_LIMIT, Page, Query};
use super::path::Id;
use crate::billing::InvoiceKey;
use crate::domain::{
    Currency, GroupId, GroupSummary, GroupVisit, Invitation, Invoice, InvoiceFields, Level, Member, RunOut,
    Seats, Subscription, Usage, UserId,
};
use crate::groups::{GroupFields, GroupKey, GroupParts, GroupView, Groups, GroupsQuery};
use crate::http::auth::SuperAdmin;
use crate::http::problem::{ApiResult, Problem};
use crate::storage::PageRequest;

/// The list's parameters, for the API's document: requests are read by [`GroupsRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct GroupsParams {
    /// A part of the group's name or of a member's e-mail, in any case.
    #[param(required = false, max_length = 254, pattern = "^[^\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029]*$")]
    search: String,
    /// Only groups whose subscription, or the one they had last, is to this plan.
    #[param(required = false)]
    plan: Uuid,
    /// Only groups whose subscription, or the one they had last, has this status; `none` for those that never had one.
    #[param(
        required = false,
        pattern = "^(incomplete|incomplete_expired|trialing|active|past_due|canceled|unpaid|paused|none)$"
    )]
    status: String,
    /// Only groups whose resource nearest to its limit is at this level.
    #[param(required = false)]
    level: Level,
    /// What the list is in the order of, with `-` before it to begin with the most. Groups without such a figure come last
    /// either way; of several currencies, amounts of the same one stand together.
    #[param(
        required = false,
        default = "name",
        pattern = "^-?(name|usage|mrr|run_out|last_activity|created_at|plan|status)$"
    )]
    sort: String,
    /// How many results at most, 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200, default = 50)]
    limit: u16,
    /// The page before's `next_cursor`. All pages are as of when the first was read.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]{1,1400}$")]
    cursor: String,
}

/// A group's parameters, for the API's document: requests are read by [`GroupRequest`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct GroupDetailParams {
    /// Why, to be kept with the visit.
    #[param(
        required = false,
        max_length = 500,
        pattern = "^[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x9F]*$"
    )]
    reason: String,
    /// `members.next_cursor` of the answer before.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]{1,1400}$")]
    members_cursor: String,
    /// `invoices.next_cursor` of the answer before.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]{1,1400}$")]
    invoices_cursor: String,
}

/// One group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupDetail {
    id: GroupId,
    name: String,
    created_at: DateTime<Utc>,
    /// Null without one.
    subscription: Option<Subscription>,
    /// Null without an allowance.
    usage: Option<Usage>,
    /// That of the resource nearer to its limit; null without an allowance.
    level: Option<Level>,
    seats: Seats,
    /// As in the list.
    mrr: Option<String>,
    /// Of `mrr`.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{3}$")]
    currency: Option<Currency>,
    /// When its latest tokens were spent, to the minute; null where none ever were.
    last_activity: Option<DateTime<Utc>>,
    /// As in the list.
    run_out: Option<RunOut>,
    members: Page<Member>,
    /// Those that are open.
    invitations: Vec<Invitation>,
    /// The newest first.
    #[schema(value_type = Page<InvoiceFields>)]
    invoices: Page<Invoice>,
    /// Who looked at the group, the latest first, this request included: at most 50.
    visits: Vec<GroupVisit>,
}

impl GroupDetail {
    fn new(view: GroupView, visits: Vec<GroupVisit>) -> Self {
        let GroupSummary {
            id, name, created_at, level, seats, mrr, currency, last_activity, run_out, ..
        } = view.summary;
        let invoice_key = |last: &Invoice| InvoiceKey::from(last);
        Self {
            id,
            name,
            created_at,
            subscription: view.subscription,
            usage: view.usage,
            level,
            seats,
            mrr,
            currency,
            last_activity,
            run_out,
            members: Page::of(view.members, |member| member.id),
            invitations: view.invitations,
            invoices: Page::of(view.invoices, invoice_key),
            visits,
        }
    }
}

/// Which groups to list.
#[derive(Debug)]
pub struct GroupsRequest {
    query: GroupsQuery,
    limit: usize,
}

impl<S: Sync> FromRequestParts<S> for GroupsRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let (limit, key) = query.page::<GroupKey>().into_parts();
        let mut take = |name| query.take(name).map(|text| text.into_owned());
        let fields = GroupFields {
            search: take("search"),
            plan: take("plan"),
            status: take("status"),
            level: take("level"),
            sort: take("sort"),
        };
        query.end()?;
        Ok(Self { query: fields.query(key)?, limit })
    }
}

/// Which parts of a group to show, and why.
#[derive(Debug)]
pub struct GroupRequest {
    reason: Option<String>,
    parts: GroupParts,
}

impl<S: Sync> FromRequestParts<S> for GroupRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let reason = query.take("reason").map(|text| text.into_owned());
        let members = query.cursor::<UserId>("members_cursor");
        let invoices = query.cursor::<InvoiceKey>("invoices_cursor").map(|key| key.as_str().to_owned());
        query.end()?;
        let parts = GroupParts {
            members: PageRequest { after: members, limit: DEFAULT_LIMIT },
            invoices: PageRequest { after: invoices, limit: DEFAULT_LIMIT },
        };
        Ok(Self { reason, parts })
    }
}

/// List all groups
///
/// With what each uses, pays and has left. What can't be said of a group is null, never 0.
#[utoipa::path(get, path = "/api/admin/groups/", operation_id = "list_groups", tag = "Groups", params(GroupsParams),
    responses(
        (status = 200, description = "The groups.", body = Page<GroupSummary>),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn list_groups(
    State(groups): State<Groups>,
    SuperAdmin(user): SuperAdmin,
    GroupsRequest { query, limit }: GroupsRequest,
) -> ApiResult<Answer<Page<GroupSummary>>> {
    let page = groups.page(&user, &query, limit).await?;
    Ok(Answer(Page::new(page.groups, page.next.as_ref())))
}

/// Look at a group
///
/// As its admin sees it, to read only. That it was looked at is kept, with the reason where one is given, and shown on the
/// group's page: one visit stands for all of an hour.
#[utoipa::path(get, path = "/api/admin/groups/{id}/", operation_id = "show_group", tag = "Groups",
    params(("id" = Uuid, Path, description = "The group's id."), GroupDetailParams),
    responses(
        (status = 200, description = "The group.", body = GroupDetail),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn show_group(
    State(groups): State<Groups>,
    SuperAdmin(user): SuperAdmin,
    Id(id): Id<GroupId>,
    GroupRequest { reason, parts }: GroupRequest,
) -> ApiResult<Answer<GroupDetail>> {
    let found = groups.by_api(&user, id, reason.as_deref(), &parts).await.map_err(|error| {
        Problem::from(error).rename_fields(|field| match field {
            "cursor" => "invoices_cursor".to_owned(),
            field => field.to_owned(),
        })
    });
    let (view, visits) = found?;
    Ok(Answer(GroupDetail::new(view, visits)))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list_groups)).routes(routes!(show_group))
}
