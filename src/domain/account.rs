//! Users, the group they belong to, and what they may do.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{GroupId, InvitationId, KeyId, Refusal, SessionId, UserId};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Role {
    /// Runs the platform: makes plans. Belongs to no group.
    SuperAdmin,
    /// Runs a group: buys, invites, cancels.
    Admin,
    /// Spends from a group's allowance.
    Member,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SuperAdmin => "superadmin",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "superadmin" => Ok(Self::SuperAdmin),
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            _ => Err("Role must be superadmin, admin or member.".into()),
        }
    }
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Group {
    pub id: GroupId,
    pub name: String,
}

/// A user, as signed in by cookie or by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// Null for a SuperAdmin.
    pub group: Option<Group>,
}

/// Who asks, and the key it asks with; none for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: User,
    pub key: Option<KeyId>,
}

impl From<&User> for Caller {
    fn from(user: &User) -> Self {
        Self { user: user.clone(), key: None }
    }
}

impl User {
    /// # Errors
    /// [`Refusal::Forbidden`] for any other role.
    pub fn must_be_superadmin(&self) -> Result<(), Refusal> {
        if self.role == Role::SuperAdmin {
            Ok(())
        } else {
            Err(Refusal::Forbidden("Only a SuperAdmin may do this.".into()))
        }
    }

    /// # Errors
    /// [`Refusal::Forbidden`] for a member.
    pub fn must_be_any_admin(&self) -> Result<(), Refusal> {
        if self.role == Role::Member {
            Err(Refusal::Forbidden("Only an admin of the group may do this.".into()))
        } else {
            Ok(())
        }
    }

    /// The group this user belongs to.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin, who belongs to none.
    pub fn must_have_group(&self) -> Result<GroupId, Refusal> {
        self.group
            .as_ref()
            .map(|group| group.id)
            .ok_or_else(|| Refusal::Forbidden("This belongs to a group, and you are in none.".into()))
    }

    /// The group this user runs.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for any other role.
    pub fn must_be_admin(&self) -> Result<GroupId, Refusal> {
        if self.role != Role::Admin {
            return Err(Refusal::Forbidden("Only an admin of the group may do this.".into()));
        }
        self.must_have_group()
    }
}

/// A user of a group, as its admin sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Member {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
}

/// An invitation that was neither accepted nor withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Invitation {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// An invitation just made, with the link to pass on: it is shown this once and stored hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewInvitation {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub url: String,
    pub expires_at: DateTime<Utc>,
}

/// An API key as its owner sees it afterwards: never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApiKey {
    pub id: KeyId,
    pub name: String,
    /// The key's first characters, to tell one from another.
    pub prefix: String,
    pub created_at: DateTime<Utc>,
    /// To the minute; null if never used.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// An API key just made: the key is shown this once and stored hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewApiKey {
    pub id: KeyId,
    pub name: String,
    pub prefix: String,
    pub key: String,
}

/// A browser that is signed in, as its user sees it: never the cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Session {
    pub id: SessionId,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub last_seen_at: DateTime<Utc>,
    /// The browser in words, such as `Firefox on Linux`, by what it said when it signed in.
    pub user_agent: String,
    /// Whether this request came with it.
    pub current: bool,
}

/// Members and invitations of a group, and the seats they take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub members: Vec<Member>,
    pub invitations: Vec<Invitation>,
    /// Members and open invitations: an invitation keeps its seat until it expires.
    pub seats_used: i64,
    /// Null for unlimited.
    pub max_users: Option<i64>,
}
