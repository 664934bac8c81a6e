//! What moves without a reload. Each is rendered on the server like everything else, and made live in the
//! browser from the properties it was rendered with.

mod card_form;

pub mod change_plan;
pub mod chat;
pub mod checkout;
pub mod first_event;
pub mod follow_subscription;
pub mod live_usage;
pub mod payment_method;
pub mod plan_editor;
pub mod shown_once;
