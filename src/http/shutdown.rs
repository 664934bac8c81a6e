//! Serving until told to stop, and stopping so that nobody is cut off.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long open requests may take once the server stops.
const GRACE: Duration = Duration::from_secs(20);

/// Waits for SIGINT or SIGTERM.
///
/// # Errors
/// The system's, if signals can't be listened for.
pub async fn signalled() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Serves `app` until `shutdown` is cancelled, then lets open requests finish, for 20 seconds at most.
/// Streams have to end by themselves on the same token.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener, app: Router, shutdown: CancellationToken) -> io::Result<()> {
    // Without this a small answer waits for the acknowledgement of the one before (Nagle's algorithm).
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let mut serving = std::pin::pin!(serving.into_future());
    tokio::select! {
        ended = &mut serving => return ended,
        () = shutdown.cancelled() => {}
    }
    timeout(GRACE, serving).await.unwrap_or_else(|_| {
        tracing::warn!("some requests were still open");
        Ok(())
    })
}
