//! What pages and islands are made of. The style of each that has one is in `style/components/`, under its name with
//! hyphens; that of icons, which every other one uses, in `style/base.css`.

pub mod ask_admin;
pub mod badge;
pub mod bar;
pub mod cancel;
pub mod caps;
pub mod confirm;
pub mod connect;
pub mod count;
pub mod dialog;
pub mod field;
pub mod form;
pub mod icon;
pub mod message;
pub mod nav;
pub mod no_subscription;
pub mod notice;
pub mod page;
pub mod plan_card;
pub mod sandbox;
pub mod submit;
pub mod table;
