//! `/billing/portal`: the way to the group's pages at Stripe, whose address holds for a few minutes.

use crate::web::AppError;
use crate::web::components::page::load;
use crate::web::ssr::context::{services, user};
use crate::web::ssr::forms;
use leptos::prelude::*;

#[component]
pub fn Portal() -> impl IntoView {
    load(address(), |address| {
        forms::leave(&address);
        ().into_any()
    })
}

async fn address() -> Result<String, AppError> {
    Ok(services().billing.group_portal(&user()?).await?)
}
