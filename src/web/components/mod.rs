//! What pages and islands are made of. Each has its style in a file of the same name in `style/components/`.

pub mod badge;
pub mod bar;
pub mod confirm;
pub mod field;
pub mod form;
pub mod icon;
pub mod nav;
pub mod notice;
pub mod page;
pub mod plan_card;
pub mod submit;
