//! The worker that sends what is in the outbox.

use std::time::Duration as StdDuration;

use chrono::Duration;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use url::Url;

use super::Outbox;
use crate::error::Result;
use crate::storage::DueMessage;

/// How long a message is kept from other processes while it is being sent: longer than [`DELIVERY_TIMEOUT`].
const CLAIM: Duration = Duration::minutes(2);
/// How long a mail server may take for one message.
const DELIVERY_TIMEOUT: StdDuration = StdDuration::from_secs(60);
/// How long a message that is being sent when the server stops is waited for. It stays claimed where that isn't
/// enough, and is sent again later: sent twice is better than not at all.
const STOP_GRACE: StdDuration = StdDuration::from_secs(5);
/// How often the outbox is looked at without being woken, for what other processes put there or put off.
const INTERVAL: StdDuration = StdDuration::from_secs(30);
/// After so many attempts, over about 13 hours, a message is given up.
pub const MAX_ATTEMPTS: i64 = 10;

/// Why no mailer can be made. Names the variable.
#[derive(Debug, Error)]
pub enum MailerError {
    #[error("SMTP_URL: {0}")]
    Address(#[from] smtp::Error),
    #[error("PUBLIC_URL: can't be the sender's domain: {0}")]
    Sender(#[from] lettre::address::AddressError),
}

/// Why a message wasn't sent.
#[derive(Debug)]
struct DeliveryError {
    problem: String,
    /// Whether trying again can't help.
    permanent: bool,
}

impl DeliveryError {
    fn passing(problem: impl ToString) -> Self {
        Self { problem: problem.to_string(), permanent: false }
    }

    fn permanent(problem: impl ToString) -> Self {
        Self { problem: problem.to_string(), permanent: true }
    }
}

impl From<smtp::Error> for DeliveryError {
    fn from(error: smtp::Error) -> Self {
        // 530 to 538 refuse this program, not the message: the operator has to look at SMTP_URL, and it goes out then.
        let refuses_us = error.status().is_some_and(|code| u16::from(code) / 10 == 53);
        Self { permanent: error.is_permanent() && !refuses_us, problem: error.to_string() }
    }
}

/// Sends the outbox by SMTP.
#[derive(Debug)]
pub struct Mailer {
    outbox: Outbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
    domain: String,
    delivery_timeout: StdDuration,
}

impl Mailer {
    /// Sends from `no-reply@` the domain that people see.
    ///
    /// # Errors
    /// [`MailerError`] where the address or the sender can't be used.
    pub fn new(outbox: Outbox, smtp_url: &SecretString, public_url: &Url) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp_url.expose_secret())?.build();
        let domain = match public_url.host_str() {
            Some(host) if host.contains('.') && !host.starts_with(|c: char| c.is_ascii_digit()) => host,
            _ => "localhost.localdomain",
        };
        let sender = Mailbox::new(Some("Tollgate".into()), format!("no-reply@{domain}").parse()?);
        let domain = domain.to_owned();
        Ok(Self { outbox, transport, sender, domain, delivery_timeout: DELIVERY_TIMEOUT })
    }

    /// With another limit on how long a mail server may take for one message.
    pub fn with_delivery_timeout(self, delivery_timeout: StdDuration) -> Self {
        Self { delivery_timeout, ..self }
    }

    /// Sends until `stop` is cancelled. A message that fails is tried again, later each time, and in the end given up.
    pub async fn run(self, stop: CancellationToken) {
        let expired = async {
            stop.cancelled().await;
            sleep(STOP_GRACE).await;
        };
        tokio::select! {
            () = self.send_all(&stop) => {}
            () = expired => warn!("stopped while an e-mail was being sent: it is sent again"),
        }
    }

    async fn send_all(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.send_one().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => error!(%error, "the outbox can't be read"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.outbox.added.notified() => {}
                () = sleep(INTERVAL) => {}
            }
        }
    }

    /// Tries to send the message that is longest due. Says whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn send_one(&self) -> Result<bool> {
        let Outbox { store, clock, .. } = &self.outbox;
        let now = clock.now();
        let Some(due) = store.claim_due_message(now, now + CLAIM).await? else { return Ok(false) };
        let delivery = timeout(self.delivery_timeout, self.deliver(&due)).await;
        match delivery.unwrap_or_else(|_| Err(DeliveryError::passing("the mail server doesn't answer"))) {
            Ok(()) => store.mark_sent(due.id, clock.now()).await?,
            Err(DeliveryError { problem, permanent }) => {
                let given_up = permanent || due.attempts >= MAX_ATTEMPTS;
                warn!(message = %due.id, attempt = due.attempts, given_up, problem, "e-mail not sent");
                if given_up {
                    store.mark_failed(due.id).await?;
                } else {
                    store.put_off(due.id, clock.now() + backoff(due.attempts)).await?;
                }
            }
        }
        Ok(true)
    }

    async fn deliver(&self, due: &DueMessage) -> Result<(), DeliveryError> {
        let (text, html) = due
            .content(self.outbox.clock.now())
            .ok_or_else(|| DeliveryError::permanent("its link has expired"))?;
        let to = due.recipient.parse::<Mailbox>().map_err(DeliveryError::permanent)?;
        let mut message = Message::builder()
            .from(self.sender.clone())
            .to(to)
            .subject(&due.subject)
            // The same at each attempt, so that the receiver recognises a message sent twice.
            .message_id(Some(format!("<{}@{}>", due.id, self.domain)))
            // Automatic replies to it help nobody.
            .raw_header(raw("Auto-Submitted", "auto-generated")?)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(DeliveryError::permanent)?;
        if let Some(url) = &due.unsubscribe_url {
            // Source: RFC 8058, section 3.1.
            let headers = message.headers_mut();
            headers.insert_raw(raw("List-Unsubscribe", &format!("<{url}>"))?);
            headers.insert_raw(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?);
        }
        self.transport.send(message).await?;
        Ok(())
    }
}

/// A header that lettre has no type for.
fn raw(name: &str, value: &str) -> Result<HeaderValue, DeliveryError> {
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(DeliveryError::permanent)?;
    // As it is: an address that is folded or encoded isn't one that a mailbox can ask.
    Ok(HeaderValue::dangerous_new_pre_encoded(name, value.to_owned(), value.to_owned()))
}

/// How long after the attempt of this number the next one comes: 2, 4, 8 … minutes, 256 at most.
fn backoff(attempts: i64) -> Duration {
    Duration::minutes(1_i64 << attempts.clamp(0, 8))
}
