//! All groups, for the SuperAdmin.

use leptos::prelude::*;

use crate::domain::GroupId;
use crate::web::AppError;

/// Keeps why a group is looked at, and goes on to its page.
#[server(prefix = "/fn", endpoint = "groups/visit")]
pub async fn visit_group(id: GroupId, reason: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let entered = context::services().groups.enter(&context::user()?, id, &reason).await;
    entered.map_err(|error| AppError::from(error).keeping([("reason", reason)]))?;
    forms::go_on(&format!("/groups/{id}"));
    Ok(())
}
