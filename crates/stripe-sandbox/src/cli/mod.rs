//! What Stripe's CLI listens to: `stripe listen` and `stripe logs tail`.
//!
//! A session is asked for with a secret key; a WebSocket then carries what happens to the CLI, which hands events on
//! to a local webhook. Sessions aren't webhook endpoints: nothing waits for them, and what they miss is gone.
//!
//! Stripe doesn't publish this; it is read off the CLI itself: <https://github.com/stripe/stripe-cli>.

mod filters;
mod session;
mod socket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post};

use crate::engine::Sandbox;
use session::Session;

/// The sessions, by the id that their WebSocket is opened with. They live as long as the process: a CLI that comes
/// back with one that isn't known asks for another.
#[derive(Clone)]
struct Sessions {
    sandbox: Sandbox,
    known: Arc<Mutex<HashMap<String, Arc<Session>>>>,
}

impl Sessions {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/v1/stripecli/sessions", post(session::create))
        .route("/stripecli/subscribe", get(socket::subscribe))
        .with_state(Sessions { sandbox, known: Arc::default() })
}
