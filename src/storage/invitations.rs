//! Invitations, and the seats they keep.
//!
//! A seat is taken by a member or by an open invitation. Whatever takes one first updates the group's row,
//! so that two who want the last seat queue for it and the second is refused.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::users::{insert_user, role};
use super::{NewUser, Store};
use crate::domain::{Invitation, Refusal, Role};
use crate::error::Result;

/// An invitation to keep; of its token, only the hash.
#[derive(Clone, Debug)]
pub struct NewInvitationRow {
    pub id: Uuid,
    pub group_id: Uuid,
    /// Lower case.
    pub email: String,
    pub role: Role,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    pub expires_at: DateTime<Utc>,
}

/// An open invitation, with the group's name.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    pub id: Uuid,
    pub group_id: Uuid,
    pub group_name: String,
    pub email: String,
    pub role: Role,
    pub expires_at: DateTime<Utc>,
}

/// Queues for the group's seats inside a transaction; gives how many the plan has and how many are taken.
macro_rules! lock_seats {
    ($tx:ident, $group:expr, $now:expr) => {{
        sqlx::query("UPDATE groups SET seat_changes = seat_changes + 1 WHERE id = $1")
            .bind($group)
            .execute(&mut *$tx)
            .await?;
        let seats: (Option<i64>, i64) =
            sqlx::query_as(SEATS).bind($group).bind($now).fetch_one(&mut *$tx).await?;
        seats
    }};
}

/// The plan's seats (null for unlimited, or for no subscription) and how many are taken at `$2`.
const SEATS: &str = "SELECT
    (SELECT p.max_users FROM subscriptions s JOIN plans p ON p.id = s.plan_id
     WHERE s.group_id = $1 AND s.status NOT IN ('canceled', 'incomplete_expired')),
    (SELECT COUNT(*) FROM users WHERE group_id = $1 AND removed_at IS NULL)
    + (SELECT COUNT(*) FROM invitations WHERE group_id = $1 AND expires_at > $2)";

impl Store {
    /// The plan's seats (`None` for unlimited or without a subscription) and how many are taken.
    pub async fn seats(&self, group: Uuid, now: DateTime<Utc>) -> Result<(Option<i64>, i64)> {
        Ok(on_db!(self, |pool| { sqlx::query_as(SEATS).bind(group).bind(now).fetch_one(pool).await? }))
    }

    /// Keeps an invitation where a seat is free. One for the same address is replaced, its link with it.
    ///
    /// # Errors
    /// [`Refusal::MaxUsersReached`]; [`Refusal::EmailTaken`] where the address has an account; the database's.
    pub async fn add_invitation(&self, invitation: &NewInvitationRow, now: DateTime<Utc>) -> Result<()> {
        in_tx!(self, |tx| {
            sqlx::query("DELETE FROM invitations WHERE group_id = $1 AND email = $2")
                .bind(invitation.group_id)
                .bind(&invitation.email)
                .execute(&mut *tx)
                .await?;
            let (seats, taken) = lock_seats!(tx, invitation.group_id, now);
            if let Some(seats) = seats
                && taken >= seats
            {
                return Err(Refusal::MaxUsersReached(seats).into());
            }
            let known: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE email = $1 AND removed_at IS NULL")
                    .bind(&invitation.email)
                    .fetch_one(&mut *tx)
                    .await?;
            if known > 0 {
                return Err(Refusal::EmailTaken.into());
            }
            sqlx::query(
                "INSERT INTO invitations (id, group_id, email, role, token_hash, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(invitation.id)
            .bind(invitation.group_id)
            .bind(&invitation.email)
            .bind(invitation.role.as_str())
            .bind(&invitation.token_hash)
            .bind(now)
            .bind(invitation.expires_at)
            .execute(&mut *tx)
            .await?;
        });
        Ok(())
    }

    /// The group's open invitations, oldest first.
    pub async fn invitations(&self, group: Uuid, now: DateTime<Utc>) -> Result<Vec<Invitation>> {
        let rows: Vec<(Uuid, String, String, DateTime<Utc>, DateTime<Utc>)> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, email, role, created_at, expires_at FROM invitations
                 WHERE group_id = $1 AND expires_at > $2 ORDER BY created_at, id",
            )
            .bind(group)
            .bind(now)
            .fetch_all(pool)
            .await?
        });
        rows.into_iter()
            .map(|(id, email, word, created_at, expires_at)| {
                Ok(Invitation { id, email, role: role(&word)?, created_at, expires_at })
            })
            .collect()
    }

    /// The open invitation whose token has this hash.
    pub async fn invitation(&self, token_hash: &[u8], now: DateTime<Utc>) -> Result<Option<InvitationRow>> {
        #[derive(FromRow)]
        struct Row {
            id: Uuid,
            group_id: Uuid,
            group_name: String,
            email: String,
            role: String,
            expires_at: DateTime<Utc>,
        }
        let row: Option<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT i.id, i.group_id, g.name AS group_name, i.email, i.role, i.expires_at
                 FROM invitations i JOIN groups g ON g.id = i.group_id
                 WHERE i.token_hash = $1 AND i.expires_at > $2",
            )
            .bind(token_hash)
            .bind(now)
            .fetch_optional(pool)
            .await?
        });
        row.map(|row| {
            Ok(InvitationRow {
                id: row.id,
                group_id: row.group_id,
                group_name: row.group_name,
                email: row.email,
                role: role(&row.role)?,
                expires_at: row.expires_at,
            })
        })
        .transpose()
    }

    /// Takes up an invitation: it goes and the user comes, both or neither.
    ///
    /// # Errors
    /// [`Refusal::InvitationGone`] where somebody took it up before; [`Refusal::MaxUsersReached`] where the
    /// plan has fewer seats by now; [`Refusal::EmailTaken`]; the database's.
    pub async fn accept_invitation(
        &self,
        invitation: &InvitationRow,
        user: &NewUser,
        now: DateTime<Utc>,
    ) -> Result<()> {
        in_tx!(self, |tx| {
            let gone = sqlx::query("DELETE FROM invitations WHERE id = $1 AND expires_at > $2")
                .bind(invitation.id)
                .bind(now)
                .execute(&mut *tx)
                .await?
                .rows_affected()
                == 0;
            if gone {
                return Err(Refusal::InvitationGone.into());
            }
            let (seats, taken) = lock_seats!(tx, invitation.group_id, now);
            if let Some(seats) = seats
                && taken >= seats
            {
                return Err(Refusal::MaxUsersReached(seats).into());
            }
            insert_user!(tx, user, Some(invitation.group_id), now);
        });
        Ok(())
    }

    /// Withdraws an invitation: its link stops working and its seat is free.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where the group has no such invitation; the database's.
    pub async fn withdraw_invitation(&self, group: Uuid, id: Uuid) -> Result<()> {
        let gone = on_db!(self, |pool| {
            sqlx::query("DELETE FROM invitations WHERE id = $1 AND group_id = $2")
                .bind(id)
                .bind(group)
                .execute(pool)
                .await?
                .rows_affected()
        });
        if gone == 0 { Err(Refusal::NotFound("invitation".into()).into()) } else { Ok(()) }
    }
}
