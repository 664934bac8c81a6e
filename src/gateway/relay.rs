//! Passing an answer on while it comes.
//!
//! A task of its own, so that a client that hangs up, which has its connection's task dropped, still has its tokens
//! settled. It settles before the last event goes out, so that a client that has read the answer finds it counted.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::FusedFuture;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::answer::{End, Meter};
use super::error::ApiError;
use super::reader::Reader;
use super::reservation::{CHECK, Reservation};
use super::upstream::Answer;
use super::{Gateway, Memory};
use crate::domain::GroupId;

/// Pieces that may wait for a client that reads slowly. Then the upstream waits.
const WAITING: usize = 8;
/// What a hold grows by where an answer takes more than it was to have.
const GROWTH: i64 = 2_048;

/// What an answer that passes belongs to.
pub struct Passing {
    pub gateway: Gateway,
    pub group: GroupId,
    pub reservation: Reservation,
    pub meter: Meter,
    /// Tokens of the hold that are the prompt's.
    pub prompt: i64,
    /// Whether the client reads events of the Responses API.
    pub responses: bool,
}

/// Why passing ended before the upstream did.
enum Stop {
    /// The client hung up.
    Gone,
    Failed(ApiError),
}

/// Starts to pass an answer on: what of it was read before, and what comes.
pub fn pass(passing: Passing, first: Vec<(Bytes, Option<Memory>)>, answer: Answer, reader: Reader) -> Body {
    let (output, pieces) = mpsc::channel(WAITING);
    let limit = passing.gateway.upstream().limits().stopping;
    let stopped = Box::pin(stopped(passing.gateway.stop().clone(), limit).fuse());
    // The tokenizer may count each piece a little longer than the provider does.
    let granted = (passing.reservation.tokens() - passing.prompt).max(0);
    let relay = Relay {
        reservation: Some(passing.reservation),
        gateway: passing.gateway,
        group: passing.group,
        meter: passing.meter,
        prompt: passing.prompt,
        responses: passing.responses,
        allowed: granted + granted / 8 + 64,
        output,
        next_check: Instant::now() + CHECK,
        stopped,
    };
    tokio::spawn(relay.run(first, answer, reader));
    Body::from_stream(ReceiverStream::new(pieces))
}

async fn stopped(stop: CancellationToken, limit: Duration) {
    stop.cancelled().await;
    sleep(limit).await;
}

struct Relay {
    gateway: Gateway,
    group: GroupId,
    /// None once it is settled.
    reservation: Option<Reservation>,
    meter: Meter,
    prompt: i64,
    responses: bool,
    /// Tokens that the answer may have before the hold has to grow.
    allowed: i64,
    /// An error breaks the connection off: nothing else tells a client that its answer isn't whole.
    output: mpsc::Sender<Result<Bytes, ApiError>>,
    next_check: Instant,
    /// Ends when the server has waited long enough for this stream.
    stopped: Pin<Box<dyn FusedFuture<Output = ()> + Send>>,
}

impl Relay {
    async fn run(mut self, first: Vec<(Bytes, Option<Memory>)>, mut answer: Answer, mut reader: Reader) {
        match self.pump(first, &mut answer, &mut reader).await {
            Ok(()) => {
                let held = self.reservation.as_ref().map_or(0, Reservation::tokens);
                let rest = reader.end(&mut self.meter, held);
                self.settle(End::Complete).await;
                // The client may be gone by now.
                let _ = self.send(rest).await;
            }
            Err(Stop::Gone) => {
                // Closes the connection to the upstream, which is what tells it to stop.
                drop(answer);
                self.settle(End::Stopped).await;
            }
            Err(Stop::Failed(error)) => {
                drop(answer);
                self.settle(if error.is_upstreams() { End::Broken } else { End::Stopped }).await;
                let _ = match reader {
                    // An event that was cut off was never sent, so this one stands by itself.
                    Reader::Events { .. } => self.send(error.event(self.responses).into()).await,
                    Reader::Long { .. } => self.put(Err(error)).await,
                };
            }
        }
    }

    async fn pump(
        &mut self,
        first: Vec<(Bytes, Option<Memory>)>,
        answer: &mut Answer,
        reader: &mut Reader,
    ) -> Result<(), Stop> {
        for (piece, _memory) in first {
            self.piece(piece, reader).await?;
        }
        while let Some(piece) = self.during(answer.next()).await?.map_err(Stop::Failed)? {
            self.piece(piece, reader).await?;
        }
        Ok(())
    }

    async fn piece(&mut self, piece: Bytes, reader: &mut Reader) -> Result<(), Stop> {
        let (passed, last) = reader.take(piece, &mut self.meter);
        if last {
            self.settle(End::Complete).await;
        } else {
            self.grow().await?;
        }
        self.send(passed).await
    }

    /// Passes a piece on, as fast as the client reads.
    async fn send(&mut self, piece: Bytes) -> Result<(), Stop> {
        if piece.is_empty() {
            return Ok(());
        }
        self.put(Ok(piece)).await
    }

    async fn put(&mut self, piece: Result<Bytes, ApiError>) -> Result<(), Stop> {
        let output = self.output.clone();
        self.during(async move { output.send(piece).await }).await?.map_err(|_| Stop::Gone)
    }

    /// Waits for `work` as long as the client is there, the tokens are held and the server runs.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                () = self.output.closed() => return Err(Stop::Gone),
                () = &mut self.stopped => return Err(Stop::Failed(ApiError::stopping())),
                () = sleep_until(self.next_check) => {
                    self.next_check = Instant::now() + CHECK;
                    if let Some(reservation) = &self.reservation {
                        reservation.keep().await.map_err(Stop::Failed)?;
                    }
                }
                outcome = &mut work => return Ok(outcome),
            }
        }
    }

    /// Holds more where the upstream answers more than it was asked to.
    async fn grow(&mut self) -> Result<(), Stop> {
        let produced = self.meter.produced();
        if produced <= self.allowed {
            return Ok(());
        }
        if let Some(reservation) = &self.reservation {
            self.allowed = produced + GROWTH;
            reservation.grow(self.prompt.saturating_add(self.allowed)).await.map_err(Stop::Failed)?;
        }
        Ok(())
    }

    async fn settle(&mut self, end: End) {
        let Some(reservation) = self.reservation.take() else { return };
        let spent = self.meter.spent(end);
        for id in self.meter.ids() {
            self.gateway.earlier().remember(self.group, id, spent.tokens);
        }
        reservation.settle(spent).await;
    }
}
