//! Stripe.js, as far as a card form needs it.
//!
//! Source: <https://docs.stripe.com/js/initializing>, <https://docs.stripe.com/js/payment_intents/confirm_payment>.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::call;
use crate::domain::Intent;

const FAILED: &str = "The payment could not be made. Try again or use another card.";

thread_local! {
    /// The page has one card form at most; its handles can't leave the browser's thread, which signals could.
    static CARD: RefCell<Option<Rc<Card>>> = const { RefCell::new(None) };
}

/// Stripe's card element, mounted in the page.
struct Card {
    stripe: JsValue,
    elements: JsValue,
    _scheme: SchemeListener,
}

/// Loads Stripe.js from `js` and mounts the card element for `client_secret` in the element with this id.
/// Returns when the card can be typed, or with `false` when Stripe.js or its frame doesn't come.
pub async fn mount_card(js: &str, publishable_key: &str, client_secret: &str, id: &'static str) -> bool {
    let Ok(card) = Card::mount(js, publishable_key, client_secret, id).await else { return false };
    CARD.set(Some(Rc::new(card)));
    true
}

/// Confirms the payment (or keeps the card), with 3D Secure where the bank asks for it.
///
/// # Errors
/// Why it was refused, as Stripe says it to the buyer.
pub async fn confirm_card(intent: Intent) -> Result<(), String> {
    let card = CARD.with_borrow(Clone::clone).ok_or(FAILED)?;
    outcome(card.confirm(intent).await)
}

/// Has the bank ask its cardholder about a payment that waits for that, with Stripe.js from `js`.
///
/// # Errors
/// As [`confirm_card`].
pub async fn ask_bank(js: &str, publishable_key: &str, client_secret: &str) -> Result<(), String> {
    outcome(handle_next_action(js, publishable_key, client_secret).await)
}

async fn handle_next_action(js: &str, key: &str, secret: &str) -> Result<JsValue, JsValue> {
    let stripe = stripe(js, key).await?;
    let options = object(&[("clientSecret", secret.into())])?;
    JsFuture::from(Promise::resolve(&call(&stripe, "handleNextAction", &[options])?)).await
}

/// Stripe.js from `js`, for this key.
async fn stripe(js: &str, key: &str) -> Result<JsValue, JsValue> {
    let make: Function = load(js).await?.dyn_into()?;
    make.call1(&JsValue::UNDEFINED, &key.into())
}

/// What Stripe.js answers: nothing to complain of, or its error.
fn outcome(answer: Result<JsValue, JsValue>) -> Result<(), String> {
    let answer = answer.map_err(|error| message(&error))?;
    match Reflect::get(&answer, &"error".into()) {
        Ok(error) if !error.is_undefined() && !error.is_null() => Err(message(&error)),
        _ => Ok(()),
    }
}

/// Lets go of the card form, which has left the page.
pub fn drop_card() {
    CARD.set(None);
}

impl Card {
    async fn mount(js: &str, key: &str, secret: &str, id: &'static str) -> Result<Self, JsValue> {
        let stripe = stripe(js, key).await?;
        let target = document().get_element_by_id(id).ok_or("the page was left")?;
        let options = object(&[("clientSecret", secret.into()), ("appearance", appearance(&target)?)])?;
        let elements = call(&stripe, "elements", &[options])?;
        let element = call(&elements, "create", &["payment".into(), object(&[("layout", "tabs".into())])?])?;
        let ready = Promise::new(&mut |resolve, reject| {
            // Both are functions and the element has `on`: neither call can fail.
            _ = call(&element, "on", &["ready".into(), resolve.into()]);
            _ = call(&element, "on", &["loaderror".into(), reject.into()]);
        });
        call(&element, "mount", &[format!("#{id}").into()])?;
        JsFuture::from(ready).await?;
        let scheme = SchemeListener::new(elements.clone(), id)?;
        Ok(Self { stripe, elements, _scheme: scheme })
    }

    async fn confirm(&self, intent: Intent) -> Result<JsValue, JsValue> {
        let location = window().location();
        let back = format!("{}{}", location.origin()?, location.pathname()?);
        let options = object(&[
            ("elements", self.elements.clone()),
            ("confirmParams", object(&[("return_url", back.into())])?),
            ("redirect", "if_required".into()),
        ])?;
        let method = match intent {
            Intent::Payment => "confirmPayment",
            Intent::Setup => "confirmSetup",
        };
        JsFuture::from(Promise::resolve(&call(&self.stripe, method, &[options])?)).await
    }
}

/// Gives Stripe's form the page's colours anew when the colour scheme changes. Listens until dropped.
struct SchemeListener {
    query: JsValue,
    on_change: Closure<dyn FnMut()>,
}

impl SchemeListener {
    fn new(elements: JsValue, id: &'static str) -> Result<Self, JsValue> {
        let query = dark_scheme()?;
        let on_change = Closure::<dyn FnMut()>::new(move || {
            // The element is gone while the page is being left; its colours don't matter any more then.
            let Some(target) = document().get_element_by_id(id) else { return };
            let options = appearance(&target).and_then(|appearance| object(&[("appearance", appearance)]));
            if let Ok(options) = options {
                _ = call(&elements, "update", &[options]);
            }
        });
        call(&query, "addEventListener", &["change".into(), on_change.as_ref().clone()])?;
        Ok(Self { query, on_change })
    }
}

impl Drop for SchemeListener {
    fn drop(&mut self) {
        _ = call(&self.query, "removeEventListener", &["change".into(), self.on_change.as_ref().clone()]);
    }
}

/// The media query that holds while the scheme is dark.
fn dark_scheme() -> Result<JsValue, JsValue> {
    call(&window(), "matchMedia", &["(prefers-color-scheme: dark)".into()])
}

/// `window.Stripe`, loading it if it isn't there.
async fn load(js: &str) -> Result<JsValue, JsValue> {
    let global = || Reflect::get(&window(), &"Stripe".into());
    if global()?.is_function() {
        return global();
    }
    let script: web_sys::HtmlScriptElement = document().create_element("script")?.dyn_into()?;
    script.set_src(js);
    let loaded = Promise::new(&mut |resolve, reject| {
        script.set_onload(Some(&resolve));
        script.set_onerror(Some(&reject));
    });
    let head = document().head().ok_or("the page has no head")?;
    head.append_child(&script)?;
    if let Err(error) = JsFuture::from(loaded).await {
        // Removed, so that the next attempt asks the network again.
        script.remove();
        return Err(error);
    }
    global()
}

/// The page's colours as Stripe's appearance: `style/islands/checkout.css` sets each on the element it is read from.
fn appearance(target: &web_sys::Element) -> Result<JsValue, JsValue> {
    let style = call(&window(), "getComputedStyle", &[target.into()])?;
    let read = |property: &str| Reflect::get(&style, &property.into());
    let dark = Reflect::get(&dark_scheme()?, &"matches".into())?.is_truthy();
    let variables = object(&[
        ("colorPrimary", read("outlineColor")?),
        ("colorBackground", read("backgroundColor")?),
        ("colorText", read("color")?),
        ("colorDanger", read("textDecorationColor")?),
        ("fontFamily", read("fontFamily")?),
        ("fontSizeBase", "15px".into()),
        ("borderRadius", "6px".into()),
    ])?;
    object(&[("theme", if dark { "night" } else { "stripe" }.into()), ("variables", variables)])
}

fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

/// The `message` of a JavaScript error, or a sentence of our own.
fn message(error: &JsValue) -> String {
    Reflect::get(error, &"message".into())
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| FAILED.into())
}
