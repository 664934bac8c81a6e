//! What every page of the panel has around it.

use maud::{DOCTYPE, Markup, html};

use super::collections::COLLECTIONS;
use super::settings;

/// A whole page. `current` is the address of the menu's entry that it belongs to.
pub(super) fn page(title: &str, current: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (title) " · Stripe sandbox" }
                link rel="icon" href="/panel/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/panel/panel.css";
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                aside.banner aria-label="Notice" { b { "Stripe sandbox:" } " nothing here is real money" }
                div.frame {
                    header.side {
                        a.brand href="/" { span.mark aria-hidden="true" { "S" } "Stripe sandbox" }
                        (menu(current))
                    }
                    main #main { (body) }
                }
            }
        }
    }
}

fn menu(current: &str) -> Markup {
    html! {
        nav aria-label="Sandbox" {
            ul {
                (entry("/", "Overview", current))
                (entry(settings::ADDRESS, "Settings", current))
                @for group in ["Billing", "Catalogue", "Webhooks"] {
                    li.heading aria-hidden="true" { (group) }
                    @for collection in COLLECTIONS.iter().filter(|collection| collection.group == Some(group)) {
                        (entry(&collection.address(), collection.title, current))
                    }
                }
            }
        }
    }
}

fn entry(address: &str, title: &str, current: &str) -> Markup {
    html! { li { a href=(address) aria-current=[(address == current).then_some("page")] { (title) } } }
}

/// Shown instead of a page that isn't there, or of something that cannot be done.
pub(super) fn notice(title: &str, text: &str) -> Markup {
    let body = html! {
        div.notice {
            h1 { (title) }
            p { (text) }
            p { a href="/" { "Back to the overview" } }
        }
    };
    page(title, "", &body)
}
