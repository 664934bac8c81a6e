//! The column beside every page: where one can go, and who is signed in.

use leptos::prelude::*;
use leptos_router::components::A;

use super::icon::{Icon, Shape};
use crate::domain::{Role, User};
use crate::web::data::Viewer;
use crate::web::format;
use crate::web::server_fns::account::SignOut;
use crate::web_browser;

#[component]
pub fn Nav(viewer: Viewer) -> impl IntoView {
    let places: &[(&str, &str, Shape)] = match viewer.role() {
        None => &[],
        Some(Role::SuperAdmin) => &[
            ("/subscription-plans", "Plans", Shape::Layers),
            ("/outbox", "Outbox", Shape::Mail),
            ("/settings/api-keys", "API keys", Shape::Key),
        ],
        Some(Role::Admin) => &[
            ("/usage", "Usage", Shape::Gauge),
            ("/subscribe", "Subscription", Shape::Card),
            ("/team", "Team", Shape::People),
            ("/settings/api-keys", "API keys", Shape::Key),
        ],
        Some(Role::Member) => {
            &[("/usage", "Usage", Shape::Gauge), ("/settings/api-keys", "API keys", Shape::Key)]
        }
    };
    let links = places.iter().map(|&(href, label, shape)| {
        view! {
            <li>
                <A href=href>
                    <Icon shape/>
                    {label}
                </A>
            </li>
        }
    });
    let sandbox = viewer.sandbox.map(|panel| {
        view! {
            <a class="nav__sandbox" href=panel rel="external" title="Payments go to the built-in Stripe sandbox: no money moves">
                "Sandbox"
            </a>
        }
    });
    view! {
        <header class="nav">
            <div class="nav__brand">
                <a href="/" class="nav__name">
                    <Icon shape=Shape::Gate/>
                    "Tollgate"
                </a>
                {sandbox}
            </div>
            {(!places.is_empty())
                .then(|| view! { <nav aria-label="Pages"><ul>{links.collect_view()}</ul></nav> })}
            {viewer.user.map(|user| view! { <Who user/> })}
        </header>
    }
}

#[component]
fn Who(user: User) -> impl IntoView {
    let sign_out = ServerAction::<SignOut>::new();
    Effect::new(move |_| {
        if let Some(Ok(to)) = sign_out.value().get() {
            web_browser::load(&to);
        }
    });
    let group = user.group.as_ref().map(|group| group.name.clone());
    let place = group.unwrap_or_else(|| "Platform".into());
    view! {
        <div class="who">
            <p class="who__name" title=user.email>{user.name}</p>
            <p class="who__role">{place} " · " {format::role(user.role)}</p>
            <ActionForm action=sign_out>
                <button class="who__leave" type="submit" title="Sign out">
                    <Icon shape=Shape::Leave/>
                    <span>"Sign out"</span>
                </button>
            </ActionForm>
        </div>
    }
}
