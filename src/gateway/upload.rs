//! Speech to text: voice tokens, one for each 16,000 bytes of the audio file, rounded down, at least one.
//!
//! The upload passes on while it comes. What it costs is held by its stated length, which is a little more than the
//! file's; one of unknown length is held in slices, each before its bytes go out.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::Method;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use multer::Multipart;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::completion::{fail, pass_refusal};
use super::error::ApiError;
use super::reservation::{self, Reservation};
use super::upstream::Question;
use super::usage::Spent;
use super::{Gateway, headers};
use crate::domain::{Caller, UsageType};
use crate::http::body::is_timeout;
use crate::http::problem::Problem;

/// Bytes of audio for one voice token.
const PER_TOKEN: u64 = 16_000;
/// The most bytes of an upload: half an hour of uncompressed speech, ten times what OpenAI takes.
pub const UPLOAD_LIMIT: u64 = 256 << 20;
/// Tokens that an upload of unknown length is held by, each time what is held is used up: about a megabyte.
const SLICE: i64 = 64;
/// Pieces that may wait for the upstream. Then the client waits.
const WAITING: usize = 8;
/// The longest name of a model, in bytes.
const LONGEST_NAME: usize = 1_024;

/// Serves a request to `/audio/transcriptions` or `/audio/translations`.
///
/// # Errors
/// Those of reading, holding and asking.
pub async fn listen(
    gateway: Gateway,
    caller: Caller,
    path: &'static str,
    request: Request,
) -> Result<Response, ApiError> {
    let place = gateway.place()?;
    let (parts, body) = request.into_parts();
    if parts.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(ApiError::encoded());
    }
    let length = super::length(&parts.headers).or_else(|| body.size_hint().exact());
    if length.is_some_and(|length| length > UPLOAD_LIMIT) {
        return Err(ApiError::too_large(UPLOAD_LIMIT));
    }
    let held = length.map_or(SLICE, tokens);
    let request = reservation::Request { usage_type: UsageType::Voice, prompt: held, answer: 0, model: None };
    let reservation = Reservation::new(&gateway, caller, place, request).await?;
    let boundary =
        parts.headers.get(CONTENT_TYPE).and_then(|value| multer::parse_boundary(value.to_str().ok()?).ok());
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let (output, pieces) = mpsc::channel(WAITING);
    let frames = ReceiverStream::new(pieces).map(|piece: Result<Bytes, ApiError>| piece.map(Frame::data));
    let question = Question {
        method: Method::POST,
        path: format!("{path}{query}"),
        headers: parts.headers,
        body: with_length(StreamBody::new(frames), length),
    };

    let mut file_bytes = None;
    let asked = {
        let upload = Upload { reservation: &reservation, output, boundary, passed: 0 };
        let mut upload = std::pin::pin!(upload.run(body));
        let mut ask = std::pin::pin!(reservation.keep_during(gateway.upstream().ask(question)));
        loop {
            tokio::select! {
                biased;
                outcome = &mut upload, if file_bytes.is_none() => match outcome {
                    Ok(file) => {
                        reservation.on_drop(Spent { estimated: true, ..Spent::of(tokens(file)) });
                        file_bytes = Some(file);
                    }
                    // The client failed to send it, or may not spend so much.
                    Err(error) => break Err(error),
                },
                answer = &mut ask => break answer,
            }
        }
    };
    match asked {
        Ok(answer) if answer.status.is_success() => {
            // Where an upstream answers before it has read everything, what is held counts.
            let spent = match file_bytes {
                Some(file) => Spent::of(tokens(file)),
                None => Spent { estimated: true, ..Spent::of(reservation.tokens()) },
            };
            let usage = reservation.settle(spent).await;
            let mut head = answer.headers.clone();
            head.extend(headers::used(spent.tokens, usage.as_ref(), UsageType::Voice));
            Ok((answer.status, head, answer.into_body()).into_response())
        }
        Ok(refused) => Ok(pass_refusal(refused, reservation).await),
        Err(error) => Err(fail(error, reservation).await),
    }
}

/// What so many bytes of audio cost.
fn tokens(bytes: u64) -> i64 {
    i64::try_from(bytes / PER_TOKEN).unwrap_or(i64::MAX).max(1)
}

/// A body whose length is said where it is known: not every server takes one without.
fn with_length<B>(body: B, length: Option<u64>) -> reqwest::Body
where
    B: HttpBody<Data = Bytes, Error = ApiError> + Send + Sync + 'static,
{
    reqwest::Body::wrap(WithLength { body: Box::pin(body), length })
}

struct WithLength<B> {
    body: std::pin::Pin<Box<B>>,
    length: Option<u64>,
}

