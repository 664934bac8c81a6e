//! The table of endpoints.

use crate::http::Route;
use crate::resources;

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
