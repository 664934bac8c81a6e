//! The microphone and the loudspeaker.

use std::cell::RefCell;

use js_sys::{Array, Promise, Reflect};
use leptos::ev::MouseEvent;
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobEvent, BlobPropertyBag, Element, HtmlAudioElement, HtmlElement, MediaRecorder, MediaStream,
    MediaStreamConstraints, MediaStreamTrack, Url,
};

use super::gateway::{speak, transcribe};
use crate::web::gateway::{Failure, MAX_SPOKEN, NoMicrophone, speech_request};

thread_local! {
    /// The page records one thing at a time and plays one; their handles can't leave the browser's thread.
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
    static READING: RefCell<Option<Reading>> = const { RefCell::new(None) };
}

/// The microphone while it is open. Dropped, it is closed.
struct Recording {
    recorder: MediaRecorder,
    stream: MediaStream,
    parts: Array,
    _on_data: Closure<dyn FnMut(BlobEvent)>,
}

impl Drop for Recording {
    fn drop(&mut self) {
        for track in self.stream.get_tracks() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
    }
}

/// Opens the microphone, for which the browser may ask its user.
///
/// # Errors
/// Why it isn't open.
pub async fn start_recording() -> Result<(), NoMicrophone> {
    // Absent where the page didn't come by HTTPS.
    let devices = window().navigator().media_devices().map_err(|_| NoMicrophone::Unsupported)?;
    if devices.is_undefined() {
        return Err(NoMicrophone::Unsupported);
    }
    let constraints = MediaStreamConstraints::new();
    constraints.set_audio_bool(true);
    let asked =
        devices.get_user_media_with_constraints(&constraints).map_err(|_| NoMicrophone::Unsupported)?;
    let stream: MediaStream = JsFuture::from(asked).await.map_err(|error| why(&error))?.unchecked_into();
    let recorder = MediaRecorder::new_with_media_stream(&stream).map_err(|_| NoMicrophone::Unsupported)?;
    let parts = Array::new();
    let kept = parts.clone();
    let on_data = Closure::<dyn FnMut(BlobEvent)>::new(move |event: BlobEvent| {
        if let Some(part) = event.data() {
            kept.push(&part);
        }
    });
    recorder.set_ondataavailable(Some(on_data.as_ref().unchecked_ref()));
    let recording = Recording { recorder: recorder.clone(), stream, parts, _on_data: on_data };
    recorder.start().map_err(|_| NoMicrophone::Unsupported)?;
    RECORDING.set(Some(recording));
    Ok(())
}

/// Closes the microphone and forgets what was said.
pub fn discard_recording() {
    RECORDING.set(None);
}

/// Closes the microphone and gives the words that were said.
///
/// # Errors
/// Why they can't be had.
pub async fn finish_recording(model: String) -> Result<String, Failure> {
    let Some(recording) = RECORDING.take() else { return Ok(String::new()) };
    let stopped = Promise::new(&mut |resolve, _| recording.recorder.set_onstop(Some(&resolve)));
    if recording.recorder.stop().is_ok() {
        // Comes after the last of the data.
        _ = JsFuture::from(stopped).await;
    }
    let mime_type = recording.recorder.mime_type();
    let options = BlobPropertyBag::new();
    options.set_type(&mime_type);
    let blob = Blob::new_with_blob_sequence_and_options(&recording.parts, &options);
    drop(recording);
    // By its ending the service knows the format.
    let ending = if mime_type.contains("mp4") {
        "mp4"
    } else if mime_type.contains("ogg") {
        "ogg"
    } else {
        "webm"
    };
    transcribe(&blob.map_err(|_| Failure::Unreachable)?, &format!("speech.{ending}"), &model).await
}

/// Source: <https://developer.mozilla.org/en-US/docs/Web/API/MediaDevices/getUserMedia#exceptions>.
fn why(error: &JsValue) -> NoMicrophone {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_default();
    match name.as_str() {
        "NotAllowedError" | "SecurityError" => NoMicrophone::Denied,
        "NotFoundError" => NoMicrophone::Missing,
        _ => NoMicrophone::Unsupported,
    }
}

/// A message that is being read aloud, or fetched to be.
struct Reading {
    /// The button that began it.
    button: Element,
    /// None while it is fetched.
    audio: Option<Playing>,
}

