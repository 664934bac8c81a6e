//! Stopping a server in order and in time.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::http::serve::Connections;
use crate::jobs::Jobs;
use crate::services::Services;

/// How long stopping may take altogether: whatever stops services kills what takes 30 seconds.
const STOP_WITHIN: Duration = Duration::from_secs(19);

/// A server that answers. Dropping it leaves it running until its runtime ends; [`Running::stop`] ends it.
pub struct Running {
    pub addr: SocketAddr,
    pub services: Services,
    pub sandbox: Option<stripe_sandbox::Running>,
    pub(crate) stop: CancellationToken,
    pub(crate) server: JoinHandle<Connections>,
    pub(crate) jobs: Jobs,
}

impl Running {
    /// Lets requests that are under way finish, writes what is queued, and stops, within 20 seconds. What isn't done by
    /// then is logged and left.
    pub async fn stop(self) {
        let left = self.stop_within(STOP_WITHIN).await;
        if !left.is_empty() {
            tracing::warn!(left = left.join(", "), "stopped with work undone");
        }
    }

    /// As [`Running::stop`], in a time of the caller's own. Gives what was left.
    pub async fn stop_within(self, limit: Duration) -> Vec<String> {
        let started = Instant::now();
        // What comes later has some of the time to itself, however long what comes before hangs.
        let until = |tenths: u32| started + limit * tenths / 10;
        let mut left = Vec::new();
        self.stop.cancel();
        self.services.gateway.close();
        let open = match self.server.await {
            Ok(connections) => connections.finish(until(7)).await,
            Err(_) => 0,
        };
        if open > 0 {
            left.push(format!("{open} open connections"));
        }
        // Clients that have left leave requests to be settled.
        let unsettled =
            self.services.gateway.finish(until(8).saturating_duration_since(Instant::now())).await;
        if unsettled > 0 {
            left.push(format!("{unsettled} unsettled requests of the gateway"));
        }
        // No request is left that could record anything more.
        self.services.metering.close();
        left.extend(self.jobs.finish(until(9)).await.into_iter().map(str::to_owned));
        let closing = async {
            if let Some(sandbox) = self.sandbox {
                sandbox.shutdown().await;
            }
            self.services.store.close().await;
        };
        if timeout_at(until(10), closing).await.is_err() {
            left.push("database connections".to_owned());
        }
        left
    }
}
