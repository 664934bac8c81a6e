//! What the browser loads: `tollgate` with its `hydrate` feature. The page's script calls `hydrate`, which wakes the
//! islands.

pub use tollgate::web::client::hydrate;
