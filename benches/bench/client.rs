//! Callers that keep their connections: as light as may be, since they share the machine with what they call.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request that can be made any number of times.
pub struct Call {
    /// `127.0.0.1:…`.
    pub address: String,
    pub request: Box<dyn Fn() -> Request<Full<Bytes>> + Send + Sync>,
}

impl Call {
    /// How many answers a second this many callers get, each on a connection of its own, each asking again
    /// as soon as it is answered.
    pub async fn per_second(&self, callers: usize, time: Duration) -> f64 {
        let connections = join_all((0..callers).map(|_| connect(&self.address))).await;
        let begun = Instant::now();
        let answers = join_all(connections.into_iter().map(async |mut connection| {
            let mut answers = 0_u32;
            while begun.elapsed() < time {
                self.once(&mut connection).await;
                answers += 1;
            }
            answers
        }))
        .await;
        f64::from(answers.into_iter().sum::<u32>()) / begun.elapsed().as_secs_f64()
    }

    /// How many bytes the answer's body has.
    pub async fn answer_size(&self) -> usize {
        self.once(&mut connect(&self.address).await).await
    }

    async fn once(&self, connection: &mut SendRequest<Full<Bytes>>) -> usize {
        connection.ready().await.expect("the connection stays open");
        let answer = connection.send_request((self.request)()).await.expect("an answer");
        let (head, mut body) = answer.into_parts();
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            size += frame.expect("a whole body").data_ref().map_or(0, Bytes::len);
        }
        assert_eq!(head.status, StatusCode::OK);
        size
    }
}

async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    sender
}
