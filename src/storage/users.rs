//! Users, and how they sign in.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{PageRequest, PageRows, Store, Tx, dialect};
use crate::domain::{Caller, Group, GroupId, KeyId, Member, Refusal, Role, User, UserId};
use crate::error::{Error, Result};

#[derive(FromRow)]
struct UserRow {
    id: UserId,
    email: String,
    name: String,
    #[sqlx(try_from = "String")]
    role: Role,
    group_id: Option<GroupId>,
    group_name: Option<String>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role,
            group: row.group_id.zip(row.group_name).map(|(id, name)| Group { id, name }),
        }
    }
}

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    /// Lower case.
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub role: Role,
}

/// What a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: User,
    pub password_hash: String,
}

fn email_taken(error: sqlx::Error) -> Error {
    if dialect::is_unique_violation(&error, "users_email", "users.email") {
        Refusal::EmailTaken.into()
    } else {
        error.into()
    }
}

impl Store {
    /// A user who has not been removed.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let row: Option<UserRow> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, u.role, u.group_id, g.name AS group_name
                 FROM users u LEFT JOIN groups g ON g.id = u.group_id
                 WHERE u.id = $1 AND u.removed_at IS NULL",
            )
            .bind(id)
            .fetch_optional(pool)
            .await?
        });
        Ok(row.map(User::from))
    }

    /// The user with this address (lower case) and the hash of their password.
    pub async fn credentials(&self, email: &str) -> Result<Option<Credentials>> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            user: UserRow,
            password_hash: String,
        }
        let row: Option<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, u.role, u.group_id, g.name AS group_name, u.password_hash
                 FROM users u LEFT JOIN groups g ON g.id = u.group_id
                 WHERE u.email = $1 AND u.removed_at IS NULL",
            )
            .bind(email)
            .fetch_optional(pool)
            .await?
        });
        Ok(row.map(|row| Credentials { user: row.user.into(), password_hash: row.password_hash }))
    }

    /// The user whose key has this hash, and the key. Notes the use, to the minute, so that a busy key isn't written at
    /// each request.
    pub async fn caller_of_key(&self, key_hash: &[u8], now: DateTime<Utc>) -> Result<Option<Caller>> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            user: UserRow,
            key_id: KeyId,
            last_used_at: Option<DateTime<Utc>>,
        }
        let row: Option<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, u.role, u.group_id, g.name AS group_name,
                        k.id AS key_id, k.last_used_at
                 FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN groups g ON g.id = u.group_id
                 WHERE k.key_hash = $1 AND k.revoked_at IS NULL AND u.removed_at IS NULL",
            )
            .bind(key_hash)
            .fetch_optional(pool)
            .await?
        });
        let Some(row) = row else { return Ok(None) };
        if row.last_used_at.is_none_or(|at| now - at >= chrono::Duration::minutes(1)) {
            write_db!(self, |pool| {
                sqlx::query(
                    "UPDATE api_keys SET last_used_at = $2
                     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
                )
                .bind(row.key_id)
                .bind(now)
                .bind(now - chrono::Duration::minutes(1))
                .execute(pool)
                .await?;
            });
        }
        Ok(Some(Caller { user: row.user.into(), key: Some(row.key_id) }))
    }

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
        #[derive(FromRow)]
        struct Row {
            id: UserId,
            email: String,
            name: String,
            #[sqlx(try_from = "String")]
            role: Role,
            joined_at: DateTime<Utc>,
        }
        let rows: Vec<Row> = on_db!(self, |pool| {
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
        let member = |Row { id, email, name, role, joined_at }| Member { id, email, name, role, joined_at };
        Ok(page.page(rows.into_iter().map(member).collect()))
    }
}

impl Tx {
    /// Adds a user to the group, or to none for a SuperAdmin.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`]; the database's.
    pub async fn add_user(
        &mut self,
        user: &NewUser,
        group: Option<GroupId>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO users (id, email, name, password_hash, role, group_id, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(user.id)
            .bind(&user.email)
            .bind(&user.name)
            .bind(&user.password_hash)
            .bind(user.role.as_str())
            .bind(group)
            .bind(now)
            .execute(connection)
            .await
            .map_err(email_taken)?;
        });
        Ok(())
    }

    /// Whether an account has this address (lower case).
    ///
    /// # Errors
    /// The database's.
    pub async fn is_email_taken(&mut self, email: &str) -> Result<bool> {
        let accounts: i64 = on_tx!(self, |connection| {
            sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE email = $1 AND removed_at IS NULL")
                .bind(email)
                .fetch_one(connection)
                .await?
        });
        Ok(accounts > 0)
    }

    /// Removes a member from the group: keys and conversations go, the sessions end, the part of the ledger stays. The group's row
    /// has to be locked, so that two admins can't remove each other at once.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a user who isn't in the group, [`Refusal::LastAdmin`]; the database's.
    pub async fn remove_member(&mut self, group: GroupId, id: UserId, now: DateTime<Utc>) -> Result<()> {
        let (role, admins): (Option<String>, i64) = on_tx!(self, |connection| {
            sqlx::query_as(
                "SELECT (SELECT role FROM users WHERE id = $1 AND group_id = $2 AND removed_at IS NULL),
                        (SELECT COUNT(*) FROM users
                         WHERE group_id = $2 AND role = 'admin' AND removed_at IS NULL)",
            )
            .bind(id)
            .bind(group)
            .fetch_one(connection)
            .await?
        });
        let role = role.ok_or_else(|| Refusal::NotFound("member".into()))?;
        if role == Role::Admin.as_str() && admins <= 1 {
            return Err(Refusal::LastAdmin.into());
        }
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
        Ok(())
    }
}