impl<B: HttpBody<Data = Bytes, Error = ApiError>> HttpBody for WithLength<B> {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.length.map_or_else(Default::default, hyper::body::SizeHint::with_exact)
    }
}

/// An upload on its way.
struct Upload<'a> {
    reservation: &'a Reservation,
    output: mpsc::Sender<Result<Bytes, ApiError>>,
    /// Of the form's parts; none where it isn't a form.
    boundary: Option<String>,
    passed: u64,
}

impl Upload<'_> {
    /// Passes the upload on and gives the bytes of its file: of everything, where no file can be separated from the rest.
    async fn run(mut self, mut body: Body) -> Result<u64, ApiError> {
        let (copies, parts) = mpsc::channel::<Result<Bytes, std::io::Error>>(WAITING);
        let boundary = self.boundary.take();
        let form = boundary.map(|boundary| tokio::spawn(read_form(ReceiverStream::new(parts), boundary)));
        while let Some(frame) = body.frame().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => return Err(broken(error.into_inner().as_ref())),
            };
            let Ok(piece) = frame.into_data() else { continue };
            self.passed += piece.len() as u64;
            if self.passed > UPLOAD_LIMIT {
                return Err(ApiError::too_large(UPLOAD_LIMIT));
            }
            self.hold().await?;
            if form.is_some() {
                // One that can't be read has ended; the file is then counted with the rest.
                let _ = copies.send(Ok(piece.clone())).await;
            }
            if self.output.send(Ok(piece)).await.is_err() {
                // The upstream has answered, or is gone: its answer says which.
                return Ok(self.passed);
            }
        }
        drop(copies);
        let form = match form {
            Some(form) => form.await.ok().flatten(),
            None => None,
        };
        let Some(Form { file, model }) = form else { return Ok(self.passed) };
        model.into_iter().for_each(|model| self.reservation.name_model(model));
        Ok(file)
    }

    /// Holds what has come by now, before it goes out.
    async fn hold(&self) -> Result<(), ApiError> {
        let needed = tokens(self.passed);
        if needed > self.reservation.tokens() {
            self.reservation.grow(needed + SLICE).await?;
        }
        Ok(())
    }
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static)) -> ApiError {
    if is_timeout(error) {
        return Problem::request_timeout().into();
    }
    ApiError::not_whole()
}

/// What is read of a form.
#[derive(Debug, Default)]
struct Form {
    /// Bytes of its file, or files.
    file: u64,
    model: Option<String>,
}

/// Reads a form as it comes; none where it isn't one.
async fn read_form(parts: ReceiverStream<Result<Bytes, std::io::Error>>, boundary: String) -> Option<Form> {
    let mut multipart = Multipart::new(parts, boundary);
    let mut form = Form::default();
    while let Some(mut field) = multipart.next_field().await.ok()? {
        let is_file = field.file_name().is_some() || field.name() == Some("file");
        let is_model = field.name() == Some("model") && !is_file;
        let mut name = Vec::new();
        while let Some(piece) = field.chunk().await.ok()? {
            if is_file {
                form.file += piece.len() as u64;
            } else if is_model && name.len() < LONGEST_NAME {
                name.extend_from_slice(&piece[..piece.len().min(LONGEST_NAME)]);
            }
        }
        if is_model {
            form.model = Some(String::from_utf8_lossy(&name).into_owned());
        }
    }
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_costs_a_token_for_16_000_bytes_and_at_least_one() {
        for (bytes, cost) in [(0, 1), (1, 1), (31_999, 1), (32_000, 2), (480_044, 30)] {
            assert_eq!(tokens(bytes), cost, "{bytes}");
        }
    }

    fn form(text: &str, at: usize) -> Vec<Result<Bytes, std::io::Error>> {
        text.as_bytes().chunks(at).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect()
    }

    async fn read(pieces: Vec<Result<Bytes, std::io::Error>>) -> Option<Form> {
        let (sender, receiver) = mpsc::channel(pieces.len().max(1));
        for piece in pieces {
            sender.send(piece).await.unwrap();
        }
        drop(sender);
        read_form(ReceiverStream::new(receiver), "X".into()).await
    }

    #[tokio::test]
    async fn only_the_file_of_a_form_counts_however_it_is_cut() {
        let text = "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
            --X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
            Content-Type: audio/wav\r\n\r\n12345\r\n--6789\r\n--X--\r\n";
        for at in 1..text.len() {
            let form = read(form(text, at)).await.unwrap();
            assert_eq!((form.file, form.model.as_deref()), (13, Some("whisper-1")), "in pieces of {at}");
        }
    }

    #[tokio::test]
    async fn what_is_no_form_is_not_read_as_one() {
        assert!(read(form("no form at all", 3)).await.is_none());
    }
}
