//! What takes the processor for long: counting a prompt of a megabyte takes tens of milliseconds.

use crate::error::ApiError;

/// Runs `work` where it doesn't hold up other requests.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    // It fails if the work panicked, or the runtime is shutting down.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(ApiError::internal()))
}
