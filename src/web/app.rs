//! The page's frame and the route table.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use super::components::nav::Nav;
use super::components::page::NotFound;
use super::data::Viewer;
use super::pages::{home, invite, keys, login, outbox, plans, signup, subscribe, team, usage};
use super::server_fns::account;
use crate::web_browser;

/// Every route is rendered whole before its first byte leaves: a page is complete without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let viewer = Resource::new(|| (), |()| account::get_viewer());
    Effect::new(|_| web_browser::hide_form_error());
    view! {
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <div class="frame">
                <Suspense fallback=|| view! { <header class="nav"></header> }>
                    {move || Suspend::new(async move {
                        let nobody = Viewer { user: None, sandbox: None };
                        let viewer = viewer.await.unwrap_or(nobody);
                        view! { <Nav viewer/> }
                    })}
                </Suspense>
                <main id="main" tabindex="-1">
                    <FlatRoutes fallback=NotFound>
                        <Route path=path!("/") view=home::Home ssr=SsrMode::Async/>
                        <Route path=path!("/login") view=login::Login ssr=SsrMode::Async/>
                        <Route path=path!("/signup") view=signup::SignUp ssr=SsrMode::Async/>
                        <Route path=path!("/invite/:token") view=invite::Invite ssr=SsrMode::Async/>
                        <Route path=path!("/usage") view=usage::UsagePage ssr=SsrMode::Async/>
                        <Route path=path!("/subscribe") view=subscribe::Subscribe ssr=SsrMode::Async/>
                        <Route path=path!("/subscription-plans") view=plans::Plans ssr=SsrMode::Async/>
                        <Route path=path!("/team") view=team::Team ssr=SsrMode::Async/>
                        <Route path=path!("/settings/api-keys") view=keys::Keys ssr=SsrMode::Async/>
                        <Route path=path!("/outbox") view=outbox::Outbox ssr=SsrMode::Async/>
                    </FlatRoutes>
                </main>
            </div>
        </Router>
    }
}
