//! A group's members and invitations.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::{Json, OptionalJson};
use super::page::{Page, PageParams, PageQuery};
use super::path::Id;
use crate::accounts::Accounts;
use crate::domain::{Caps, Invitation, InvitationId, Member, NewInvitation, User, UserId};
use crate::http::auth::{GroupAdmin, GroupUser, SessionUser};
use crate::http::problem::ApiResult;
use crate::metering::Metering;

/// An invitation to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "grace@example.com", "role": "member"}))]
pub struct InvitationInput {
    email: String,
    /// What they may do in the group.
    role: String,
}

/// A member's role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "admin"}))]
pub struct RoleInput {
    /// `admin` or `member`.
    role: String,
}

/// Nothing: a body may be left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// An account to make by invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "0GZl…", "name": "Grace", "password": "correct horse battery"}))]
pub struct Acceptance {
    /// The last part of the invitation's link.
    token: String,
    name: String,
    password: String,
}

/// List the group's members
#[utoipa::path(get, path = "/api/team/members/", operation_id = "list_members", tag = "Team", params(PageParams),
    responses(
        (status = 200, description = "The members.", body = Page<Member>),
        (status = 403, description = "`forbidden`: not an admin of a group."),
    ))]
async fn list_members(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    page: PageQuery<UserId>,
) -> ApiResult<Answer<Page<Member>>> {
    let members = accounts.members_page(&user, page.request()).await?;
    Ok(Answer(Page::of(members, |member| member.id)))
}

/// Change a member's role
///
/// Counts from the member's next request on.
#[utoipa::path(patch, path = "/api/team/members/{id}/", operation_id = "change_role", tag = "Team",
    params(("id" = Uuid, Path, description = "The member's id.")),
    request_body = RoleInput,
    responses(
        (status = 200, description = "The member.", body = Member),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`last_admin`: the group needs at least one admin."),
    ))]
async fn change_role(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<UserId>,
    Json(body): Json<RoleInput>,
) -> ApiResult<Answer<Member>> {
    Ok(Answer(accounts.change_role(&user, id, &body.role).await?))
}

/// Leave the group
///
/// As if an admin had removed one: the account ends, its sessions and keys stop working at once, and what it used stays
/// counted. Not for API keys.
#[utoipa::path(post, path = "/api/team/leave/", operation_id = "leave_group", tag = "Team",
    security(("session" = [])),
    responses(
        (status = 204, description = "Left."),
        (status = 403, description = "`forbidden`: a SuperAdmin is in no group, and an API key may not do this."),
        (status = 409, description = "`last_admin`: the group needs at least one admin: make another member one first."),
        (status = 422, description = "`invalid`: the body has a field, and there is none."),
    ))]
async fn leave_group(
    State(accounts): State<Accounts>,
    GroupUser(user): GroupUser,
    _session: SessionUser,
    _body: OptionalJson<Nothing>,
) -> ApiResult<StatusCode> {
    accounts.leave_group(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a member
///
/// Their sessions and keys stop working at once; what they used stays counted.
#[utoipa::path(delete, path = "/api/team/members/{id}/", operation_id = "remove_member", tag = "Team",
    params(("id" = Uuid, Path, description = "The member's id.")),
    responses(
        (status = 204, description = "Removed."),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`last_admin`: the group needs at least one admin."),
    ))]
async fn remove_member(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<UserId>,
) -> ApiResult<StatusCode> {
    accounts.remove_member(&user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cap what a member may spend in a month
///
/// What was counted stays counted. Caps may add up to more than the group's allowance.
#[utoipa::path(put, path = "/api/team/members/{id}/caps/", operation_id = "cap_member", tag = "Team",
    params(("id" = Uuid, Path, description = "The member's id.")),
    request_body = Caps,
    responses(
        (status = 200, description = "The caps.", body = Caps),
        (status = 403, description = "`forbidden`: not an admin of a group."),
    ))]
async fn cap_member(
    State(metering): State<Metering>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<UserId>,
    Json(caps): Json<Caps>,
) -> ApiResult<Answer<Caps>> {
    Ok(Answer(metering.set_member_caps(&user, id, caps).await?))
}

