//! `POST /v1/responses`.

mod earlier;
mod events;
mod object;
mod request;

use axum::Json;
use axum::extract::State as FromState;
use axum::response::{IntoResponse, Response};

use crate::State;
use crate::answer::answer;
use crate::blocking::blocking;
use crate::body::RawBody;
use crate::error::ApiError;
use crate::{sse, text};
use object::ResponseObject;
use request::Request;

pub use earlier::Earlier;

pub async fn create(FromState(state): FromState<State>, body: RawBody) -> Result<Response, ApiError> {
    let earlier = state.earlier.clone();
    let (response, streamed) = blocking(move || {
        let request = body.parse::<Request>()?.checked(&earlier)?;
        let prompt = request.prompt.count()?;
        let answer = answer(&request.prompt, &request.wanted, 0)?;
        let topic = text::topic(request.prompt.question()).or(request.prompt.earlier_topic);
        let response = ResponseObject::new(request.echo, prompt, answer);
        if request.stored {
            earlier.put(&response.id, earlier::Summary { tokens: response.total_tokens(), topic });
        }
        Ok((response, request.streamed))
    })
    .await?;
    if streamed {
        return Ok(sse::paced(events::events(response), state.pace));
    }
    Ok(Json(response.finished()).into_response())
}
