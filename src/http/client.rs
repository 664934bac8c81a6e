//! Where a request comes from.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

/// The address of whoever opened the connection, to throttle failed log-ins by. Headers such as
/// `X-Forwarded-For` are not believed: anybody may send them.
#[derive(Debug)]
pub struct Client(pub String);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(
            peer.map_or_else(|| "unknown".into(), |ConnectInfo(peer)| peer.ip().to_canonical().to_string()),
        ))
    }
}
