//! The page that the `type` of every problem leads to.

use maud::{Markup, html};

use super::layout;
use crate::http::problem::types;

pub fn page() -> Markup {
    let contents = html! {
        ul {
            @for kind in types::ALL {
                li { a href={ "#" (kind.code) } { (kind.code) } }
            }
        }
    };
    let main = html! {
        p {
            "Every error is a problem as RFC 9457 describes it, " code { "application/problem+json" } ". Its "
            code { "code" } " never changes and is what programs match on; its " code { "type" }
            " leads to this page. The " code { "request_id" } " finds the request in the server's log."
        }
        @for kind in types::ALL {
            section id=(kind.code) aria-labelledby={ (kind.code) "-title" } {
                h2 id={ (kind.code) "-title" } { (kind.title) }
                p.route { code { (kind.code) } " " span.status { (kind.status.as_u16()) } }
                p { (kind.meaning) }
            }
        }
    };
    layout::page("Errors", &contents, &main)
}
