//! The browser's half of the islands: what they ask of the window, the usage stream, and Stripe.js.
//!
//! Everything here is compiled for the browser only.

mod gateway;
mod parts;
mod stream;
mod stripe;
mod voice;

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

pub use gateway::{models, stop_answer, stream_answer};
pub use parts::renew;
pub use stream::UsageStream;
pub use stripe::{ask_bank, confirm_card, drop_card, mount_card};
pub use voice::{discard_recording, finish_recording, read_aloud, start_recording};

/// Prepares the page for its islands. Called by the script in the page's head, which then wakes each island.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    hide_form_error();
    send_forms_once();
    carry_out_commands();
    voice::copy_by_buttons();
}

/// Loads the page anew, unless one of its forms is being sent: its answer brings the next page, and what that page
/// says of it would be lost.
pub fn reload() {
    if let Ok(None) = document().query_selector("form[aria-busy]") {
        // Refused only while the page is being left.
        _ = window().location().reload();
    }
}

/// Marks a form as busy once it is sent, and doesn't send it again: a second click on a slow line would be a
/// second request.
fn send_forms_once() {
    let on_submit = Closure::<dyn Fn(web_sys::Event)>::new(|event: web_sys::Event| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else {
            return;
        };
        if event.default_prevented() || form.has_attribute("data-download") {
            // An island does it; or a file comes, and the page stays with its form.
        } else if form.has_attribute("aria-busy") {
            event.prevent_default();
        } else {
            _ = form.set_attribute("aria-busy", "true");
        }
    });
    _ = document().add_event_listener_with_callback("submit", on_submit.as_ref().unchecked_ref());
    on_submit.forget();
}

/// Opens and closes dialogs in browsers whose buttons have no `command` of their own.
fn carry_out_commands() {
    let Ok(button) = document().create_element("button") else { return };
    if let Ok(true) = js_sys::Reflect::has(&button, &"command".into()) {
        return;
    }
    let on_click = Closure::<dyn Fn(web_sys::Event)>::new(|event: web_sys::Event| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let button = target.and_then(|target| target.closest("button[commandfor]").ok().flatten());
        let Some(button) = button else { return };
        let dialog = button.get_attribute("commandfor").and_then(|id| document().get_element_by_id(&id));
        let method = match button.get_attribute("command").as_deref() {
            Some("show-modal") => "showModal",
            _ => "close",
        };
        if let Some(dialog) = dialog {
            _ = call(&dialog, method, &[]);
        }
    });
    _ = document().add_event_listener_with_callback("click", on_click.as_ref().unchecked_ref());
    on_click.forget();
}

/// Takes a refused form's error out of the address once it is shown, so that reloading starts clean.
fn hide_form_error() {
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

/// How many pixels from its end a page counts as read to the end.
const NEAR_END: f64 = 200.0;

/// Whether the page is read to its end.
pub fn is_at_end() -> bool {
    let height = document().document_element().map_or(0, |root| root.scroll_height());
    let shown = window().scroll_y().unwrap_or_default()
        + window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    f64::from(height) - shown <= NEAR_END
}

/// Shows the page's end, once what was changed is drawn.
pub fn scroll_to_end() {
    request_animation_frame(|| {
        let height = document().document_element().map_or(0, |root| root.scroll_height());
        window().scroll_to_with_x_and_y(0.0, f64::from(height));
    });
}

/// Whether the browser takes itself to be connected to anything.
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// What stands in a field: typed before the page's code came, or brought back by the browser.
pub fn text_in(id: &str) -> Option<String> {
    let field = document().get_element_by_id(id)?;
    js_sys::Reflect::get(&field, &"value".into()).ok()?.as_string()
}

/// Sends the form of the field that a key was pressed in.
pub fn send_form(event: &leptos::ev::KeyboardEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if let Some(form) = target.and_then(|target| target.closest("form").ok().flatten()) {
        // Not `submit`, which asks neither the browser's checks nor the page's code.
        _ = call(&form, "requestSubmit", &[]);
    }
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
