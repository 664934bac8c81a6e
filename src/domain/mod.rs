//! The rules, pure: what a plan is, when a subscription gives access, how full an allowance is.
//!
//! Compiled for the server and for the browser alike, so that a form is checked by the same code as the
//! request it sends. No I/O, no clock: the time is an argument.

mod account;
mod analytics;
mod breakdown;
mod conversation;
mod event;
mod fields;
mod figure;
mod forecast;
mod given_up_event;
mod group_view;
mod hold;
mod ids;
mod invoice;
mod message;
mod money;
mod mrr;
mod notice;
mod overage;
mod overage_input;
mod payer;
mod per_type;
mod period;
mod period_days;
mod plan;
mod plan_change;
mod plan_form;
mod refusal;
mod report;
mod subscription;
mod suggestion;
mod usage;

pub use account::*;
pub use analytics::*;
pub use breakdown::*;
pub use conversation::*;
pub use event::*;
pub use fields::*;
pub use figure::*;
pub use forecast::*;
pub use given_up_event::*;
pub use group_view::*;
pub use hold::*;
pub use ids::*;
pub use invoice::*;
pub use message::*;
pub use money::*;
pub use mrr::*;
pub use notice::*;
pub use overage::*;
pub use overage_input::*;
pub use payer::*;
pub use per_type::*;
pub use period::*;
pub use period_days::*;
pub use plan::*;
pub use plan_change::*;
pub use plan_form::*;
pub use refusal::*;
pub use report::*;
pub use subscription::*;
pub use usage::*;

/// The largest count of tokens or seats: 2^53 - 1, the largest integer JSON carries exactly in every language.
pub const MAX_COUNT: i64 = (1 << 53) - 1;
