//! What pages are made of. Each has its style in a file of the same name in `style/components/`.

pub mod badge;
pub mod bar;
pub mod card_form;
pub mod confirm;
pub mod copy;
pub mod field;
pub mod icon;
pub mod nav;
pub mod notice;
pub mod page;
pub mod plan_card;
pub mod submit;
