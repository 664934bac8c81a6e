//! The browser's half of the pages: what they ask of the window, the usage stream, and Stripe.js.
//!
//! Everything here is compiled for the browser only.

mod stream;
mod stripe;

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

pub use stream::UsageStream;
pub use stripe::Card;

/// Makes the server's page live. Called by the script in the page's head.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(crate::web::App);
}

/// Leaves for another page by loading it anew: after signing in or out nothing of the old page may stay.
pub fn load(path: &str) {
    // A location that can't be set is a page being unloaded already.
    _ = window().location().assign(path);
}

/// Takes a refused form's error out of the address once it is shown, so that reloading starts clean.
pub fn hide_form_error() {
    let location = window().location();
    let (Ok(path), Ok(search)) = (location.pathname(), location.search()) else { return };
    if !search.contains("__err=") {
        return;
    }
    let kept: Vec<_> = search
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("__err=") && !pair.starts_with("__path="))
        .collect();
    let address = if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) };
    if let Ok(history) = js_sys::Reflect::get(&window(), &"history".into()) {
        _ = call(&history, "replaceState", &[JsValue::NULL, "".into(), address.into()]);
    }
}

/// Puts `text` on the clipboard; whether it worked.
pub async fn copy(text: &str) -> bool {
    JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok()
}

/// Waits.
pub async fn pause(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    _ = JsFuture::from(promise).await;
}

/// Calls a method by its name.
fn call(target: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let function: js_sys::Function = js_sys::Reflect::get(target, &method.into())?.dyn_into()?;
    let list = js_sys::Array::new();
    for argument in arguments {
        list.push(argument);
    }
    function.apply(target, &list)
}
