//! The page's frame and the route table.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use super::banner::Banner;
use super::{
    account, analytics, billing, chat, forgot, groups, home, invite, keys, login, outbox, plans, reports,
    reset, signup, subscribe, team, unsubscribe, usage,
};
use crate::web::components::nav::Nav;
use crate::web::components::page::NotFound;
use crate::web::components::sandbox::SandboxStrip;
use crate::web::ssr::context::{actor, path, services};
use crate::web::ssr::shown_once;

/// Every page is rendered whole before its first byte leaves.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let sandbox = services().config.stripe.sandbox.map(|address| format!("http://{address}/"));
    let user = actor();
    // Without a menu there is nothing to stand beside the page.
    let frame = if user.is_some() { "frame" } else { "frame frame--bare" };
    let done = shown_once::take::<String>(shown_once::DONE);
    view! {
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <div class=frame>
                <Nav user=user.clone() enters=user.is_none() && path() == "/"/>
                <main id="main" tabindex="-1">
                    {user.filter(|user| user.group.is_some()).map(|user| view! { <Banner user/> })}
                    {done.map(|done| view! { <p class="done" role="status">{done}</p> })}
                    <FlatRoutes fallback=NotFound>
                        <Route path=path!("/") view=home::Home ssr=SsrMode::Async/>
                        <Route path=path!("/login") view=login::Login ssr=SsrMode::Async/>
                        <Route path=path!("/signup") view=signup::SignUp ssr=SsrMode::Async/>
                        <Route path=path!("/invite/:token") view=invite::Invite ssr=SsrMode::Async/>
                        <Route path=path!("/forgot") view=forgot::Forgot ssr=SsrMode::Async/>
                        <Route path=path!("/reset/:token") view=reset::Reset ssr=SsrMode::Async/>
                        <Route path=path!("/usage") view=usage::Usage ssr=SsrMode::Async/>
                        <Route path=path!("/usage/events") view=usage::events::Events ssr=SsrMode::Async/>
                        <Route path=path!("/chat") view=chat::New ssr=SsrMode::Async/>
                        <Route path=path!("/chat/:id") view=chat::Kept ssr=SsrMode::Async/>
                        <Route path=path!("/subscribe") view=subscribe::Subscribe ssr=SsrMode::Async/>
                        <Route path=path!("/billing") view=billing::Billing ssr=SsrMode::Async/>
                        <Route path=path!("/billing/overage") view=billing::overage::Overage ssr=SsrMode::Async/>
                        <Route path=path!("/billing/portal") view=billing::portal::Portal ssr=SsrMode::Async/>
                        <Route path=path!("/reports") view=reports::Reports ssr=SsrMode::Async/>
                        <Route path=path!("/analytics") view=analytics::Analytics ssr=SsrMode::Async/>
                        <Route path=path!("/analytics/rows") view=analytics::rows::Rows ssr=SsrMode::Async/>
                        <Route path=path!("/groups") view=groups::Groups ssr=SsrMode::Async/>
                        <Route path=path!("/groups/:id") view=groups::one::Group ssr=SsrMode::Async/>
                        <Route path=path!("/subscription-plans") view=plans::Plans ssr=SsrMode::Async/>
                        <Route path=path!("/team") view=team::Team ssr=SsrMode::Async/>
                        <Route path=path!("/settings/api-keys") view=keys::Keys ssr=SsrMode::Async/>
                        <Route path=path!("/settings/account") view=account::Account ssr=SsrMode::Async/>
                        <Route path=path!("/unsubscribe/:token") view=unsubscribe::Unsubscribe ssr=SsrMode::Async/>
                        <Route path=path!("/outbox") view=outbox::Outbox ssr=SsrMode::Async/>
                    </FlatRoutes>
                </main>
                {sandbox.map(|panel| view! { <SandboxStrip panel/> })}
            </div>
        </Router>
    }
}
