//! Accepting connections, and ending them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::limits::TimeLimits;

/// The connections of a server that accepts no more.
#[derive(Debug)]
pub struct Connections(JoinSet<()>);

impl Connections {
    /// Waits until each has had its answer, at the latest until `deadline`, and closes those left. Says how many
    /// those were.
    pub async fn finish(mut self, deadline: Instant) -> usize {
        let all = async { while self.0.join_next().await.is_some() {} };
        match timeout_at(deadline, all).await {
            Ok(()) => 0,
            Err(_) => self.0.len(),
        }
    }
}

/// Serves `app` until `stop` is cancelled. Streams have to end by themselves on the same token.
///
/// `axum::serve` would do, but that it has no time limits.
pub async fn serve(
    mut listener: TcpListener,
    app: Router,
    limits: TimeLimits,
    stop: CancellationToken,
) -> Connections {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.next_headers);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.next_headers);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Waits by itself where no connection can be accepted for the moment.
            (stream, peer) = Listener::accept(&mut listener) => {
                let connection = Connection { stream, peer, limits, stop: stop.clone() };
                connections.spawn(connection.serve(builder.clone(), app.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => return Connections(connections),
        }
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    limits: TimeLimits,
    stop: CancellationToken,
}

impl Connection {
    async fn serve(self, builder: Builder<TokioExecutor>, app: Router) {
        let Self { stream, peer, limits, stop } = self;
        // Without this a small answer waits for the acknowledgement of the one before (Nagle's algorithm).
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        // Cancelled by the first request: until then the client has proved nothing.
        let used = CancellationToken::new();
        let answer = service_fn(|request: Request<Incoming>| {
            used.cancel();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let app = app.clone();
            async move { Ok::<_, Infallible>(app.oneshot(request).await.unwrap_or_else(|never| match never {})) }
        });
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        let first_headers = async {
            tokio::select! {
                biased;
                () = used.cancelled() => std::future::pending().await,
                () = sleep(limits.first_headers) => {}
                () = stop.cancelled() => {}
            }
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = first_headers => return,
            () = stopped_while_used(&stop, &used) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}

async fn stopped_while_used(stop: &CancellationToken, used: &CancellationToken) {
    used.cancelled().await;
    stop.cancelled().await;
}
