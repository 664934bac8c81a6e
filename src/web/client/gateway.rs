//! Requests to the gateway, which knows the session as it knows a program's key.

use std::cell::RefCell;

use js_sys::{Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob, FormData, Headers, ReadableStreamDefaultReader, RequestInit, Response};

use crate::web::gateway::{Chunk, Chunks, Failure, Models, models_of, transcribed};

thread_local! {
    /// The page has one answer under way at most; its handle can't leave the browser's thread, which signals could.
    static ANSWER: RefCell<Option<AbortController>> = const { RefCell::new(None) };
}

/// Has a question answered, and gives each part as it comes. Returns at the answer's end, and when it is stopped.
///
/// # Errors
/// Why there is no answer, or no more of it.
pub async fn stream_answer(request: String, mut on_chunk: impl FnMut(Chunk)) -> Result<(), Failure> {
    let controller = AbortController::new().map_err(|_| Failure::Unreachable)?;
    let init = post(&request.into())?;
    init.set_headers_headers(&json_headers()?);
    init.set_signal(Some(&controller.signal()));
    ANSWER.set(Some(controller.clone()));
    let streamed = async {
        let response = send("/v1/chat/completions", &init).await?;
        let stream = response.body().ok_or(Failure::Unreachable)?;
        let reader = ReadableStreamDefaultReader::new(&stream).map_err(|_| Failure::Unreachable)?;
        read(&reader, &mut on_chunk).await
    };
    let outcome = streamed.await;
    ANSWER.set(None);
    // Breaking a request off is reported as an error of the network.
    if controller.signal().aborted() { Ok(()) } else { outcome }
}

/// Hangs up, which ends the upstream's work too.
pub fn stop_answer() {
    if let Some(answer) = ANSWER.take() {
        answer.abort();
    }
}

/// Reads until the answer is whole. A stream that ends before has broken off.
async fn read(reader: &ReadableStreamDefaultReader, on_chunk: &mut impl FnMut(Chunk)) -> Result<(), Failure> {
    let mut chunks = Chunks::default();
    loop {
        let packet = JsFuture::from(reader.read()).await.map_err(|_| Failure::Unreachable)?;
        let is_last = Reflect::get(&packet, &"done".into()).is_ok_and(|done| done.is_truthy());
        if is_last {
            return Err(Failure::Unreachable);
        }
        let bytes = Reflect::get(&packet, &"value".into()).map_err(|_| Failure::Unreachable)?;
        for chunk in chunks.push(&Uint8Array::new(&bytes).to_vec()) {
            match chunk {
                Chunk::Done => return Ok(()),
                Chunk::Failed(failure) => return Err(failure),
                chunk => on_chunk(chunk),
            }
        }
    }
}

/// The models there are.
///
/// # Errors
/// Why that is unknown.
pub async fn models() -> Result<Models, Failure> {
    let response = send("/v1/models", &RequestInit::new()).await?;
    let none = || Failure::Refused("The model's service lists no models.".into());
    models_of(&body(&response).await?).ok_or_else(none)
}

/// The words in a recording.
///
/// # Errors
/// Why they can't be had.
pub(super) async fn transcribe(recording: &Blob, name: &str, model: &str) -> Result<String, Failure> {
    let form = FormData::new().map_err(|_| Failure::Unreachable)?;
    let filled = form
        .append_with_str("model", model)
        .and_then(|()| form.append_with_blob_and_filename("file", recording, name));
    filled.map_err(|_| Failure::Unreachable)?;
    let response = send("/v1/audio/transcriptions", &post(&form)?).await?;
    transcribed(&body(&response).await?)
}

/// What was asked for, as a recording of a voice.
///
/// # Errors
/// Why it can't be had.
pub(super) async fn speak(request: String) -> Result<Blob, Failure> {
    let init = post(&request.into())?;
    init.set_headers_headers(&json_headers()?);
    let response = send("/v1/audio/speech", &init).await?;
    let blob = response.blob().map_err(|_| Failure::Unreachable)?;
    JsFuture::from(blob).await.and_then(|blob| blob.dyn_into()).map_err(|_| Failure::Unreachable)
}

fn post(body: &JsValue) -> Result<RequestInit, Failure> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(body);
    Ok(init)
}

fn json_headers() -> Result<Headers, Failure> {
    let headers = Headers::new().map_err(|_| Failure::Unreachable)?;
    headers.set("content-type", "application/json").map_err(|_| Failure::Unreachable)?;
    Ok(headers)
}

/// An answer of success.
async fn send(path: &str, init: &RequestInit) -> Result<Response, Failure> {
    let response = JsFuture::from(window().fetch_with_str_and_init(path, init)).await;
    let response: Response =
        response.and_then(|response| response.dyn_into()).map_err(|_| Failure::Unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    Err(Failure::of(response.status(), &body(&response).await?))
}

async fn body(response: &Response) -> Result<Vec<u8>, Failure> {
    let buffer = response.array_buffer().map_err(|_| Failure::Unreachable)?;
    let buffer = JsFuture::from(buffer).await.map_err(|_| Failure::Unreachable)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
