//! Parts of a page taken from the server anew, without loading the rest: what is being typed there stays.

use std::cell::Cell;

use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Response, SupportedType};

use super::reload;

thread_local! {
    /// The latest attempt: the answer to an earlier one is out of date.
    static LATEST: Cell<u32> = const { Cell::new(0) };
}

/// Takes the parts of this page with these ids from the server. Where that isn't possible, loads the page anew; where one
/// of its forms is being sent, leaves it: the answer brings the next page.
pub async fn renew(ids: &[&str]) {
    let attempt = LATEST.get() + 1;
    LATEST.set(attempt);
    let fresh = fetch().await;
    if LATEST.get() != attempt || !matches!(document().query_selector("form[aria-busy]"), Ok(None)) {
        return;
    }
    if !fresh.is_ok_and(|fresh| ids.iter().all(|id| replace(id, &fresh).is_some())) {
        reload();
    }
}

async fn fetch() -> Result<Document, JsValue> {
    let response: Response =
        JsFuture::from(window().fetch_with_str(&window().location().href()?)).await?.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)
}

fn replace(id: &str, fresh: &Document) -> Option<()> {
    let (old, new) = (document().get_element_by_id(id)?, fresh.get_element_by_id(id)?);
    old.replace_with_with_node_1(&new).ok()
}
