//! What every page has: its title, its heading, its data, and what stands there when it can't be shown.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;
use leptos_meta::{Link, Meta, Title};
use leptos_router::components::Redirect;
use leptos_router::hooks::use_location;
use leptos_router::location::Url;

use crate::web::AppError;

/// Sets the HTTP status of the page being rendered.
#[derive(Clone)]
pub struct PageStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Sets the HTTP status, where there is one to set.
pub fn set_status(status: u16) {
    if let Some(set) = use_context::<PageStatus>() {
        (set.0)(status);
    }
}

/// The document's title and description: the only place that writes to the document's head. The title may hold a
/// name that was typed by anyone, and leptos_meta writes it as it is given, so it is escaped here; a description,
/// being an attribute, is escaped by leptos.
#[component]
pub fn Head(
    #[prop(into)] title: String,
    #[prop(into)] description: String,
    /// What search engines may do with the page, where that isn't said by robots.txt.
    #[prop(optional)]
    robots: Option<&'static str>,
    /// The page's one address, where it may be asked for under several.
    #[prop(optional)]
    canonical: Option<String>,
) -> impl IntoView {
    view! {
        <Title text=format!("{title} · Tollgate").to_html()/>
        <Meta name="description" content=description/>
        {robots.map(|robots| view! { <Meta name="robots" content=robots/> })}
        {canonical.map(|canonical| view! { <Link rel="canonical" href=canonical/> })}
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

/// A page made of `data`, or what stands in its place if the data can't be had.
pub fn load<T: Send + 'static>(
    data: impl Future<Output = Result<T, AppError>> + Send + 'static,
    page: impl FnOnce(T) -> AnyView + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        let shown = match data.await {
            Ok(data) => page(data),
            Err(error) => view! { <CannotShow error/> }.into_any(),
        };
        // What is written after an await has no owner of its own, and `<Meta>` finds its context by the owner.
        OwnedView::new(shown)
    })
}

/// In place of a page that can't be shown.
#[component]
pub fn CannotShow(error: AppError) -> impl IntoView {
    match error.code() {
        Some("not_signed_in") => view! { <ToLogin/> }.into_any(),
        Some("forbidden") => {
            let text = format!("{error} Sign in with an account that may see it.");
            view! { <Stopped status=403 title="This page isn't for you" text/> }.into_any()
        }
        Some("not_found") => view! { <NotFound/> }.into_any(),
        Some("invitation_gone") => {
            let text =
                "It has expired, was used, or was withdrawn. Ask the person who sent it for a new one.";
            view! { <Stopped status=410 title="This invitation is gone" text/> }.into_any()
        }
        Some("reset_gone") => view! {
            <Stopped
                status=410
                title="This link is gone"
                text="It has expired, was used, or a newer one was asked for."
                to="/forgot"
                label="Get another link"
            />
        }
        .into_any(),
        _ => view! { <Stopped status=503 title="This page can't be shown now" text=error.to_string()/> }
            .into_any(),
    }
}

#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Stopped
            status=404
            title="There is nothing here"
            text="The address may be mistyped, or what was here is gone."
        />
    }
}

#[component]
fn Stopped(
    status: u16,
    title: &'static str,
    #[prop(into)] text: String,
    /// Where one can go from here.
    #[prop(default = "/")]
    to: &'static str,
    #[prop(default = "Go to the front page")] label: &'static str,
) -> impl IntoView {
    set_status(status);
    view! {
        <Head title description="This page can't be shown."/>
        <section class="stopped">
            <p class="stopped__code">{status}</p>
            <h1>{title}</h1>
            <p>{text}</p>
            <p>
                <a class="button" data-tone="plain" href=to>{label}</a>
            </p>
        </section>
    }
}

/// Sends a visitor who isn't signed in to the log-in page, and back here afterwards.
#[component]
fn ToLogin() -> impl IntoView {
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let here = if query.is_empty() { path } else { format!("{path}?{query}") };
    view! { <Redirect path=format!("/login?next={}", Url::escape(&here))/> }
}
