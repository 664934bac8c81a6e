//! Notices: what a group is to be told, from the transaction of its cause until it has become messages.

use std::future::Future;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::dialect::DialectStatement;
use super::{Store, Tx};
use crate::domain::{GroupId, Notice, NoticeId, NotificationKind, NotificationSettings, Role, UserId};
use crate::error::{Error, Result};

/// A notice that is to become messages.
#[derive(Clone, Debug)]
pub struct OpenNotice {
    pub id: NoticeId,
    pub group_id: GroupId,
    pub group_name: String,
    pub notice: Notice,
}

#[derive(FromRow)]
struct NoticeRow {
    id: NoticeId,
    group_id: GroupId,
    group_name: String,
    topic: String,
    data: Json<Value>,
}

/// One of a group's people, and whether they want a kind of e-mail.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub user_id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// What they chose, or else what their role goes by.
    pub wants: bool,
}

#[derive(FromRow)]
struct RecipientRow {
    id: UserId,
    email: String,
    name: String,
    #[sqlx(try_from = "String")]
    role: Role,
    wanted: Option<bool>,
}

/// Keeps the oldest notice that is open, of those after `$1`, from other processes. On PostgreSQL one that another
/// process has is passed over; SQLite's writers come one after the other.
const CLAIM: DialectStatement = DialectStatement {
    sqlite: "SELECT n.id, n.group_id, g.name AS group_name, n.topic, n.data
             FROM notices n JOIN groups g ON g.id = n.group_id
             WHERE n.expanded_at IS NULL AND n.id > $1 ORDER BY n.id LIMIT 1",
    postgres: "SELECT n.id, n.group_id, g.name AS group_name, n.topic, n.data
               FROM notices n JOIN groups g ON g.id = n.group_id
               WHERE n.expanded_at IS NULL AND n.id > $1 ORDER BY n.id LIMIT 1 FOR UPDATE OF n SKIP LOCKED",
};

impl Store {
    /// Whether any notice has not become messages.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_open_notices(&self) -> Result<bool> {
        let first: Option<NoticeId> = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT id FROM notices WHERE expanded_at IS NULL ORDER BY id LIMIT 1")
                .fetch_optional(pool)
                .await?
        });
        Ok(first.is_some())
    }

    /// Whether the group was told anything about what has this name.
    ///
    /// # Errors
    /// The database's.
    pub async fn was_told_of(&self, group: GroupId, subject: &str) -> Result<bool> {
        let first: Option<NoticeId> = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT id FROM notices WHERE group_id = $1 AND subject = $2 LIMIT 1")
                .bind(group)
                .bind(subject)
                .fetch_optional(pool)
                .await?
        });
        Ok(first.is_some())
    }

    /// Has who waits by [`Store::notices_added`] look for notices: a transaction that left some has committed.
    pub fn wake_notices(&self) {
        self.notices_added.notify_one();
    }

    /// Waits until this process commits notices.
    pub fn notices_added(&self) -> impl Future<Output = ()> + '_ {
        self.notices_added.notified()
    }
}

impl Tx {
    /// Puts down what a group is to be told, in the transaction of its cause. With `once`, what the group was told of
    /// under this topic before isn't told again. [`Store::wake_notices`] after the commit has it sent at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_notice(
        &mut self,
        group: GroupId,
        notice: &Notice,
        once: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut stored = serde_json::to_value(notice).map_err(|error| Error::Internal(error.to_string()))?;
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO notices (id, group_id, topic, subject, data, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (group_id, topic, subject) DO NOTHING",
            )
            .bind(NoticeId(Uuid::now_v7()))
            .bind(group)
            .bind(notice.topic())
            .bind(once)
            .bind(Json(stored["data"].take()))
            .bind(now)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// The oldest notice after `after` that has not become messages. Until the commit, no other transaction takes it.
    ///
    /// # Errors
    /// [`Error::Internal`] for one that can't be read, with its id; the database's.
    pub async fn claim_notice(&mut self, after: NoticeId) -> Result<Option<(NoticeId, Result<OpenNotice>)>> {
        let claim = CLAIM.of(self);
        let row: Option<NoticeRow> = on_tx!(self, |connection| {
            sqlx::query_as(claim).bind(after).fetch_optional(connection).await?
        });
        Ok(row.map(|NoticeRow { id, group_id, group_name, topic, data }| {
            let notice = serde_json::from_value(json!({"topic": topic, "data": data.0}));
            let read = notice
                .map(|notice| OpenNotice { id, group_id, group_name, notice })
                .map_err(|error| Error::Internal(format!("notice {id}: {error}")));
            (id, read)
        }))
    }

    /// The people of a group as they are now.
    ///
    /// # Errors
    /// The database's.
    pub async fn recipients(&mut self, group: GroupId, kind: NotificationKind) -> Result<Vec<Recipient>> {
        let rows: Vec<RecipientRow> = on_tx!(self, |connection| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, u.role, s.wanted
                 FROM users u LEFT JOIN notification_settings s ON s.user_id = u.id AND s.kind = $2
                 WHERE u.group_id = $1 AND u.removed_at IS NULL ORDER BY u.id",
            )
            .bind(group)
            .bind(kind.as_str())
            .fetch_all(connection)
            .await?
        });
        let recipient = |RecipientRow { id, email, name, role, wanted }| {
            let by_role = NotificationSettings::of_role(role).wants(kind);
            Recipient { user_id: id, email, name, role, wants: wanted.unwrap_or(by_role) }
        };
        Ok(rows.into_iter().map(recipient).collect())
    }

    /// Marks a notice as having become messages, in their transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_expanded(&mut self, id: NoticeId, now: DateTime<Utc>) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query("UPDATE notices SET expanded_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}
