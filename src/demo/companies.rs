//! The companies of the demo: who they are, what they bought and when, and how much of it they use.

use crate::domain::Role;

/// What the name of a plan of the demo is.
pub(super) const BASIC: &str = "Basic";
pub(super) const PRO: &str = "Pro";
pub(super) const SCALE: &str = "Scale";

/// How many days ago Basic's trial was offered for the last time.
pub(super) const TRIALS_ENDED: i64 = 125;

/// A company and its year.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) name: &'static str,
    /// Of its addresses, `name@domain`.
    pub(super) domain: &'static str,
    pub(super) people: &'static [&'static str],
    /// Since when it has an account, in days ago.
    pub(super) joined: i64,
    /// What it did, with how many days ago, in that order.
    pub(super) did: &'static [(i64, Did)],
    /// How much of its limits it uses in a period, LLM and voice, in percent.
    pub(super) uses: (i64, i64),
}

/// What a company's admin did, or what happened to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Did {
    Bought(&'static str),
    ChangedTo(&'static str),
    CanceledNow,
    CanceledAtPeriodEnd,
    /// Agreed to overage up to this much for each period.
    AgreedToOverage(&'static str),
    /// Its card is declined from now on.
    CardExpired,
}

use Did::{AgreedToOverage, Bought, CanceledAtPeriodEnd, CanceledNow, CardExpired, ChangedTo};

impl Company {
    /// Its first one is the admin.
    pub(super) fn role(index: usize) -> Role {
        if index == 0 { Role::Admin } else { Role::Member }
    }

    /// `Ada Okafor` of Acme has `ada@acme.test`.
    pub(super) fn address(&self, person: &str) -> String {
        let first = person.split(' ').next().unwrap_or(person).to_lowercase();
        format!("{first}@{}.test", self.domain)
    }

    /// Whether more than its end comes about with a renewal: overage is charged, a cheaper plan begins, a card is declined.
    pub(super) fn is_looked_at(&self) -> bool {
        self.did.iter().any(|(_, did)| matches!(did, AgreedToOverage(_) | ChangedTo(_) | CardExpired))
    }
}

pub(super) const COMPANIES: &[Company] = &[
    Company {
        name: "Northwind Books",
        domain: "northwind",
        people: &["Ingrid Solheim", "Mateo Vargas", "Priya Raman", "Tom Akers", "Yuki Mori"],
        joined: 364,
        did: &[(363, Bought(BASIC)), (250, ChangedTo(PRO)), (215, AgreedToOverage("60.00"))],
        uses: (118, 71),
    },
    Company {
        name: "Halden Robotics",
        domain: "halden",
        people: &["Lars Brekke", "Sofia Lindgren", "Amir Haddad", "Grace Osei"],
        joined: 353,
        did: &[(352, Bought(PRO)), (131, ChangedTo(SCALE))],
        uses: (63, 44),
    },
    Company {
        name: "Lumen Clinic",
        domain: "lumen",
        people: &["Nora Castell", "Felix Baum", "Hana Sato"],
        joined: 341,
        did: &[(340, Bought(BASIC))],
        uses: (58, 88),
    },
    Company {
        name: "Orchard Legal",
        domain: "orchard",
        people: &["Julia Marsh", "Owen Pryce"],
        joined: 333,
        did: &[(331, Bought(BASIC)), (207, CanceledNow), (61, Bought(PRO))],
        uses: (47, 22),
    },
    Company {
        name: "Fjord Logistics",
        domain: "fjord",
        people: &["Astrid Nygaard", "Emil Dahl", "Karin Holm", "Peter Vik", "Maja Lund", "Jonas Berg"],
        joined: 316,
        did: &[(315, Bought(SCALE)), (124, ChangedTo(PRO))],
        uses: (38, 61),
    },
    Company {
        name: "Saffron Kitchens",
        domain: "saffron",
        people: &["Leila Nazari"],
        joined: 303,
        did: &[(302, Bought(BASIC)), (293, CanceledNow)],
        uses: (12, 3),
    },
    Company {
        name: "Brightwater Energy",
        domain: "brightwater",
        people: &["Daniel Okoro", "Elena Petrova", "Marcus Webb", "Ruth Adeyemi"],
        joined: 290,
        did: &[(288, Bought(PRO))],
        uses: (72, 35),
    },
    Company {
        name: "Cobalt Studio",
        domain: "cobalt",
        people: &["Camille Roux", "Hugo Laurent"],
        joined: 271,
        did: &[(270, Bought(BASIC))],
        uses: (83, 51),
    },
    Company {
        name: "Meridian Travel",
        domain: "meridian",
        people: &["Sara Cohen", "David Levy", "Noa Amit"],
        joined: 252,
        did: &[(251, Bought(PRO)), (148, CanceledAtPeriodEnd)],
        uses: (29, 66),
    },
    Company {
        name: "Papertrail Accounting",
        domain: "papertrail",
        people: &["Wei Zhang", "Linda Brooks", "Samir Patel"],
        joined: 241,
        did: &[(240, Bought(BASIC)), (77, ChangedTo(PRO))],
        uses: (55, 19),
    },
    Company {
        name: "Quill & Co",
        domain: "quill",
        people: &["Beatrice Holt", "Simon Ward"],
        joined: 226,
        did: &[(224, Bought(BASIC))],
        uses: (104, 64),
    },
    Company {
        name: "Tern Insurance",
        domain: "tern",
        people: &["Fiona Clarke", "Rajesh Iyer", "Anna Kowalska", "Ben Turner", "Olga Smirnova"],
        joined: 204,
        did: &[(203, Bought(SCALE))],
        uses: (52, 77),
    },
    Company {
        name: "Hazel Learning",
        domain: "hazel",
        people: &["Miriam Stone", "Kofi Mensah", "Lucy Tran"],
        joined: 190,
        did: &[(189, Bought(BASIC)), (160, AgreedToOverage("25.00"))],
        uses: (121, 69),
    },
    Company {
        name: "Ironbridge Tools",
        domain: "ironbridge",
        people: &["George Whitfield"],
        joined: 172,
        did: &[(171, Bought(BASIC)), (101, CanceledAtPeriodEnd)],
        uses: (33, 8),
    },
    Company {
        name: "Kestrel Media",
        domain: "kestrel",
        people: &["Isla Grant", "Noah Reyes", "Zoe Martin"],
        joined: 130,
        did: &[(128, Bought(PRO)), (34, CardExpired)],
        uses: (61, 48),
    },
    Company {
        name: "Larkspur Garden",
        domain: "larkspur",
        people: &["Rosa Delgado", "Henry Fox"],
        joined: 90,
        did: &[(89, Bought(BASIC))],
        uses: (150, 41),
    },
    Company {
        name: "Onyx Security",
        domain: "onyx",
        people: &["Viktor Hahn", "Chiara Conti", "Mohamed Salah", "Erin Doyle"],
        joined: 69,
        did: &[(68, Bought(SCALE))],
        uses: (44, 12),
    },
    Company {
        name: "Vantage HR",
        domain: "vantage",
        people: &["Paula Nunes"],
        joined: 47,
        did: &[],
        uses: (0, 0),
    },
    Company {
        name: "Pinecone Labs",
        domain: "pinecone",
        people: &["Theo Kramer", "Alice Chen"],
        joined: 42,
        did: &[(41, Bought(PRO))],
        uses: (26, 9),
    },
    Company {
        name: "Rowan Hotels",
        domain: "rowan",
        people: &["Clara Jensen", "Patrick Byrne"],
        joined: 21,
        did: &[(20, Bought(BASIC))],
        uses: (49, 92),
    },
    Company {
        name: "Tidewater Marine",
        domain: "tidewater",
        people: &["Jack Sullivan"],
        joined: 12,
        did: &[],
        uses: (0, 0),
    },
];