/// List the open invitations
///
/// Without their links, which are stored hashed.
#[utoipa::path(get, path = "/api/team/invitations/", operation_id = "list_invitations", tag = "Team",
    params(PageParams),
    responses(
        (status = 200, description = "The invitations.", body = Page<Invitation>),
        (status = 403, description = "`forbidden`: not an admin of a group."),
    ))]
async fn list_invitations(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    page: PageQuery<InvitationId>,
) -> ApiResult<Answer<Page<Invitation>>> {
    let invitations = accounts.invitations_page(&user, page.request()).await?;
    Ok(Answer(Page::of(invitations, |invitation| invitation.id)))
}

/// Invite into the group
///
/// The answer shows the link to pass on this once. An open invitation takes a seat of the plan's `max_users`.
#[utoipa::path(post, path = "/api/team/invitations/", operation_id = "invite", tag = "Team",
    request_body = InvitationInput,
    responses(
        (status = 201, description = "The invitation.", body = NewInvitation),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`max_users_reached`: the plan's seats are taken. `email_taken`: there is \
            an account with this e-mail address."),
        (status = 429, description = "`too_many_attempts`: the group sent, or the address got, too many."),
    ))]
async fn invite(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    Json(body): Json<InvitationInput>,
) -> ApiResult<(StatusCode, Answer<NewInvitation>)> {
    Ok((StatusCode::CREATED, Answer(accounts.invite(&user, &body.email, &body.role).await?)))
}

/// Send an invitation anew
///
/// With a new link, which the answer shows this once: the one before stops working.
#[utoipa::path(post, path = "/api/team/invitations/{id}/resend/", operation_id = "resend_invitation", tag = "Team",
    params(("id" = Uuid, Path, description = "The invitation's id.")),
    responses(
        (status = 200, description = "The invitation.", body = NewInvitation),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`email_taken`: there is an account with this e-mail address by now."),
        (status = 429, description = "`too_many_attempts`: the group sent, or the address got, too many."),
    ))]
async fn resend_invitation(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<InvitationId>,
) -> ApiResult<Answer<NewInvitation>> {
    Ok(Answer(accounts.resend_invitation(&user, id).await?))
}

/// Withdraw an invitation
///
/// Its link stops working and its seat is free again.
#[utoipa::path(delete, path = "/api/team/invitations/{id}/", operation_id = "withdraw_invitation", tag = "Team",
    params(("id" = Uuid, Path, description = "The invitation's id.")),
    responses(
        (status = 204, description = "Withdrawn."),
        (status = 403, description = "`forbidden`: not an admin of a group."),
    ))]
async fn withdraw_invitation(
    State(accounts): State<Accounts>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<InvitationId>,
) -> ApiResult<StatusCode> {
    accounts.withdraw_invitation(&user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation
///
/// Makes an account in the group that invites. Doesn't sign in.
#[utoipa::path(post, path = "/api/team/invitations/accept/", operation_id = "accept_invitation", tag = "Team",
    security(()),
    request_body = Acceptance,
    responses(
        (status = 201, description = "The account.", body = User),
        (status = 404, description = "`invitation_gone`: it expired, was used or was withdrawn."),
        (status = 409, description = "`email_taken`: there is an account with this e-mail address. \
            `max_users_reached`: the plan's seats are taken."),
    ))]
async fn accept_invitation(
    State(accounts): State<Accounts>,
    Json(body): Json<Acceptance>,
) -> ApiResult<(StatusCode, Answer<User>)> {
    let user = accounts.accept_invitation(&body.token, &body.name, &body.password).await?;
    Ok((StatusCode::CREATED, Answer(user)))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_members))
        .routes(routes!(remove_member, change_role))
        .routes(routes!(leave_group))
        .routes(routes!(cap_member))
        .routes(routes!(list_invitations))
        .routes(idempotent(routes!(invite)))
        .routes(routes!(withdraw_invitation))
        .routes(idempotent(routes!(resend_invitation)))
        .routes(idempotent(routes!(accept_invitation)))
}
