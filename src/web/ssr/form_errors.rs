//! A refused form's error travels back to its page in the address (`__err`), where JavaScript can't carry it.
//!
//! Such an address can be made up by any other site, to have us say something; so the answer that made it also
//! leaves its fingerprint in a cookie, and an error without its fingerprint isn't shown.

use axum::body::Body;
use axum::http::{Request, Response, header};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{cookies, forms};

const COOKIE: &str = "tollgate_form";

/// Leaves the fingerprint of the error that `response` leads to, if it does.
pub fn sign(response: &mut Response<Body>) {
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let Some(error) =
        location.and_then(|location| location.split_once('?')).and_then(|(_, query)| error_in(query))
    else {
        return;
    };
    if let Some(cookie) = cookies::set(COOKIE, &fingerprint(&error), 120) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The address of ours to show instead, where `request` carries an error that this browser wasn't given.
pub fn without_foreign(request: &Request<Body>) -> Option<String> {
    let query = request.uri().query()?;
    let error = error_in(query)?;
    if cookies::read(request.headers(), COOKIE).is_some_and(|given| given == fingerprint(&error)) {
        return None;
    }
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "__err" && key != "__path");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    let path = request.uri().path();
    let path = forms::inside(path);
    Some(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
}

fn error_in(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(key, value)| (key == "__err").then(|| value.into_owned()))
}

fn fingerprint(error: &str) -> String {
    hex::encode(Sha256::digest(error.as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ask(address: &str, cookie: &str) -> Request<Body> {
        Request::builder().uri(address).header(header::COOKIE, cookie).body(Body::empty()).unwrap()
    }

    #[test]
    fn an_error_is_shown_to_the_browser_that_was_given_it() {
        let mut response = Response::new(Body::empty());
        let location =
            HeaderValue::from_static("http://localhost/login?next=%2Fteam&__path=%2Ffn&__err=e30%3D");
        response.headers_mut().insert(header::LOCATION, location);
        sign(&mut response);
        let given = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let given = given.split(';').next().unwrap();
        assert_eq!(without_foreign(&ask("/login?__path=%2Ffn&__err=e30%3D", given)), None);
        let other = without_foreign(&ask("/login?next=%2Fteam&__path=%2Ffn&__err=e30", given));
        assert_eq!(other.as_deref(), Some("/login?next=%2Fteam"));
    }

    #[test]
    fn no_address_leads_to_another_site() {
        for asked in
            ["//evil.test/login?__err=x", "///evil.test?__err=x&next=1", "http://a//evil.test?__err=x"]
        {
            let shown = without_foreign(&ask(asked, "a=b")).unwrap();
            assert!(shown.starts_with('/') && !shown.starts_with("//"), "{asked}: {shown}");
        }
    }

    #[test]
    fn an_address_without_an_error_is_left_alone() {
        assert_eq!(without_foreign(&ask("/login?next=%2F", "a=b")), None);
        assert_eq!(without_foreign(&ask("/login", "a=b")), None);
        assert_eq!(without_foreign(&ask("/login?__err=x", "a=b")).as_deref(), Some("/login"));
    }
}
