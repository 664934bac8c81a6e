//! The document around every page.

use leptos::hydration::AutoReload;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use super::app::App;
use crate::web::ssr::assets;
use crate::web::ssr::context::path;
use crate::web::ssr::hot_reload::WATCH;

pub fn shell() -> impl IntoView {
    // Nothing is made live but the islands: their markers aren't needed elsewhere.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    // The front page is for who comes for the first time: it has no island, and doesn't wait for what wakes them.
    let has_islands = path() != "/";
    let (script, wasm) = (assets::url("/pkg/tollgate.js"), assets::url("/pkg/tollgate.wasm"));
    let start = format!(
        "import({script:?}).then(m => m.default({{module_or_path: {wasm:?}}}).then(() => {{ m.hydrate(); \
         for (const e of document.querySelectorAll('leptos-island')) m[e.dataset.component](e) }}))"
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f7f7f8"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0e0f13"/>
                <link rel="icon" href=assets::url("/favicon.svg") type="image/svg+xml"/>
                <link rel="stylesheet" href=assets::url("/pkg/tollgate.css")/>
                {has_islands.then(|| view! {
                    <link rel="modulepreload" href=script/>
                    <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                    <script type="module" nonce=use_nonce()>{start}</script>
                })}
                {WATCH.clone().map(|options| view! { <AutoReload options/> })}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
