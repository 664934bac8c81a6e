//! The scripts, styles and pages that are the same for everyone, carried inside the binary.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::headers::{FRAME_POLICY, PageHeaders, asset as asset_response};

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The script applications load. Its parts share one scope and leave a single global, `Stripe`.
const STRIPE_JS: &str = concat!(
    "(() => {\n'use strict';\n\n",
    include_str!("parent/prelude.js"),
    "\n",
    include_str!("parent/errors.js"),
    "\n",
    include_str!("parent/checks.js"),
    "\n",
    include_str!("parent/options.js"),
    "\n",
    include_str!("parent/unsupported.js"),
    "\n",
    include_str!("parent/frame.js"),
    "\n",
    include_str!("parent/element.js"),
    "\n",
    include_str!("parent/elements.js"),
    "\n",
    include_str!("parent/challenge.js"),
    "\n",
    include_str!("parent/intents.js"),
    "\n",
    include_str!("parent/confirm.js"),
    "\n",
    include_str!("parent/cards.js"),
    "\n",
    include_str!("parent/stripe.js"),
    "})();\n"
);

const ASSETS: [(&str, &str, &str); 19] = [
    ("api.js", JAVASCRIPT, include_str!("frame/api.js")),
    ("appearance.js", JAVASCRIPT, include_str!("frame/appearance.js")),
    ("card.css", CSS, include_str!("frame/card.css")),
    ("card.js", JAVASCRIPT, include_str!("frame/card.js")),
    ("challenge.css", CSS, include_str!("challenge/challenge.css")),
    ("challenge.js", JAVASCRIPT, include_str!("challenge/challenge.js")),
    ("channel.js", JAVASCRIPT, include_str!("frame/channel.js")),
    ("controller.js", JAVASCRIPT, include_str!("frame/controller.js")),
    ("dom.js", JAVASCRIPT, include_str!("frame/dom.js")),
    ("element.css", CSS, include_str!("frame/element.css")),
    ("element.js", JAVASCRIPT, include_str!("frame/element.js")),
    ("fonts.js", JAVASCRIPT, include_str!("frame/fonts.js")),
    ("input.js", JAVASCRIPT, include_str!("frame/input.js")),
    ("intent.js", JAVASCRIPT, include_str!("frame/intent.js")),
    ("method.css", CSS, include_str!("frame/method.css")),
    ("method.js", JAVASCRIPT, include_str!("frame/method.js")),
    ("test_cards.css", CSS, include_str!("frame/test_cards.css")),
    ("test_cards.js", JAVASCRIPT, include_str!("frame/test_cards.js")),
    ("variables.js", JAVASCRIPT, include_str!("frame/variables.js")),
];

pub(super) async fn stripe_js() -> Response {
    asset_response(JAVASCRIPT, STRIPE_JS)
}

pub(super) async fn element_page() -> Response {
    page(include_str!("frame/element.html"))
}

pub(super) async fn controller_page() -> Response {
    page(include_str!("frame/controller.html"))
}

fn page(html: &'static str) -> Response {
    (PageHeaders(FRAME_POLICY.to_owned()), Html(html)).into_response()
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, content_type, body)) => asset_response(content_type, body),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
