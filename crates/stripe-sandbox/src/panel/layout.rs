//! What every page of the panel has around it.

use super::html::{Html, html};
use super::kinds::KINDS;

/// A whole page. `current` is the address of the menu's entry that it belongs to.
pub(super) fn page(title: &str, current: &str, body: Html) -> Html {
    html! {
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<meta name=\"robots\" content=\"noindex\">",
        "<meta name=\"color-scheme\" content=\"light dark\">",
        "<title>", title, " · Stripe sandbox</title>",
        "<link rel=\"icon\" href=\"/panel/icon.svg\" type=\"image/svg+xml\">",
        "<link rel=\"stylesheet\" href=\"/panel/panel.css\"></head><body>",
        "<a class=\"skip\" href=\"#main\">Skip to the content</a>",
        "<aside class=\"banner\" aria-label=\"Notice\"><b>Stripe sandbox:</b> nothing here is real money</aside>",
        "<div class=\"frame\"><header class=\"side\">",
        "<a class=\"brand\" href=\"/\"><span class=\"mark\" aria-hidden=\"true\">S</span>Stripe sandbox</a>",
        menu(current),
        "</header><main id=\"main\">", body, "</main></div></body></html>"
    }
}

fn menu(current: &str) -> Html {
    let mut groups = Vec::new();
    for name in ["Billing", "Catalogue", "Webhooks"] {
        let entries: Vec<Html> = KINDS
            .iter()
            .filter(|kind| kind.group == Some(name))
            .map(|kind| entry(&format!("/panel/{}", kind.slug), kind.title, current))
            .collect();
        groups.push(html! { "<li class=\"heading\" aria-hidden=\"true\">", name, "</li>", entries });
    }
    html! { "<nav aria-label=\"Sandbox\"><ul>", entry("/", "Overview", current), groups, "</ul></nav>" }
}

fn entry(address: &str, title: &str, current: &str) -> Html {
    let mark = (address == current).then(|| html! { " aria-current=\"page\"" });
    html! { "<li><a href=\"", address, "\"", mark, ">", title, "</a></li>" }
}

/// Shown instead of a page that isn't there, or of something that cannot be done.
pub(super) fn notice(title: &str, text: &str) -> Html {
    let body = html! {
        "<div class=\"notice\"><h1>", title, "</h1><p>", text, "</p><p><a href=\"/\">Back to the overview</a></p></div>"
    };
    page(title, "", body)
}