/// What is being played.
struct Playing {
    element: HtmlAudioElement,
    /// Of the sound, to be revoked.
    address: String,
    /// Held as long as the element may call it.
    _on_end: Closure<dyn FnMut()>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        _ = self.button.set_attribute("aria-pressed", "false");
        _ = self.button.remove_attribute("aria-busy");
        if let Some(Playing { element, address, .. }) = &self.audio {
            element.set_onended(None);
            _ = element.pause();
            _ = Url::revoke_object_url(address);
        }
    }
}

/// Reads the message aloud whose `data-speak` button was clicked, if one was; stops where it is being read.
///
/// # Errors
/// Why it can't be read.
pub async fn read_aloud(event: MouseEvent, model: String) -> Result<(), Failure> {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-speak]").ok().flatten()) else {
        return Ok(());
    };
    let before = READING.take();
    if before.as_ref().is_some_and(|before| before.button == button) {
        return Ok(());
    }
    drop(before);
    let text = words(&button).unwrap_or_default();
    _ = button.set_attribute("aria-busy", "true");
    READING.set(Some(Reading { button: button.clone(), audio: None }));
    let is_current = || READING.with_borrow(|now| now.as_ref().is_some_and(|now| now.button == button));
    let spoken = speak(speech_request(&model, &text)).await;
    if !is_current() {
        return Ok(());
    }
    let played = match spoken {
        Ok(spoken) => {
            play(&button, &spoken).await.map_err(|_| Failure::Refused("The browser can't play this.".into()))
        }
        Err(failure) => Err(failure),
    };
    if played.is_err() {
        READING.set(None);
    }
    played
}

async fn play(button: &Element, spoken: &Blob) -> Result<(), JsValue> {
    let address = Url::create_object_url_with_blob(spoken)?;
    let audio = HtmlAudioElement::new_with_src(&address)?;
    let on_end = Closure::<dyn FnMut()>::new(|| {
        // Not within this call, in which the closure that goes with it is still running.
        leptos::task::spawn_local(async {
            super::pause(0).await;
            READING.set(None);
        });
    });
    audio.set_onended(Some(on_end.as_ref().unchecked_ref()));
    let playing = audio.play()?;
    // Ends the one that stood for the fetching, and its marks on the button.
    let audio = Playing { element: audio, address, _on_end: on_end };
    READING.set(Some(Reading { button: button.clone(), audio: Some(audio) }));
    _ = button.set_attribute("aria-pressed", "true");
    JsFuture::from(playing).await.map(drop)
}

/// The prose of the message that the button stands in. Code isn't read.
fn words(button: &Element) -> Option<String> {
    let body = button.closest(".message").ok()??.query_selector(".message__body").ok()??;
    let copy: Element = body.clone_node_with_deep(true).ok()?.unchecked_into();
    let code = copy.query_selector_all(".code").ok()?;
    for at in 0..code.length() {
        if let Some(figure) = code.item(at) {
            figure.unchecked_into::<Element>().remove();
        }
    }
    let text = copy.text_content().unwrap_or_default();
    let text = text.trim();
    Some(if text.is_empty() {
        "This answer is code only.".into()
    } else {
        text.chars().take(MAX_SPOKEN).collect()
    })
}

/// Puts what stands beside a `data-copy` button on the clipboard when that is clicked, and says so on the button.
pub(super) fn copy_by_buttons() {
    let on_click = Closure::<dyn Fn(web_sys::Event)>::new(|event: web_sys::Event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(button) = target.and_then(|target| target.closest("[data-copy]").ok().flatten()) else {
            return;
        };
        let source = button.closest("figure, .message").ok().flatten();
        let source = source.and_then(|source| source.query_selector("pre, .message__body").ok().flatten());
        let Some(text) = source.and_then(|source| source.dyn_into::<HtmlElement>().ok()) else { return };
        let text = text.inner_text();
        leptos::task::spawn_local(async move {
            if super::copy(&text).await {
                button.set_text_content(Some("Copied"));
                super::pause(2_000).await;
                button.set_text_content(Some("Copy"));
            }
        });
    });
    _ = document().add_event_listener_with_callback("click", on_click.as_ref().unchecked_ref());
    on_click.forget();
}
