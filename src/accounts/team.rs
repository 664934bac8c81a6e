//! The team of a group: who is in it, who is invited, and the seats they take.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{Accounts, email, passwords, tokens};
use crate::domain::{
    FieldErrors, GroupId, Invitation, InvitationId, Member, NewInvitation, Refusal, Role, Team, User, UserId,
    text,
};
use crate::error::Result;
use crate::notify::{InvitationMessage, MessageLink};
use crate::storage::{InvitationRow, NewInvitationRow, PageRequest, PageRows};

/// How long an invitation's link works.
const VALID_FOR: Duration = Duration::days(7);

/// What the holder of an invitation's link may see of it.
#[derive(Clone, Debug)]
pub struct InvitationOffer {
    pub email: String,
    pub role: Role,
    pub group_name: String,
    pub expires_at: DateTime<Utc>,
}

impl Accounts {
    /// The admin's team.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for all but an admin; the database's.
    pub async fn team(&self, user: &User) -> Result<Team> {
        let group = user.must_be_admin()?;
        let now = self.clock.now();
        let (max_users, seats_used) = self.store.seats(group, now).await?;
        Ok(Team {
            members: self.store.members(group).await?,
            invitations: self.store.invitations(group, now).await?,
            seats_used,
            max_users,
        })
    }

