//! Overage: what admins agreed to, and what is charged for it.

mod agreements;
mod charges;

pub use agreements::OverageRow;
pub use charges::{ChargeProblem, EndedPeriod, OverageCharge};
