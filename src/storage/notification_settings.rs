//! Which e-mails each user gets.

use uuid::Uuid;

use super::{Store, Tx};
use crate::domain::{NotificationKind, NotificationSettings, Role, UserId};
use crate::error::{Error, Result};

/// What a token unsubscribes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribable {
    pub email: String,
    pub kind: NotificationKind,
    /// Whether its user gets none of the kind any more.
    pub is_stopped: bool,
}

impl Store {
    /// What the user chose, and what goes by the role where nothing was chosen.
    ///
    /// # Errors
    /// The database's.
    pub async fn notification_settings(&self, user: UserId, role: Role) -> Result<NotificationSettings> {
        let chosen: Vec<(String, Option<bool>)> = on_db!(self, |pool| {
            sqlx::query_as("SELECT kind, wanted FROM notification_settings WHERE user_id = $1")
                .bind(user)
                .fetch_all(pool)
                .await?
        });
        let mut settings = NotificationSettings::of_role(role);
        for (kind, wanted) in chosen {
            let kind = NotificationKind::try_from(kind).map_err(Error::Internal)?;
            if let Some(wanted) = wanted {
                settings.set(kind, wanted);
            }
        }
        Ok(settings)
    }

    /// Keeps what the user chose.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_notifications(&self, user: UserId, settings: &NotificationSettings) -> Result<()> {
        in_tx!(self, |connection| {
            for kind in NotificationKind::ALL {
                sqlx::query(
                    "INSERT INTO notification_settings (user_id, kind, wanted, unsubscribe_token)
                     VALUES ($1, $2, $3, $4)
                     ON CONFLICT (user_id, kind) DO UPDATE SET wanted = excluded.wanted",
                )
                .bind(user)
                .bind(kind.as_str())
                .bind(settings.wants(kind))
                .bind(Uuid::new_v4())
                .execute(&mut *connection)
                .await?;
            }
        });
        Ok(())
    }

    /// What a token unsubscribes from, and whose it is; `None` for one that isn't known.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsubscribable(&self, token: Uuid) -> Result<Option<Unsubscribable>> {
        let found: Option<(String, String, Option<bool>)> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.email, s.kind, s.wanted FROM notification_settings s JOIN users u ON u.id = s.user_id
                 WHERE s.unsubscribe_token = $1 AND u.removed_at IS NULL",
            )
            .bind(token)
            .fetch_optional(pool)
            .await?
        });
        found
            .map(|(email, kind, wanted)| {
                let kind = NotificationKind::try_from(kind).map_err(Error::Internal)?;
                Ok(Unsubscribable { email, kind, is_stopped: wanted == Some(false) })
            })
            .transpose()
    }

    /// Has the token's user get no more e-mail of its kind. Gives whether the token is known.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsubscribe(&self, token: Uuid) -> Result<bool> {
        let changed = write_db!(self, |pool| {
            sqlx::query("UPDATE notification_settings SET wanted = FALSE WHERE unsubscribe_token = $1")
                .bind(token)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }
}

impl Tx {
    /// The token by which the user unsubscribes from a kind of e-mail: the same each time.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsubscribe_token(&mut self, user: UserId, kind: NotificationKind) -> Result<Uuid> {
        Ok(on_tx!(self, |connection| {
            sqlx::query_scalar(
                "INSERT INTO notification_settings (user_id, kind, unsubscribe_token) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id, kind) DO UPDATE SET kind = excluded.kind
                 RETURNING unsubscribe_token",
            )
            .bind(user)
            .bind(kind.as_str())
            .bind(Uuid::new_v4())
            .fetch_one(connection)
            .await?
        }))
    }
}
