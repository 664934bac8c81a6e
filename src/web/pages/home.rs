//! `/`: sends everybody to where their work is.

use leptos::prelude::*;
use leptos_router::components::Redirect;

use crate::domain::Role;
use crate::web::components::page::{Head, Load};
use crate::web::server_fns::account;

#[component]
pub fn Home() -> impl IntoView {
    let data = Resource::new(|| (), |()| account::get_viewer());
    view! {
        <Head title="Welcome" description="Plans, payments and token limits for products that sell AI by subscription."/>
        <Load data view=|viewer| {
            let path = match viewer.role() {
                None => "/login",
                Some(Role::SuperAdmin) => "/subscription-plans",
                Some(Role::Admin | Role::Member) => "/usage",
            };
            view! { <Redirect path/> }.into_any()
        }/>
    }
}
