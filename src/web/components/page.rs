//! What every page has: its title, its heading, its data, and what stands there when it can't be shown.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::components::Redirect;
use leptos_router::hooks::use_location;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Refusal;
use crate::web::AppError;

/// Sets the HTTP status of the page being rendered. Provided on the server only.
#[derive(Clone)]
pub struct PageStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Sets the HTTP status, where there is one to set.
pub fn set_status(status: u16) {
    if let Some(set) = use_context::<PageStatus>() {
        (set.0)(status);
    }
}

/// The document's title and description.
#[component]
pub fn Head(#[prop(into)] title: String, description: &'static str) -> impl IntoView {
    view! {
        <Title text=format!("{title} · Tollgate")/>
        <Meta name="description" content=description/>
    }
}

/// The heading, with what can be done on the right.
#[component]
pub fn Heading(
    #[prop(into)] title: String,
    #[prop(optional, into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="heading">
            <div class="heading__text">
                <h1>{title}</h1>
                {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            </div>
            {children.map(|children| view! { <div class="heading__actions">{children()}</div> })}
        </header>
    }
}

/// Shows a page's data once it is there, and what stands in its place if it can't be had.
#[component]
pub fn Load<T, V>(data: Resource<Result<T, AppError>>, view: V) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    V: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    let waiting = || view! { <div class="waiting" role="status"><span class="unseen">"Loading"</span></div> };
    view! {
        <Transition fallback=waiting>
            {move || {
                let view = view.clone();
                Suspend::new(async move {
                    match data.await {
                        Ok(data) => view(data),
                        Err(error) => view! { <CannotShow error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

/// In place of a page that can't be shown.
#[component]
pub fn CannotShow(error: AppError) -> impl IntoView {
    match error.refusal() {
        Some(Refusal::NotSignedIn) => view! { <ToLogin/> }.into_any(),
        Some(Refusal::Forbidden(reason)) => {
            set_status(403);
            let text = format!("{reason} Sign in with another account, or ask somebody who can.");
            view! { <Stopped code="403" title="This page isn't for you" text/> }.into_any()
        }
        Some(Refusal::NotFound(_)) => view! { <NotFound/> }.into_any(),
        _ => {
            set_status(503);
            view! { <Stopped code="503" title="This page can't be shown now" text=error.to_string()/> }.into_any()
        }
    }
}

#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    view! {
        <Stopped
            code="404"
            title="There is nothing here"
            text="The address may be mistyped, or what was here is gone."
        />
    }
}

#[component]
pub fn Stopped(code: &'static str, title: &'static str, #[prop(into)] text: String) -> impl IntoView {
    view! {
        <Head title description="This page can't be shown."/>
        <section class="stopped">
            <p class="stopped__code">{code}</p>
            <h1>{title}</h1>
            <p>{text}</p>
            <p>
                <a class="button" data-tone="plain" href="/" rel="external">"Go to the front page"</a>
            </p>
        </section>
    }
}

/// Sends whoever isn't signed in to the log-in page, and back here afterwards.
#[component]
fn ToLogin() -> impl IntoView {
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let here = if query.is_empty() { path } else { format!("{path}?{query}") };
    let next = leptos_router::location::Url::escape(&here);
    view! { <Redirect path=format!("/login?next={next}")/> }
}
