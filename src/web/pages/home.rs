//! `/`: sends each visitor to where their work is.

use leptos::prelude::*;
use leptos_router::components::Redirect;

use crate::domain::Role;
use crate::web::ssr::context;

#[component]
pub fn Home() -> impl IntoView {
    let path = match context::actor().map(|user| user.role) {
        None => "/login",
        Some(Role::SuperAdmin) => "/subscription-plans",
        Some(Role::Admin | Role::Member) => "/usage",
    };
    view! { <Redirect path/> }
}
