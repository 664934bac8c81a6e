//! The pages: what people see.
//!
//! Every page is rendered whole on the server and works as plain HTML: links and forms. What has to move
//! without a reload is an island: the usage bars, the plan editor, the card form, the copy button. Only the
//! islands, and the components they are made of, travel to the browser as WASM, so a page costs what it does
//! and not what the application has.
//!
//! `islands` and `components` are compiled for both sides, `server_fns` are what forms and islands may ask of
//! the server. Three parts are compiled for one side only and so declared in `lib.rs`, where every feature
//! gate stands: `web_pages` (`web/pages/`), `web_server` (`web/server/`) and `web_browser` (`web/browser/`).

pub mod components;
pub mod error;
pub mod format;
pub mod islands;
pub mod server_fns;

pub use error::AppError;
