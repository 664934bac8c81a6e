//! Who is there in the demo.

use uuid::Uuid;

use super::Accounts;
use crate::domain::Role;
use crate::error::Result;
use crate::storage::NewUser;

/// The password of every demo account.
pub const DEMO_PASSWORD: &str = "tollgate-demo";

/// An account that the log-in page offers in demo mode.
#[derive(Clone, Debug)]
pub struct DemoAccount {
    pub email: &'static str,
    pub name: &'static str,
    pub label: &'static str,
    pub role: Role,
    pub group: Option<&'static str>,
}

/// All of them, in the order in which they are offered.
pub const DEMO_ACCOUNTS: [DemoAccount; 6] = [
    DemoAccount {
        email: "admin@acme.test",
        name: "Ada Okafor",
        label: "Admin of Acme",
        role: Role::Admin,
        group: Some("Acme"),
    },
    DemoAccount {
        email: "member@acme.test",
        name: "Ben Castillo",
        label: "Member of Acme",
        role: Role::Member,
        group: Some("Acme"),
    },
    DemoAccount {
        email: "member2@acme.test",
        name: "Chloe Lindqvist",
        label: "Second member of Acme",
        role: Role::Member,
        group: Some("Acme"),
    },
    DemoAccount {
        email: "admin@newco.test",
        name: "Dana Petrov",
        label: "Admin of Newco",
        role: Role::Admin,
        group: Some("Newco"),
    },
    DemoAccount {
        email: "member@newco.test",
        name: "Eli Nakamura",
        label: "Member of Newco",
        role: Role::Member,
        group: Some("Newco"),
    },
    DemoAccount {
        email: "superadmin@tollgate.test",
        name: "Sam Rivera",
        label: "SuperAdmin",
        role: Role::SuperAdmin,
        group: None,
    },
];

/// An account to make, with the demo's password.
#[derive(Clone, Debug)]
pub struct NewDemoAccount {
    pub email: String,
    pub name: String,
    pub role: Role,
    pub group: Option<String>,
}

impl DemoAccount {
    pub fn as_new(&self) -> NewDemoAccount {
        NewDemoAccount {
            email: self.email.into(),
            name: self.name.into(),
            role: self.role,
            group: self.group.map(str::to_owned),
        }
    }
}

impl Accounts {
    /// Makes those accounts that aren't there yet. `password_hash` is
    /// [`Accounts::demo_password_hash`]'s, for all of them: hashing takes long on purpose.
    ///
    /// # Errors
    /// [`crate::error::Error::Overloaded`]; the database's.
    pub async fn create_demo_accounts(
        &self,
        accounts: Vec<NewDemoAccount>,
        password_hash: &str,
    ) -> Result<()> {
        for account in accounts {
            let NewDemoAccount { email, name, role, group } = account;
            if self.store.credentials(&email).await?.is_none() {
                let password_hash = password_hash.to_owned();
                let user = NewUser { id: Uuid::now_v7().into(), email, name, password_hash, role };
                self.add_user(user, group).await?;
            }
        }
        Ok(())
    }

    /// The hash of the password of every demo account.
    ///
    /// # Errors
    /// [`crate::error::Error::Overloaded`].
    pub async fn demo_password_hash(&self) -> Result<String> {
        self.passwords.hash(DEMO_PASSWORD.into()).await
    }
}
