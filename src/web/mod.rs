//! The pages: what people see, on the server and in the browser alike.
//!
//! `app` is the shell's inside and the route table; `pages` are what the routes show and `components` what
//! they are made of; `server_fns` is the only way from a page to the services. What only the server may run
//! is `crate::web_server` (`web/server/`), what only the browser can, `crate::web_browser` (`web/browser/`):
//! both are declared in `lib.rs`, where every feature gate stands.

pub mod app;
pub mod components;
pub mod data;
pub mod error;
pub mod format;
pub mod pages;
pub mod server_fns;

pub use app::App;
pub use error::AppError;
