//! What the pages have in common.

use maud::{DOCTYPE, Markup, html};

use super::{DOCUMENT, PAGE, STYLE};
use crate::http::problem::types;

/// A page with the links that lead to the others.
pub fn page(title: &str, contents: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Tollgate" }
                link rel="stylesheet" href=(STYLE);
            }
            body {
                header {
                    a href="/" { "Tollgate" }
                    nav aria-label="Documentation" {
                        a href=(PAGE) { "API reference" }
                        a href=(types::PAGE) { "Errors" }
                        a href=(DOCUMENT) { "OpenAPI document" }
                    }
                }
                div.columns {
                    nav.contents aria-label="On this page" { (contents) }
                    main { h1 { (title) } (main) }
                }
            }
        }
    }
}

/// Paragraphs, with what stands between backticks as code.
pub fn prose(text: &str) -> Markup {
    html! {
        @for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            p { (inline(paragraph)) }
        }
    }
}

/// A line of text, with what stands between backticks as code.
pub fn inline(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
