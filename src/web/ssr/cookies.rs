//! Short-lived cookies of the pages: out of reach of scripts and other sites. The outermost middleware makes them
//! `Secure` where there is HTTPS.

use axum::http::{HeaderMap, HeaderValue, header};
use tower_sessions::cookie::time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};

/// The value of one cookie of a request.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find_map(|cookie| (cookie.name() == name).then(|| cookie.value().to_owned()))
}

/// A `Set-Cookie` for so many seconds; 0 takes the cookie away. None if the value isn't one a cookie can have.
pub fn set(name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let cookie = Cookie::build((name, value))
        .max_age(Duration::seconds(seconds))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax);
    HeaderValue::from_str(&cookie.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_read_among_others() {
        let set = set("tollgate_once_key", "abc", 60).unwrap();
        let text = set.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=60"] {
            assert!(text.contains(part), "{text}");
        }
        let pair = text.split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_str(&format!("a=b; {pair}")).unwrap());
        headers.append(header::COOKIE, HeaderValue::from_static("c=d"));
        assert_eq!(read(&headers, "tollgate_once_key").as_deref(), Some("abc"));
        assert_eq!((read(&headers, "c").as_deref(), read(&headers, "e")), (Some("d"), None));
    }
}
