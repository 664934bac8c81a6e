//! Who looked at which group, why and when. Rows are added, never changed.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use crate::domain::{GroupId, GroupVisit, UserId, VisitVia};
use crate::error::Result;

#[derive(FromRow)]
struct Row {
    created_at: DateTime<Utc>,
    name: String,
    email: String,
    #[sqlx(try_from = "String")]
    via: VisitVia,
    reason: Option<String>,
}

impl From<Row> for GroupVisit {
    fn from(row: Row) -> Self {
        let Row { created_at, name, email, via, reason } = row;
        Self { created_at, user: name, email, via, reason }
    }
}

impl Store {
    /// Keeps that a user looks at a group, if there is such a group. One row stands for all that the user looks at by the
    /// same way and for the same reason since `since`. Gives whether
    /// there is such a group.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_group_visit(
        &self,
        group: GroupId,
        user: UserId,
        via: VisitVia,
        reason: Option<&str>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO group_visits (group_id, id, user_id, via, reason, created_at)
                 SELECT g.id, $2, $3, $4, $5, $7 FROM groups g
                 WHERE g.id = $1 AND NOT EXISTS (
                     SELECT 1 FROM group_visits v
                     WHERE v.group_id = g.id AND v.user_id = $3 AND v.via = $4 AND v.created_at > $6
                       AND COALESCE(v.reason, '') = COALESCE($5, ''))",
            )
            .bind(group)
            .bind(Uuid::now_v7())
            .bind(user)
            .bind(via.as_str())
            .bind(reason)
            .bind(since)
            .bind(now)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// The user's latest visit of the group by this way that began after `since`.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_group_visit(
        &self,
        group: GroupId,
        user: UserId,
        via: VisitVia,
        since: DateTime<Utc>,
    ) -> Result<Option<GroupVisit>> {
        let row: Option<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT v.created_at, w.name, w.email, v.via, v.reason
                 FROM group_visits v JOIN users w ON w.id = v.user_id
                 WHERE v.group_id = $1 AND v.user_id = $2 AND v.via = $3 AND v.created_at > $4
                 ORDER BY v.id DESC LIMIT 1",
            )
            .bind(group)
            .bind(user)
            .bind(via.as_str())
            .bind(since)
            .fetch_optional(pool)
            .await?
        });
        Ok(row.map(GroupVisit::from))
    }

    /// The group's latest visits, the latest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn group_visits(&self, group: GroupId, limit: i64) -> Result<Vec<GroupVisit>> {
        let rows: Vec<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT v.created_at, w.name, w.email, v.via, v.reason
                 FROM group_visits v JOIN users w ON w.id = v.user_id
                 WHERE v.group_id = $1 ORDER BY v.id DESC LIMIT $2",
            )
            .bind(group)
            .bind(limit)
            .fetch_all(pool)
            .await?
        });
        Ok(rows.into_iter().map(GroupVisit::from).collect())
    }
}
