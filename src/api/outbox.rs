//! The e-mail that was written, for the SuperAdmin.

use axum::Json as Answer;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::page::{Page, PageParams, PageQuery};
use super::path::Id;
use crate::domain::{MessageId, OutboxMessage};
use crate::http::auth::SuperAdmin;
use crate::http::problem::ApiResult;
use crate::notify::Outbox;
use crate::storage::PageRows;

/// List the e-mail
///
/// Newest first, without the texts. What was done is kept for 30 days.
#[utoipa::path(get, path = "/api/admin/outbox/", operation_id = "list_outbox", tag = "E-mail", params(PageParams),
    responses(
        (status = 200, description = "The messages.", body = Page<OutboxMessage>),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
    ))]
async fn list_outbox(
    State(outbox): State<Outbox>,
    SuperAdmin(user): SuperAdmin,
    page: PageQuery<MessageId>,
) -> ApiResult<Answer<Page<OutboxMessage>>> {
    let PageRows { rows, more } = outbox.messages(&user, page.request()).await?;
    let rows = rows.iter().map(|row| row.message()).collect();
    Ok(Answer(Page::of(PageRows { rows, more }, |message| message.id)))
}

/// Send a message again
///
/// One that failed or waits for its next try is sent now; one that was kept is sent where a mail server is set by now.
#[utoipa::path(post, path = "/api/admin/outbox/{id}/send/", operation_id = "send_again", tag = "E-mail",
    params(("id" = Uuid, Path, description = "The message's id.")),
    responses(
        (status = 200, description = "It is sent as soon as the mail server takes it.", body = OutboxMessage),
        (status = 403, description = "`forbidden`: not a SuperAdmin."),
        (status = 409, description = "`conflict`: it was sent, its link has expired, or no mail server is set."),
    ))]
async fn send_again(
    State(outbox): State<Outbox>,
    SuperAdmin(user): SuperAdmin,
    Id(id): Id<MessageId>,
) -> ApiResult<Answer<OutboxMessage>> {
    Ok(Answer(outbox.send_again(&user, id).await?))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list_outbox)).routes(routes!(send_again))
}
