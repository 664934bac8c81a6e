//! What a group has used, for all its members.

use leptos::prelude::*;

use crate::domain::Plan;
use crate::web::AppError;

/// The next plan up, where a limit is near.
#[server(prefix = "/fn", endpoint = "usage/suggestion")]
pub async fn suggestion() -> Result<Option<Plan>, AppError> {
    use crate::web::ssr::context::{services, user};
    Ok(services().metering.check(&user()?).await?.suggested_plan)
}
