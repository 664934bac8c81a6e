//! The ledger's events, for those who may see them.

use super::Metering;
use crate::domain::{GroupId, LedgerEvent, Refusal, Role, User};
use crate::error::Result;
use crate::storage::{EventFilter, EventPosition, PageRequest, PageRows};

impl Metering {
    /// One page of the group's events, newest first. A member sees its own.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a member who asks for another's; [`Refusal::Invalid`]; [`Refusal::NotFound`] for
    /// another group; the database's.
    pub async fn events(
        &self,
        user: &User,
        group: Option<GroupId>,
        mut filter: EventFilter,
        page: PageRequest<EventPosition>,
    ) -> Result<PageRows<LedgerEvent>> {
        let group = self.group_to_look_into(user, group).await?;
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from >= to
        {
            return Err(Refusal::field("to", "The window has to end after it begins.").into());
        }
        if user.role == Role::Member {
            if filter.user_id.is_some_and(|asked| asked != user.id) {
                let text = "Only an admin of the group sees other members' events.";
                return Err(Refusal::Forbidden(text.into()).into());
            }
            filter.user_id = Some(user.id);
        }
        self.store.events_page(group, &filter, page).await
    }

    /// The group whose ledger the user may look into: a SuperAdmin says which, anyone else has its own.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a SuperAdmin who names none; [`Refusal::NotFound`] for a group that there isn't, and for
    /// another's; the database's.
    pub(super) async fn group_to_look_into(&self, user: &User, asked: Option<GroupId>) -> Result<GroupId> {
        let no_such_group = || Refusal::NotFound("group".into());
        if user.role != Role::SuperAdmin {
            let own = user.must_have_group()?;
            return if asked.is_none_or(|asked| asked == own) {
                Ok(own)
            } else {
                Err(no_such_group().into())
            };
        }
        let group = asked.ok_or_else(|| Refusal::field("group_id", "Say which group's ledger is meant."))?;
        if self.store.is_group(group).await? { Ok(group) } else { Err(no_such_group().into()) }
    }
}
