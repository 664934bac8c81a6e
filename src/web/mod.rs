//! The pages: what people see.
//!
//! Every page is rendered whole on the server and works as plain HTML: links and forms. What has to move
//! without a reload is an island: the usage bars, the plan editor, the card form, the copy button. Only the
//! islands, and the components they are made of, travel to the browser as WASM, so a page costs what it does
//! and not what the application has.
//!
//! `islands` and `components` are compiled for both sides, `server_fns` are what forms and islands may ask of
//! the server, `pages` and `ssr` are the server's half, `client` is the browser's.

pub mod components;
pub mod error;
pub mod format;
pub mod gateway;
pub mod islands;
pub mod server_fns;

#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod ssr;

#[cfg(feature = "hydrate")]
pub mod client;
/// What islands name from effects and handlers, which the server never runs.
#[cfg(not(feature = "hydrate"))]
pub mod client {
    mod absent;
    pub use absent::*;
}

pub use error::AppError;
