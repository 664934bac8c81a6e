//! Parts of a page taken from the server anew, without loading the rest: what is being typed there stays.

use std::cell::{Cell, RefCell};

use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Response, SupportedType};

use super::reload;

thread_local! {
    /// The latest attempt: the answer to an earlier one is out of date.
    static LATEST: Cell<u32> = const { Cell::new(0) };
    /// What is to be taken, by the attempts that weren't the latest too.
    static WANTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Takes the parts of this page with these ids, set apart by spaces, from the server. Where one of them isn't there any
/// more, loads the page anew; where one of the page's forms is being sent, leaves it: the answer brings the next page.
pub async fn renew(ids: &str) {
    WANTED.with_borrow_mut(|wanted| {
        for id in ids.split_whitespace() {
            // Each once: what was taken isn't there to be taken again.
            if !wanted.iter().any(|known| known == id) {
                wanted.push(id.to_owned());
            }
        }
    });
    let attempt = LATEST.get() + 1;
    LATEST.set(attempt);
    let fresh = fetch().await;
    if LATEST.get() != attempt || !matches!(document().query_selector("form[aria-busy]"), Ok(None)) {
        return;
    }
    let wanted = WANTED.take();
    let replaced = fresh.is_ok_and(|fresh| wanted.iter().all(|id| replace(id, &fresh).is_some()));
    if !replaced {
        reload();
    }
}

async fn fetch() -> Result<Document, JsValue> {
    let response = JsFuture::from(window().fetch_with_str(&window().location().href()?)).await?;
    let text = JsFuture::from(response.unchecked_into::<Response>().text()?).await?;
    DomParser::new()?.parse_from_string(&text.as_string().unwrap_or_default(), SupportedType::TextHtml)
}

fn replace(id: &str, fresh: &Document) -> Option<()> {
    let (old, new) = (document().get_element_by_id(id)?, fresh.get_element_by_id(id)?);
    old.replace_with_with_node_1(&new).ok()
}
