//! Who is there in the demo.

use crate::domain::Role;

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
