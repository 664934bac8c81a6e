//! Callers that keep their connections: as light as may be, since they share the machine with what they call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::interval_at;

/// A request that can be made any number of times.
pub struct Call {
    /// `127.0.0.1:…`.
    pub address: String,
    pub request: Box<dyn Fn(Turn) -> Request<Full<Bytes>> + Send + Sync>,
}

/// Which request it is: no two are the same.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub connection: u64,
    /// From 0, on that connection.
    pub number: u64,
}

/// Connections made so far.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

impl Call {
    /// How many answers a second this many callers get, each on a connection of its own, each asking again
    /// as soon as it is answered.
    pub async fn per_second(&self, callers: u32, time: Duration) -> f64 {
        let begun = Instant::now();
        self.times(callers, None, time).await.len() as f64 / begun.elapsed().as_secs_f64()
    }

    /// How long each answer took this many callers, in ascending order, each asking again as soon as it is answered; or, with
    /// a pace, once in such an interval, evenly spread: what a request takes while others are under way, without waiting
    /// for the machine.
    pub async fn times(&self, callers: u32, pace: Option<Duration>, time: Duration) -> Vec<Duration> {
        let connections = join_all((0..callers).map(|_| connect(&self.address))).await;
        let begun = Instant::now();
        let times =
            join_all(connections.into_iter().zip(0..callers).map(async |(mut connection, caller)| {
                let mut times = Vec::new();
                let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
                let mut ticks = pace.map(|pace| interval_at((begun + pace * caller / callers).into(), pace));
                while begun.elapsed() < time {
                    if let Some(ticks) = &mut ticks {
                        ticks.tick().await;
                    }
                    let asked = Instant::now();
                    self.once(&mut connection, Turn { connection: number, number: times.len() as u64 }).await;
                    times.push(asked.elapsed());
                }
                times
            }))
            .await;
        let mut times = times.concat();
        times.sort_unstable();
        times
    }

    /// How many bytes the answer's body has.
    pub async fn answer_size(&self) -> usize {
        self.once(&mut connect(&self.address).await, Turn { connection: u64::MAX, number: 0 }).await
    }

    async fn once(&self, connection: &mut SendRequest<Full<Bytes>>, turn: Turn) -> usize {
        connection.ready().await.expect("the connection stays open");
        let answer = connection.send_request((self.request)(turn)).await.expect("an answer");
        let (head, mut body) = answer.into_parts();
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            size += frame.expect("a whole body").data_ref().map_or(0, Bytes::len);
        }
        assert!(head.status.is_success(), "{}", head.status);
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