    /// The names of the admins of the user's group, for its members to ask.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn admins(&self, user: &User) -> Result<Vec<String>> {
        let group = user.must_have_group()?;
        let read = async || {
            let members = self.store.members(group).await?.into_iter();
            Ok(members.filter(|member| member.role == Role::Admin).map(|admin| admin.name).collect())
        };
        self.admin_names.get(group, read).await
    }

    /// One page of the members of the admin's group, the longest there first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for any other role; the database's.
    pub async fn members_page(&self, user: &User, page: PageRequest<UserId>) -> Result<PageRows<Member>> {
        self.store.members_page(user.must_be_admin()?, page).await
    }

    /// One page of the open invitations of the admin's group, oldest first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for any other role; the database's.
    pub async fn invitations_page(
        &self,
        user: &User,
        page: PageRequest<InvitationId>,
    ) -> Result<PageRows<Invitation>> {
        self.store.invitations_page(user.must_be_admin()?, self.clock.now(), page).await
    }

    /// Removes a member from the admin's group.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::LastAdmin`]; the database's.
    pub async fn remove_member(&self, user: &User, id: UserId) -> Result<()> {
        self.remove(user.must_be_admin()?, id).await
    }

    async fn remove(&self, group: GroupId, id: UserId) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        tx.remove_member(group, id, self.clock.now()).await?;
        tx.commit().await?;
        self.changed(Some(group));
        Ok(())
    }

    /// Gives a member of the admin's group another role.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Invalid`], [`Refusal::NotFound`], [`Refusal::LastAdmin`]; the database's.
    pub async fn change_role(&self, user: &User, id: UserId, role: &str) -> Result<Member> {
        let group = user.must_be_admin()?;
        let role = group_role(role).map_err(|message| Refusal::field("role", message))?;
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        let member = tx.change_role(group, id, role).await?;
        tx.commit().await?;
        self.changed(Some(group));
        Ok(member)
    }

    /// Takes the user out of its group, as if an admin had removed it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin, [`Refusal::LastAdmin`]; the database's.
    pub async fn leave_group(&self, user: &User) -> Result<()> {
        let group = user.must_have_group()?;
        self.remove(group, user.id).await
    }

    /// Whether the user is the only admin of its group, whom it can't do without.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_last_admin(&self, user: &User) -> Result<bool> {
        if user.role != Role::Admin {
            return Ok(false);
        }
        Ok(self.admins(user).await?.len() <= 1)
    }

    /// Sends an invitation by e-mail. The answer's link is shown this once.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Invalid`], [`Refusal::MaxUsersReached`] where every seat is taken by
    /// a member or an open invitation, [`Refusal::EmailTaken`]; [`Refusal::TooManyAttempts`] after too many from
    /// the group or to the address; the database's.
    pub async fn invite(&self, user: &User, address: &str, role: &str) -> Result<NewInvitation> {
        let group_id = user.must_be_admin()?;
        let mut errors = FieldErrors::new();
        let address = errors.take("email", email(address));
        let role = errors.take("role", group_role(role));
        let (Some(address), Some(role)) = (address, role) else { return Err(errors.into()) };
        self.attempt_invitation(&group_id.to_string(), &address).await?;
        let token = tokens::new("");
        let now = self.clock.now();
        let row = NewInvitationRow {
            id: Uuid::now_v7().into(),
            group_id,
            email: address,
            role,
            token_hash: tokens::hash(&token),
            expires_at: now + VALID_FOR,
        };
        let link = self.invitation_link(&token, row.expires_at);
        let url = link.url.clone();
        let mut tx = self.store.begin().await?;
        tx.lock_group(group_id).await?;
        tx.withdraw_invitation_of(group_id, &row.email).await?;
        tx.require_free_seat(group_id, now).await?;
        if tx.is_email_taken(&row.email).await? {
            return Err(Refusal::EmailTaken.into());
        }
        tx.add_invitation(&row, now).await?;
        self.outbox.invitation(&mut tx, invitation(user, &row, link)).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(NewInvitation { id: row.id, email: row.email, role, url, expires_at: row.expires_at })
    }

    /// Sends an open invitation anew, with a new link: the one before works no more.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::EmailTaken`]; [`Refusal::TooManyAttempts`] after too
    /// many invitations from the group or to the address; the database's.
    pub async fn resend_invitation(&self, user: &User, id: InvitationId) -> Result<NewInvitation> {
        let group_id = user.must_be_admin()?;
        let Invitation { email, role, .. } = self.store.invitation_of(group_id, id, self.clock.now()).await?;
        self.attempt_invitation(&group_id.to_string(), &email).await?;
        let token = tokens::new("");
        let now = self.clock.now();
        let token_hash = tokens::hash(&token);
        let row = NewInvitationRow { id, group_id, email, role, token_hash, expires_at: now + VALID_FOR };
        let link = self.invitation_link(&token, row.expires_at);
        let url = link.url.clone();
        let mut tx = self.store.begin().await?;
        tx.lock_group(group_id).await?;
        if tx.is_email_taken(&row.email).await? {
            return Err(Refusal::EmailTaken.into());
        }
        tx.renew_invitation(&row, now).await?;
        self.outbox.invitation(&mut tx, invitation(user, &row, link)).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(NewInvitation { id, email: row.email, role, url, expires_at: row.expires_at })
    }

    fn invitation_link(&self, token: &str, expires_at: DateTime<Utc>) -> MessageLink {
        MessageLink { url: self.address(&format!("/invite/{token}")), expires_at }
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`]; the database's.
    pub async fn withdraw_invitation(&self, user: &User, id: InvitationId) -> Result<()> {
        let group = user.must_be_admin()?;
        self.store.withdraw_invitation(group, id).await
    }

    /// What an invitation's link offers.
    ///
    /// # Errors
    /// [`Refusal::InvitationGone`]; the database's.
    pub async fn invitation(&self, token: &str) -> Result<InvitationOffer> {
        let row = self.open_invitation(token).await?;
        Ok(InvitationOffer {
            email: row.email,
            role: row.role,
            group_name: row.group_name,
            expires_at: row.expires_at,
        })
    }

    /// Takes up an invitation with a new account.
    ///
    /// # Errors
    /// [`Refusal::InvitationGone`], [`Refusal::Invalid`], [`Refusal::MaxUsersReached`],
    /// [`Refusal::EmailTaken`]; the database's.
    pub async fn accept_invitation(&self, token: &str, name: &str, password: &str) -> Result<User> {
        let invitation = self.open_invitation(token).await?;
        let mut errors = FieldErrors::new();
        let name = errors.take("name", text(name, "Name", 1, 100));
        errors.take("password", passwords::check(password));
        let Some(name) = name.filter(|_| errors.is_empty()) else { return Err(errors.into()) };
        let user =
            self.new_user(invitation.email.clone(), name, password.to_owned(), invitation.role).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        tx.lock_group(invitation.group_id).await?;
        tx.take_invitation(invitation.id, now).await?;
        tx.require_free_seat(invitation.group_id, now).await?;
        tx.add_user(&user, Some(invitation.group_id), now).await?;
        tx.commit().await?;
        self.store.user(user.id).await?.ok_or_else(|| Refusal::NotFound("account".into()).into())
    }

    async fn open_invitation(&self, token: &str) -> Result<InvitationRow> {
        let found = self.store.invitation(&tokens::hash(token), self.clock.now()).await?;
        found.ok_or_else(|| Refusal::InvitationGone.into())
    }
}

/// What is sent of an invitation.
fn invitation<'a>(inviter: &'a User, row: &'a NewInvitationRow, link: MessageLink) -> InvitationMessage<'a> {
    let group = inviter.group.as_ref().map_or("", |group| group.name.as_str());
    InvitationMessage { email: &row.email, inviter: &inviter.name, group, role: row.role, link }
}

/// A role that a member of a group can have.
fn group_role(role: &str) -> Result<Role, String> {
    match role.parse() {
        Ok(role @ (Role::Admin | Role::Member)) => Ok(role),
        _ => Err("Role must be admin or member.".into()),
    }
}
