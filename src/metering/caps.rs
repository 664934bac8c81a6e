//! Fair share: the most that one member or one key of a group may spend.

use std::collections::HashMap;

use uuid::Uuid;

use super::Metering;
use crate::domain::{Caps, FieldErrors, KeyId, PerType, Refusal, Role, Share, User, UserId};
use crate::error::Result;

impl Metering {
    /// Caps what a member of the admin's group may spend in a month. What was spent stays counted.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::Forbidden`] for any other role; [`Refusal::NotFound`] for a user who isn't in
    /// the group; the database's.
    pub async fn set_member_caps(&self, admin: &User, member: UserId, caps: Caps) -> Result<Caps> {
        let group = admin.must_be_admin()?;
        check(caps)?;
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        if !tx.is_member(group, member).await? {
            return Err(Refusal::NotFound("member".into()).into());
        }
        tx.set_caps(group, member.into(), caps).await?;
        tx.commit().await?;
        self.changed(group);
        Ok(caps)
    }

    /// Caps what may be spent with a key in a month: the user's own, or any of the group's for an admin.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::Forbidden`] for a SuperAdmin; [`Refusal::NotFound`] for any other key; the
    /// database's.
    pub async fn set_key_caps(&self, user: &User, key: KeyId, caps: Caps) -> Result<Caps> {
        let group = user.must_have_group()?;
        check(caps)?;
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        let owner = tx.owner_of_key(group, key).await?;
        if owner != user.id && user.role != Role::Admin {
            return Err(Refusal::NotFound("API key".into()).into());
        }
        tx.set_caps(group, key.into(), caps).await?;
        tx.commit().await?;
        self.changed(group);
        Ok(caps)
    }

    /// What the members and keys of the user's group have used and hold in the current period, and their caps, by the
    /// user's or the key's id. One that isn't there has used nothing and has no cap.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn shares(&self, user: &User) -> Result<HashMap<Uuid, PerType<Share>>> {
        let rows = self.store.shares(user.must_have_group()?, self.clock.now()).await?;
        Ok(rows.into_iter().map(|row| (row.subject_id, row.counters.shares())).collect())
    }
}

fn check(caps: Caps) -> Result<()> {
    let mut errors = FieldErrors::new();
    caps.check(&mut errors);
    Ok(errors.into_result()?)
}
