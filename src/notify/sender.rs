//! The worker that sends what is in the outbox.

use std::time::Duration as StdDuration;

use chrono::Duration;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::Outbox;
use crate::config::Config;
use crate::error::Result;
use crate::storage::Due;

/// How long a message is kept from other processes while it is being sent.
const CLAIM: Duration = Duration::minutes(2);
/// How often the outbox is looked at without a nudge, for what other processes put there or put off.
const INTERVAL: StdDuration = StdDuration::from_secs(30);

/// Why no mailer can be made. Names the variable.
#[derive(Debug, Error)]
pub enum MailerError {
    #[error("SMTP_URL: {0}")]
    Address(#[from] lettre::transport::smtp::Error),
    #[error("PUBLIC_URL: can't be the sender's domain: {0}")]
    Sender(#[from] lettre::address::AddressError),
}

/// Sends the outbox by SMTP.
#[derive(Debug)]
pub struct Mailer {
    outbox: Outbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

impl Mailer {
    /// # Errors
    /// [`MailerError`] where the address or the sender can't be used.
    pub fn new(outbox: Outbox, smtp_url: &SecretString, config: &Config) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp_url.expose_secret())?.build();
        let domain = match config.public_url.host_str() {
            Some(host) if host.contains('.') && !host.starts_with(|c: char| c.is_ascii_digit()) => host,
            _ => "localhost.localdomain",
        };
        let sender = Mailbox::new(Some("Tollgate".into()), format!("no-reply@{domain}").parse()?);
        Ok(Self { outbox, transport, sender })
    }

    /// Sends until `stop` is cancelled. A message that fails is tried again, later each time.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.send_one().await {
                Ok(true) if !stop.is_cancelled() => continue,
                Ok(_) => {}
                Err(error) => error!(%error, "the outbox can't be read"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.outbox.nudge.notified() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Sends the message that is longest due. Says whether there was one.
    async fn send_one(&self) -> Result<bool> {
        let Outbox { store, clock, .. } = &self.outbox;
        let now = clock.now();
        let Some(due) = store.claim_due_message(now, now + CLAIM).await? else { return Ok(false) };
        match self.deliver(&due).await {
            Ok(()) => store.mark_sent(due.id, clock.now()).await?,
            Err(problem) => {
                warn!(message = %due.id, attempt = due.attempts, problem, "e-mail not sent");
                let minutes = 1_i64 << due.attempts.clamp(0, 8);
                store.put_off(due.id, clock.now() + Duration::minutes(minutes)).await?;
            }
        }
        Ok(true)
    }

    async fn deliver(&self, due: &Due) -> Result<(), String> {
        let to = due.recipient.parse::<Mailbox>().map_err(|error| error.to_string())?;
        let message = Message::builder()
            .from(self.sender.clone())
            .to(to)
            .subject(&due.subject)
            .body(due.body.clone())
            .map_err(|error| error.to_string())?;
        self.transport.send(message).await.map(drop).map_err(|error| error.to_string())
    }
}
