//! What every page has around it, and its headers.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use url::Url;

use super::super::headers::PageHeaders;

/// A page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// Whether it has a card form, and the scripts that this needs.
    pub(super) card: bool,
    /// The application's address that it may lead to by the answer to a form.
    pub(super) leads_to: Option<&'a str>,
    /// `narrow`, `wide` or `split`.
    pub(super) shape: &'static str,
}

impl Page<'_> {
    pub(super) fn around(&self, body: &Markup) -> Response {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Stripe sandbox" }
                    link rel="icon" href="/panel/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/hosted/hosted.css";
                    @if self.card {
                        script src="/v3/" {}
                        script type="module" src="/hosted/card_form.js" {}
                    }
                }
                body {
                    aside.banner aria-label="Notice" { b { "Stripe sandbox:" } " nothing here is real money" }
                    main class=(self.shape) { (body) }
                }
            }
        };
        (PageHeaders(self.policy()), markup).into_response()
    }

    /// Its own styles, and with a card form its own scripts, frames and requests.
    ///
    /// Browsers check the redirect that answers a form against `form-action` too.
    fn policy(&self) -> String {
        let scripts =
            if self.card { " script-src 'self'; connect-src 'self'; frame-src 'self';" } else { "" };
        let target = self.leads_to.and_then(|address| Url::parse(address).ok());
        let target = target.map(|url| format!(" {}", url.origin().ascii_serialization()));
        format!(
            "default-src 'none';{scripts} style-src 'self'; img-src 'self'; form-action 'self'{}; base-uri 'none'; \
             frame-ancestors 'none'",
            target.unwrap_or_default()
        )
    }
}

/// Instead of a page that isn't there, or of something that can't be done.
pub(super) fn notice(status: StatusCode, title: &str, text: &str) -> Response {
    let body = html! {
        section.card {
            h1 { (title) }
            p { (text) }
        }
    };
    let page = Page { title, card: false, leads_to: None, shape: "narrow" };
    (status, page.around(&body)).into_response()
}

/// The way back to the application.
pub(super) fn back(address: Option<&str>, label: &str) -> Markup {
    html! {
        @if let Some(address) = address {
            p.back { a href=(address) { span aria-hidden="true" { "← " } (label) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_do_what_it_needs_and_no_more() {
        let page = |card, leads_to| Page { title: "", card, leads_to, shape: "narrow" }.policy();
        assert!(!page(false, None).contains("script-src"));
        assert!(page(true, None).contains("script-src 'self'; connect-src 'self'; frame-src 'self';"));
        assert!(
            page(false, Some("http://app.test:3000/x?y"))
                .contains("form-action 'self' http://app.test:3000;")
        );
        let odd = page(false, Some("https://evil.test;script-src%20*/;%20script-src%20*"));
        assert!(!odd.contains("script-src *"), "{odd}");
    }
}
