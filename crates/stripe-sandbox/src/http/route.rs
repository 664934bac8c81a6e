//! What an endpoint is.

use serde_json::Value;

use super::auth::Role;
use super::field::{Field, PAGE};
use crate::engine::{ApiError, Tx};

/// A call of an endpoint.
pub(crate) struct Call<'c, 't> {
    pub(crate) tx: &'c mut Tx<'t>,
    /// What stands in the address at the braces.
    pub(crate) ids: &'c [String],
    /// The parameters, checked against the endpoint's fields and typed.
    pub(crate) params: &'c Value,
    pub(crate) role: Role,
}

impl Call<'_, '_> {
    /// The first id in the address.
    pub(crate) fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }
}

type Handler = fn(&mut Call<'_, '_>) -> Result<Value, ApiError>;

/// An endpoint.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) fields: &'static [Field],
    pub(crate) is_list: bool,
    pub(crate) for_browsers: bool,
    pub(crate) run: Handler,
}

impl Route {
    const fn new(method: &'static str, path: &'static str, fields: &'static [Field], run: Handler) -> Self {
        Self { method, path, fields, is_list: false, for_browsers: false, run }
    }

    /// Its parameters, those that every list has included.
    pub(crate) fn all_fields(&self) -> Vec<Field> {
        [self.fields, if self.is_list { PAGE } else { &[] }].concat()
    }

    /// May be called with a publishable key too.
    pub(crate) const fn for_browsers(mut self) -> Self {
        self.for_browsers = true;
        self
    }
}

pub(crate) const fn get(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    Route::new("GET", path, fields, run)
}

pub(crate) const fn post(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    Route::new("POST", path, fields, run)
}

pub(crate) const fn delete(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    Route::new("DELETE", path, fields, run)
}

/// A `GET` that also takes cursors and a limit.
pub(crate) const fn list(path: &'static str, fields: &'static [Field], run: Handler) -> Route {
    let mut route = Route::new("GET", path, fields, run);
    route.is_list = true;
    route
}
