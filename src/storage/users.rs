//! Users, and how they sign in.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Store, Tx, dialect};
use crate::domain::{Caller, Group, GroupId, KeyId, Refusal, Role, User, UserId};
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

/// What to change of a user; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    pub name: Option<String>,
    /// Lower case.
    pub email: Option<String>,
    pub password_hash: Option<String>,
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

    /// Changes what is given of a user. Where a password was checked first, `checked` is its hash: nothing is changed if
    /// it isn't the user's any more.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`]; [`Refusal::WrongCredentials`] where the user is gone or the password another by now; the
    /// database's.
    pub async fn change_user(
        &mut self,
        id: UserId,
        change: &UserChange,
        checked: Option<&str>,
    ) -> Result<()> {
        let changed = on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE users SET name = COALESCE($2, name), email = COALESCE($3, email),
                     password_hash = COALESCE($4, password_hash)
                 WHERE id = $1 AND removed_at IS NULL AND password_hash = COALESCE($5, password_hash)",
            )
            .bind(id)
            .bind(&change.name)
            .bind(&change.email)
            .bind(&change.password_hash)
            .bind(checked)
            .execute(connection)
            .await
            .map_err(email_taken)?
            .rows_affected()
        });
        if changed == 0 { Err(Refusal::WrongCredentials.into()) } else { Ok(()) }
    }

    /// The user with this address (lower case).
    ///
    /// # Errors
    /// The database's.
    pub async fn user_by_email(&mut self, email: &str) -> Result<Option<User>> {
        let row: Option<UserRow> = on_tx!(self, |connection| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, u.role, u.group_id, g.name AS group_name
                 FROM users u LEFT JOIN groups g ON g.id = u.group_id
                 WHERE u.email = $1 AND u.removed_at IS NULL",
            )
            .bind(email)
            .fetch_optional(connection)
            .await?
        });
        Ok(row.map(User::from))
    }
}
