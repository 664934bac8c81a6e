//! What an endpoint is.

use serde_json::Value;

use super::auth::Role;
use super::params::Field;
use crate::sandbox::engine::{ApiError, Tx};

/// A call of an endpoint.
pub(in crate::sandbox) struct Call<'c, 't> {
    pub(in crate::sandbox) tx: &'c mut Tx<'t>,
    /// What stands in the address at the braces.
    pub(in crate::sandbox) ids: &'c [String],
    /// The parameters, checked against the endpoint's fields and typed.
    pub(in crate::sandbox) params: &'c Value,
    pub(in crate::sandbox) role: Role,
}

impl Call<'_, '_> {
    /// The first id in the address.
    pub(in crate::sandbox) fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }
}

type Handler = fn(&mut Call<'_, '_>) -> Result<Value, ApiError>;

/// An endpoint.
pub(in crate::sandbox) struct Route {
    pub(in crate::sandbox) method: &'static str,
    pub(in crate::sandbox) path: &'static str,
    pub(in crate::sandbox) fields: &'static [Field],
    pub(in crate::sandbox) is_list: bool,
    pub(in crate::sandbox) for_browsers: bool,
    pub(in crate::sandbox) run: Handler,
}

impl Route {
    const fn new(method: &'static str, path: &'static str, fields: &'static [Field], run: Handler) -> Self {
        Self { method, path, fields, is_list: false, for_browsers: false, run }
    }

    /// May be called with a publishable key too.
    pub(in crate::sandbox) const fn for_browsers(mut self) -> Self {
        self.for_browsers = true;
        self
    }
}

pub(in crate::sandbox) const fn get(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    Route::new("GET", path, fields, run)
}

pub(in crate::sandbox) const fn post(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    Route::new("POST", path, fields, run)
}

pub(in crate::sandbox) const fn delete(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    Route::new("DELETE", path, fields, run)
}

/// A `GET` that also takes cursors and a limit.
pub(in crate::sandbox) const fn list(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    let mut route = Route::new("GET", path, fields, run);
    route.is_list = true;
    route
}
