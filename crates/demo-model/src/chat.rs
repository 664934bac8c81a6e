//! `POST /v1/chat/completions`.

mod completion;
mod request;

use axum::Json;
use axum::extract::State as FromState;
use axum::response::{IntoResponse, Response};

use crate::State;
use crate::answer::answer;
use crate::blocking::blocking;
use crate::body::RawBody;
use crate::error::ApiError;
use crate::sse;
use completion::Completion;
use request::Request;

pub async fn create(FromState(state): FromState<State>, body: RawBody) -> Result<Response, ApiError> {
    let (completion, streamed, usage_asked) = blocking(move || {
        let request = body.parse::<Request>()?.checked()?;
        let prompt = request.prompt.count()?;
        let answers = (0..request.answers)
            .map(|at| answer(&request.prompt, &request.wanted, at))
            .collect::<Result<_, _>>()?;
        let completion = Completion::new(request.model, prompt, answers, request.called_by_name);
        Ok((completion, request.streamed, request.usage_asked))
    })
    .await?;
    if streamed {
        return Ok(sse::paced(completion.chunks(usage_asked), state.pace));
    }
    Ok(Json(completion.object()).into_response())
}
