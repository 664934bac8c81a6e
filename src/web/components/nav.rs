//! The column beside every page: where one can go, and who is signed in.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::components::A;

use super::form::Form;
use super::icon::{Icon, Shape};
use crate::domain::{Role, User};
use crate::web::format;
use crate::web::server_fns::account::SignOut;

/// A link of the menu: its path, its label and its icon.
type Link = (&'static str, &'static str, Shape);

fn links(role: Role) -> &'static [Link] {
    match role {
        Role::SuperAdmin => &[
            ("/analytics", "Analytics", Shape::Bars),
            ("/subscription-plans", "Plans", Shape::Layers),
            ("/groups", "Groups", Shape::People),
            ("/reports", "Reports", Shape::Sheet),
            ("/outbox", "Outbox", Shape::Mail),
            ("/settings/api-keys", "API keys", Shape::Key),
            ("/settings/account", "Account", Shape::Person),
        ],
        Role::Admin => &[
            ("/usage", "Usage", Shape::Gauge),
            ("/chat", "Chat", Shape::Speech),
            ("/subscribe", "Subscription", Shape::Card),
            ("/billing", "Billing", Shape::Receipt),
            ("/reports", "Reports", Shape::Sheet),
            ("/team", "Team", Shape::People),
            ("/settings/api-keys", "API keys", Shape::Key),
            ("/settings/account", "Account", Shape::Person),
        ],
        Role::Member => &[
            ("/usage", "Usage", Shape::Gauge),
            ("/chat", "Chat", Shape::Speech),
            ("/settings/api-keys", "API keys", Shape::Key),
            ("/settings/account", "Account", Shape::Person),
        ],
    }
}

#[component]
pub fn Nav(
    user: Option<User>,
    /// Whether the way in stands beside the name.
    enters: bool,
) -> impl IntoView {
    let links = user.as_ref().map(|user| {
        let links = links(user.role).iter().map(|&(href, label, shape)| {
            view! { <li><A href=href><Icon shape/>{label}</A></li> }
        });
        view! { <nav aria-label="Pages"><ul>{links.collect_view()}</ul></nav> }
    });
    view! {
        <header class="nav">
            <a href="/" class="nav__name">
                <Icon shape=Shape::Gate/>
                "Tollgate"
            </a>
            {links}
            {enters.then(|| view! {
                <p class="nav__enter">
                    <a class="button" data-tone="plain" href="/login">"Sign in"</a>
                </p>
            })}
            {user.map(|user| view! { <Who user/> })}
        </header>
    }
}

#[component]
fn Who(user: User) -> impl IntoView {
    let role = format::role(user.role);
    let position = user.group.map_or_else(|| role.to_owned(), |group| format!("{} · {role}", group.name));
    view! {
        <div class="who">
            <p class="who__name" title=user.email>{user.name}</p>
            <p class="who__role" title=position.clone()>{position.clone()}</p>
            <Form to=SignOut::PATH>
                <button class="who__leave" type="submit" title="Sign out">
                    <Icon shape=Shape::Leave/>
                    <span>"Sign out"</span>
                </button>
            </Form>
        </div>
    }
}
