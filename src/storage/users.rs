//! People, and how they sign in.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Store, dialect};
use crate::domain::{Group, Member, Refusal, Role, User};
use crate::error::{Error, Result};

#[derive(FromRow)]
struct UserRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    group_id: Option<Uuid>,
    group_name: Option<String>,
}

impl UserRow {
    fn user(self) -> Result<User> {
        Ok(User {
            id: self.id,
            email: self.email,
            name: self.name,
            role: role(&self.role)?,
            group: self.group_id.zip(self.group_name).map(|(id, name)| Group { id, name }),
        })
    }
}

/// A role as the database keeps it.
pub(super) fn role(word: &str) -> Result<Role> {
    word.parse().map_err(Error::Internal)
}

/// Somebody to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: Uuid,
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

/// Adds a user inside a transaction; a taken address is a refusal.
macro_rules! insert_user {
    ($tx:ident, $user:expr, $group:expr, $now:expr) => {
        sqlx::query(
            "INSERT INTO users (id, email, name, password_hash, role, group_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind($user.id)
        .bind(&$user.email)
        .bind(&$user.name)
        .bind(&$user.password_hash)
        .bind($user.role.as_str())
        .bind($group)
        .bind($now)
        .execute(&mut *$tx)
        .await
        .map_err($crate::storage::users::email_taken)?
    };
}
pub(super) use insert_user;

pub(super) fn email_taken(error: sqlx::Error) -> Error {
    if dialect::is_unique_violation(&error, "users_email", "users.email") {
        Refusal::EmailTaken.into()
    } else {
        error.into()
    }
}

impl Store {
    /// Adds a user to the group, or to none for a SuperAdmin.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`]; the database's.
    pub async fn add_user(&self, user: &NewUser, group: Option<Uuid>, now: DateTime<Utc>) -> Result<()> {
        in_tx!(self, |tx| {
            insert_user!(tx, user, group, now);
        });
        Ok(())
    }

    /// Adds a group and the user who runs it, both or neither.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`]; the database's.
    pub async fn add_group_with_admin(
        &self,
        group: &Group,
        admin: &NewUser,
        now: DateTime<Utc>,
    ) -> Result<()> {
        in_tx!(self, |tx| {
            sqlx::query("INSERT INTO groups (id, name, created_at) VALUES ($1, $2, $3)")
                .bind(group.id)
                .bind(&group.name)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            insert_user!(tx, admin, Some(group.id), now);
        });
        Ok(())
    }

    /// A user who has not been removed.
    pub async fn user(&self, id: Uuid) -> Result<Option<User>> {
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
        row.map(UserRow::user).transpose()
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
        row.map(|row| Ok(Credentials { user: row.user.user()?, password_hash: row.password_hash }))
            .transpose()
    }

    /// The user whose key has this hash. Notes the use, to the minute, so that a busy key isn't written at
    /// each request.
    pub async fn user_of_key(&self, key_hash: &[u8], now: DateTime<Utc>) -> Result<Option<User>> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            user: UserRow,
            key_id: Uuid,
            last_used_at: Option<DateTime<Utc>>,
        }
        let row: Option<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, u.role, u.group_id, g.name AS group_name,
                        k.id AS key_id, k.last_used_at
                 FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN groups g ON g.id = u.group_id
                 WHERE k.key_hash = $1 AND u.removed_at IS NULL",
            )
            .bind(key_hash)
            .fetch_optional(pool)
            .await?
        });
        let Some(row) = row else { return Ok(None) };
        if row.last_used_at.is_none_or(|at| now - at >= chrono::Duration::minutes(1)) {
            on_db!(self, |pool| {
                sqlx::query("UPDATE api_keys SET last_used_at = $2 WHERE id = $1")
                    .bind(row.key_id)
                    .bind(now)
                    .execute(pool)
                    .await?;
            });
        }
        row.user.user().map(Some)
    }

    /// Everybody in the group, longest there first.
    pub async fn members(&self, group: Uuid) -> Result<Vec<Member>> {
        let rows: Vec<(Uuid, String, String, String, DateTime<Utc>)> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, email, name, role, created_at FROM users
                 WHERE group_id = $1 AND removed_at IS NULL ORDER BY created_at, id",
            )
            .bind(group)
            .fetch_all(pool)
            .await?
        });
        rows.into_iter()
            .map(|(id, email, name, word, joined_at)| {
                Ok(Member { id, email, name, role: role(&word)?, joined_at })
            })
            .collect()
    }

    /// Removes somebody from the group: their keys go, their sessions end, their part of the ledger stays.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for somebody who isn't in the group, [`Refusal::LastAdmin`]; the database's.
    pub async fn remove_member(&self, group: Uuid, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        in_tx!(self, |tx| {
            // Queues for the group's row, so that two admins can't remove each other at once.
            sqlx::query("UPDATE groups SET seat_changes = seat_changes + 1 WHERE id = $1")
                .bind(group)
                .execute(&mut *tx)
                .await?;
            let found: Option<String> = sqlx::query_scalar(
                "SELECT role FROM users WHERE id = $1 AND group_id = $2 AND removed_at IS NULL",
            )
            .bind(id)
            .bind(group)
            .fetch_optional(&mut *tx)
            .await?;
            let word = found.ok_or_else(|| Refusal::NotFound("member".into()))?;
            if role(&word)? == Role::Admin {
                let admins: i64 = sqlx::query_scalar(
                    "SELECT COUNT(*) FROM users WHERE group_id = $1 AND role = 'admin' AND removed_at IS NULL",
                )
                .bind(group)
                .fetch_one(&mut *tx)
                .await?;
                if admins <= 1 {
                    return Err(Refusal::LastAdmin.into());
                }
            }
            sqlx::query("UPDATE users SET removed_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            sqlx::query("DELETE FROM api_keys WHERE user_id = $1").bind(id).execute(&mut *tx).await?;
        });
        Ok(())
    }
}
