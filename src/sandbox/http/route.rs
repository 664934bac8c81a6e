//! The table of endpoints.

use serde_json::Value;

use super::{ApiError, Field, Role};
use crate::sandbox::engine::Tx;
use crate::sandbox::resources;

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
    pub(super) fields: &'static [Field],
    pub(super) is_list: bool,
    pub(super) for_browsers: bool,
    pub(super) run: Handler,
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

pub(super) fn all() -> impl Iterator<Item = &'static Route> {
    resources::ROUTES.iter().copied().flatten()
}

/// The endpoint at a path, and the ids in it.
pub(super) fn find(method: &str, path: &str) -> Option<(&'static Route, Vec<String>)> {
    all().filter(|route| route.method == method).find_map(|route| Some((route, ids(route.path, path)?)))
}

fn ids(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    if pattern.len() != path.len() {
        return None;
    }
    let mut ids = Vec::new();
    for (expected, part) in pattern.into_iter().zip(path) {
        if expected.starts_with('{') && !part.is_empty() {
            let text = format!("id={}", part.replace('+', "%2B"));
            let (_, decoded) = url::form_urlencoded::parse(text.as_bytes()).next()?;
            ids.push(decoded.into_owned());
        } else if expected != part {
            return None;
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_where_the_braces_are() {
        assert_eq!(ids("/v1/a/{id}/b", "/v1/a/x%20y+z/b"), Some(vec!["x y+z".to_owned()]));
        assert_eq!(ids("/v1/a/{id}", "/v1/a/"), None);
        assert_eq!(ids("/v1/a/{id}", "/v1/a/b/c"), None);
    }

    #[test]
    fn no_endpoint_hides_another() {
        for route in all() {
            let (found, _) = find(route.method, route.path).unwrap();
            assert_eq!(found.path, route.path);
        }
    }
}
