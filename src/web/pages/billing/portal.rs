//! `/billing/portal`: the way to the group's pages at Stripe, whose address holds for a few minutes.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::web::AppError;
use crate::web::components::page::load;
use crate::web::ssr::context::{services, user};
use crate::web::ssr::forms;

#[component]
pub fn Portal() -> impl IntoView {
    load(leave(use_context()), |()| ().into_any())
}

async fn leave(response: Option<ResponseOptions>) -> Result<(), AppError> {
    let address = services().billing.group_portal(&user()?).await?;
    if let Some(response) = response {
        forms::leave(&response, &address);
    }
    Ok(())
}
