//! Invitations, and the seats they keep.
//!
//! A seat is taken by a member or by an open invitation. What takes one locks the group's row first, so that two
//! requests for the last seat queue for it and the second is refused.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{PageRequest, PageRows, Store, Tx};
use crate::domain::{GroupId, Invitation, InvitationId, Refusal, Role};
use crate::error::Result;

/// An invitation to keep; of its token, only the hash.
#[derive(Clone, Debug)]
pub struct NewInvitationRow {
    pub id: InvitationId,
    pub group_id: GroupId,
    /// Lower case.
    pub email: String,
    pub role: Role,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    pub expires_at: DateTime<Utc>,
}

/// An open invitation, with the group's name.
#[derive(Clone, Debug, FromRow)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub group_id: GroupId,
    pub group_name: String,
    pub email: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub expires_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct OpenInvitation {
    id: InvitationId,
    email: String,
    #[sqlx(try_from = "String")]
    role: Role,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<OpenInvitation> for Invitation {
    fn from(row: OpenInvitation) -> Self {
        Self {
            id: row.id,
            email: row.email,
            role: row.role,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

/// The plan's seats (null for unlimited, or for no subscription) and how many are taken at `$2`.
const SEATS: &str = concat!(
    "SELECT
    (SELECT p.max_users FROM subscriptions s JOIN plans p ON p.id = s.plan_id
     WHERE s.group_id = $1 AND ",
    is_live!("s"),
    "),
    (SELECT COUNT(*) FROM users WHERE group_id = $1 AND removed_at IS NULL)
    + (SELECT COUNT(*) FROM invitations WHERE group_id = $1 AND expires_at > $2)"
);

impl Store {
    /// The plan's seats (`None` for unlimited or without a subscription) and how many are taken.
    pub async fn seats(&self, group: GroupId, now: DateTime<Utc>) -> Result<(Option<i64>, i64)> {
        Ok(on_db!(self, |pool| { sqlx::query_as(SEATS).bind(group).bind(now).fetch_one(pool).await? }))
    }

    /// The group's open invitations, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn invitations(&self, group: GroupId, now: DateTime<Utc>) -> Result<Vec<Invitation>> {
        Ok(self.invitations_page(group, now, PageRequest::all()).await?.rows)
    }

    /// One page of [`Store::invitations`].
    ///
    /// # Errors
    /// The database's.
    pub async fn invitations_page(
        &self,
        group: GroupId,
        now: DateTime<Utc>,
        page: PageRequest<InvitationId>,
    ) -> Result<PageRows<Invitation>> {
        let rows: Vec<OpenInvitation> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, email, role, created_at, expires_at FROM invitations
                 WHERE group_id = $1 AND expires_at > $2 AND id > $3 ORDER BY id LIMIT $4",
            )
            .bind(group)
            .bind(now)
            .bind(page.after.unwrap_or(InvitationId(Uuid::nil())))
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows.into_iter().map(Invitation::from).collect()))
    }

    /// The open invitation whose token has this hash.
    pub async fn invitation(&self, token_hash: &[u8], now: DateTime<Utc>) -> Result<Option<InvitationRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT i.id, i.group_id, g.name AS group_name, i.email, i.role, i.expires_at
                 FROM invitations i JOIN groups g ON g.id = i.group_id
                 WHERE i.token_hash = $1 AND i.expires_at > $2",
            )
            .bind(token_hash)
            .bind(now)
            .fetch_optional(pool)
            .await?
        }))
    }

    /// An open invitation of the group.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where the group has no such invitation; the database's.
    pub async fn invitation_of(
        &self,
        group: GroupId,
        id: InvitationId,
        now: DateTime<Utc>,
    ) -> Result<Invitation> {
        let row: Option<OpenInvitation> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, email, role, created_at, expires_at FROM invitations
                 WHERE id = $1 AND group_id = $2 AND expires_at > $3",
            )
            .bind(id)
            .bind(group)
            .bind(now)
            .fetch_optional(pool)
            .await?
        });
        row.map(Invitation::from).ok_or_else(|| Refusal::NotFound("invitation".into()).into())
    }

    /// Withdraws an invitation: its link stops working and its seat is free.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where the group has no such invitation; the database's.
    pub async fn withdraw_invitation(&self, group: GroupId, id: InvitationId) -> Result<()> {
        let gone = write_db!(self, |pool| {
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

impl Tx {
    /// Refuses where the group's seats are taken. The group's row has to be locked.
    ///
    /// # Errors
    /// [`Refusal::MaxUsersReached`]; the database's.
    pub async fn require_free_seat(&mut self, group: GroupId, now: DateTime<Utc>) -> Result<()> {
        let (seats, taken): (Option<i64>, i64) = on_tx!(self, |connection| {
            sqlx::query_as(SEATS).bind(group).bind(now).fetch_one(connection).await?
        });
        match seats {
            Some(seats) if taken >= seats => Err(Refusal::MaxUsersReached(seats).into()),
            _ => Ok(()),
        }
    }

    /// Keeps an invitation. One for the same address in the group is to be withdrawn first.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_invitation(&mut self, invitation: &NewInvitationRow, now: DateTime<Utc>) -> Result<()> {
        on_tx!(self, |connection| {
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
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// Gives an open invitation of the group another token: the link with the one before stops working.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where the group has no such invitation; the database's.
    pub async fn renew_invitation(
        &mut self,
        invitation: &NewInvitationRow,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let renewed = on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE invitations SET token_hash = $3, expires_at = $4
                 WHERE id = $1 AND group_id = $2 AND expires_at > $5",
            )
            .bind(invitation.id)
            .bind(invitation.group_id)
            .bind(&invitation.token_hash)
            .bind(invitation.expires_at)
            .bind(now)
            .execute(connection)
            .await?
            .rows_affected()
        });
        if renewed == 0 { Err(Refusal::NotFound("invitation".into()).into()) } else { Ok(()) }
    }

    /// Withdraws the group's invitation for this address, if there is one: its link stops working.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw_invitation_of(&mut self, group: GroupId, email: &str) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query("DELETE FROM invitations WHERE group_id = $1 AND email = $2")
                .bind(group)
                .bind(email)
                .execute(connection)
                .await?;
        });
        Ok(())
    }

    /// Takes an open invitation off the list, for its account to be made.
    ///
    /// # Errors
    /// [`Refusal::InvitationGone`] where it was accepted or withdrawn, or has expired; the database's.
    pub async fn take_invitation(&mut self, id: InvitationId, now: DateTime<Utc>) -> Result<()> {
        let taken = on_tx!(self, |connection| {
            sqlx::query("DELETE FROM invitations WHERE id = $1 AND expires_at > $2")
                .bind(id)
                .bind(now)
                .execute(connection)
                .await?
                .rows_affected()
        });
        if taken == 0 { Err(Refusal::InvitationGone.into()) } else { Ok(()) }
    }
}
