//! The members of a group.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{PageRequest, PageRows, Store, Tx};
use crate::domain::{GroupId, Member, Refusal, Role, UserId};
use crate::error::Result;

#[derive(FromRow)]
struct MemberRow {
    id: UserId,
    email: String,
    name: String,
    #[sqlx(try_from = "String")]
    role: Role,
    joined_at: DateTime<Utc>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { id: row.id, email: row.email, name: row.name, role: row.role, joined_at: row.joined_at }
    }
}

impl Store {
    /// The group's members, the longest there first.
    ///
    /// # Errors
    /// The database's.
    pub async fn members(&self, group: GroupId) -> Result<Vec<Member>> {
        Ok(self.members_page(group, PageRequest::all()).await?.rows)
    }

    /// One page of [`Store::members`].
    ///
    /// # Errors
    /// The database's.
    pub async fn members_page(&self, group: GroupId, page: PageRequest<UserId>) -> Result<PageRows<Member>> {
        let rows: Vec<MemberRow> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, email, name, role, created_at AS joined_at FROM users
                 WHERE group_id = $1 AND removed_at IS NULL AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(group)
            .bind(page.after.unwrap_or(UserId(Uuid::nil())))
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows.into_iter().map(Member::from).collect()))
    }
}

impl Tx {
    /// A member of the group, whose row has to be locked, so that two admins can't both be the last to go. `leaving`
    /// says that this one is going to be an admin no more.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a user who isn't in the group; [`Refusal::LastAdmin`] where the only admin is leaving; the
    /// database's.
    async fn member(&mut self, group: GroupId, id: UserId, leaving: bool) -> Result<Member> {
        let member: Option<MemberRow> = on_tx!(self, |connection| {
            sqlx::query_as(
                "SELECT id, email, name, role, created_at AS joined_at FROM users
                 WHERE id = $1 AND group_id = $2 AND removed_at IS NULL",
            )
            .bind(id)
            .bind(group)
            .fetch_optional(&mut *connection)
            .await?
        });
        let member = member.ok_or_else(|| Refusal::NotFound("member".into()))?;
        if leaving && member.role == Role::Admin && self.admins(group).await? <= 1 {
            return Err(Refusal::LastAdmin.into());
        }
        Ok(member.into())
    }

    async fn admins(&mut self, group: GroupId) -> Result<i64> {
        Ok(on_tx!(self, |connection| {
            sqlx::query_scalar(
                "SELECT COUNT(*) FROM users WHERE group_id = $1 AND role = 'admin' AND removed_at IS NULL",
            )
            .bind(group)
            .fetch_one(connection)
            .await?
        }))
    }

    /// Gives a member of the group another role. The group's row has to be locked.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a user who isn't in the group; [`Refusal::LastAdmin`]; the database's.
    pub async fn change_role(&mut self, group: GroupId, id: UserId, role: Role) -> Result<Member> {
        let member = self.member(group, id, role != Role::Admin).await?;
        on_tx!(self, |connection| {
            sqlx::query("UPDATE users SET role = $2 WHERE id = $1")
                .bind(id)
                .bind(role.as_str())
                .execute(connection)
                .await?;
        });
        Ok(Member { role, ..member })
    }

    /// Removes a member from the group: keys, sessions, conversations and what e-mails were chosen go, the part of the ledger stays. The group's
    /// row has to be locked.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a user who isn't in the group; [`Refusal::LastAdmin`]; the database's.
    pub async fn remove_member(&mut self, group: GroupId, id: UserId, now: DateTime<Utc>) -> Result<()> {
        let member = self.member(group, id, true).await?;
        self.discard_password_reset(&member.email).await?;
        on_tx!(self, |connection| {
            sqlx::query("UPDATE users SET removed_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(&mut *connection)
                .await?;
            sqlx::query("UPDATE api_keys SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL")
                .bind(id)
                .bind(now)
                .execute(&mut *connection)
                .await?;
            sqlx::query("DELETE FROM chat_conversations WHERE group_id = $1 AND user_id = $2")
                .bind(group)
                .bind(id)
                .execute(&mut *connection)
                .await?;
            sqlx::query("DELETE FROM notification_settings WHERE user_id = $1")
                .bind(id)
                .execute(connection)
                .await?;
        });
        self.end_sessions(id, None).await
    }
}
