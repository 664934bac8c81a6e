//! Ids in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::domain::Refusal;
use crate::http::problem::Problem;

/// The id in a path with one. What isn't a UUID names nothing, so it is 404, like a UUID that names nothing.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: From<Uuid>> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<Uuid>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id.into())),
            Err(_) => Err(Refusal::NotFound("id".into()).into()),
        }
    }
}
