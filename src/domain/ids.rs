//! Ids, one type for each thing, so that swapping two of them doesn't compile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares the id of one kind of thing: a UUIDv7 to callers and to the database alike.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(utoipa::ToSchema, sqlx::Type), schema(value_type = Uuid), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    GroupId,
    UserId,
    KeyId,
    InvitationId,
    /// A browser's session: not its cookie, which is a secret.
    SessionId,
    PlanId,
    SubscriptionId,
    /// One billing period of a subscription, with its sums.
    SummaryId,
    /// A message in the outbox.
    MessageId,
    /// What a group is to be told by e-mail.
    NoticeId,
    /// A member's conversation with a model.
    ConversationId,
}
