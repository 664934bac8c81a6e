//! Turning notices into messages: who is told is found out here, after the cause has committed.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::error;
use uuid::Uuid;

use super::templates::{About, Footer, write};
use super::{NewMessage, Outbox};
use crate::domain::{Notice, NoticeId, Role};
use crate::error::{Error, Result};
use crate::storage::{OpenNotice, Origin, Recipient, Tx};

/// How often notices are looked for without being woken, for what other processes put down.
const INTERVAL: Duration = Duration::from_secs(5);

impl Outbox {
    /// Turns notices into messages until `stop` is cancelled.
    pub async fn run_notices(self, stop: CancellationToken) {
        let forever = async {
            loop {
                if let Err(error) = self.expand_notices().await {
                    error!(%error, "the notices can't be read");
                }
                tokio::select! {
                    () = self.store.notices_added() => {}
                    () = sleep(INTERVAL) => {}
                }
            }
        };
        // What is broken off is rolled back, and done by the next process.
        stop.run_until_cancelled(forever).await;
    }

    /// Turns every open notice into messages, each in a transaction of its own. One that can't be is left open, and holds up
    /// no other.
    ///
    /// # Errors
    /// The database's.
    pub async fn expand_notices(&self) -> Result<()> {
        if !self.store.has_open_notices().await? {
            return Ok(());
        }
        let mut after = NoticeId(Uuid::nil());
        while let Some(id) = self.expand_next(after).await? {
            after = id;
        }
        Ok(())
    }

    /// Turns the next notice into messages and gives its id; `None` where none is left.
    async fn expand_next(&self, after: NoticeId) -> Result<Option<NoticeId>> {
        let mut tx = self.store.begin().await?;
        let Some((id, read)) = tx.claim_notice(after).await? else { return Ok(None) };
        let done = async {
            let open = read?;
            self.write_messages(&mut tx, &open).await?;
            tx.mark_expanded(id, self.clock.now()).await
        };
        match done.await {
            Ok(()) => {
                tx.commit().await?;
                self.wake();
            }
            Err(failed @ Error::Internal(_)) => error!(error = %failed, "a notice can't be told"),
            Err(failed) => return Err(failed),
        }
        Ok(Some(id))
    }

    async fn write_messages(&self, tx: &mut Tx, open: &OpenNotice) -> Result<()> {
        let kind = open.notice.kind();
        for recipient in tx.recipients(open.group_id, kind).await? {
            let has_to_know = open.notice.is_required() && recipient.role == Role::Admin;
            if !has_to_know && !recipient.wants {
                continue;
            }
            let token = if open.notice.is_required() {
                None
            } else {
                Some(tx.unsubscribe_token(recipient.user_id, kind).await?)
            };
            let message = self.message(open, recipient, token)?;
            self.add(tx, &message).await?;
        }
        Ok(())
    }

    fn message(&self, open: &OpenNotice, to: Recipient, token: Option<Uuid>) -> Result<NewMessage> {
        let group = &open.group_name;
        let mut stored =
            serde_json::to_value(&open.notice).map_err(|error| Error::Internal(error.to_string()))?;
        let data: Value = stored["data"].take();
        let base = self.public_url.as_str();
        let about = About { group, base, admin: to.role == Role::Admin, data };
        let unsubscribe_url = token.map(|token| format!("{base}unsubscribe/{token}"));
        let footer = Footer {
            note: reason(&open.notice, to.role, group),
            settings_url: Some(format!("{base}settings/account")),
            unsubscribe_url: unsubscribe_url.clone(),
        };
        let content = write(open.notice.topic(), &about, &footer)?;
        Ok(NewMessage {
            recipient: to.email,
            subject: content.subject,
            body: content.text,
            html: content.html,
            link: None,
            origin: Some(Origin { notice: open.id, user: to.user_id }),
            unsubscribe_url,
        })
    }
}

/// Why somebody gets it.
fn reason(notice: &Notice, role: Role, group: &str) -> String {
    match (role, notice.is_required()) {
        (Role::Admin, true) => format!("All admins of {group} get this: access depends on it."),
        (Role::Admin, false) => format!("You get this as an admin of {group}."),
        _ => format!("You get this as a member of {group}, since you chose to."),
    }
}
