//! Which headers pass, and those that say what a request cost.

use axum::http::header::{
    ACCEPT_ENCODING, ALT_SVC, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST,
    HeaderName, ORIGIN, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, REFERER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue};

use crate::domain::{Usage, UsageType};

/// Tokens that a request was counted for.
const USED: HeaderName = HeaderName::from_static("x-tollgate-tokens-used");
/// Tokens left after it: the fewest of the group's and the caller's own; `unlimited` without a limit.
const REMAINING: HeaderName = HeaderName::from_static("x-tollgate-tokens-remaining");
/// Tokens reserved for a stream, whose cost isn't known yet.
const HELD: HeaderName = HeaderName::from_static("x-tollgate-tokens-held");

/// Those that belong to one connection. Source: RFC 9110, section 7.6.1.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Those of a request that aren't the upstream's business: who the caller is to us, which page it was sent from, whose
/// account of the upstream it means (it is ours), and what would have the answer compressed, so that its tokens
/// couldn't be read. An idempotency key is unique to its caller only, and all callers are one to the upstream.
const KEPT_FROM_UPSTREAM: [HeaderName; 16] = [
    AUTHORIZATION,
    COOKIE,
    HOST,
    CONTENT_LENGTH,
    EXPECT,
    ACCEPT_ENCODING,
    ORIGIN,
    REFERER,
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
    HeaderName::from_static("idempotency-key"),
];

/// Those of an answer that speak for the upstream's own site, which the client doesn't see.
const KEPT_FROM_CLIENT: [HeaderName; 6] = [
    SET_COOKIE,
    ALT_SVC,
    STRICT_TRANSPORT_SECURITY,
    CONTENT_LENGTH,
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
];

/// The headers to ask the upstream with.
pub fn for_upstream(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    for name in KEPT_FROM_UPSTREAM {
        headers.remove(name);
    }
    remove_all(&mut headers, |name| name.starts_with("sec-"));
    headers
}

/// The headers to answer the client with. The upstream's own id of the request goes under another name: the client
/// knows the request by ours.
pub fn for_client(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    for name in KEPT_FROM_CLIENT {
        headers.remove(name);
    }
    remove_all(&mut headers, |name| name.starts_with("access-control-") || name.starts_with("x-tollgate-"));
    if let Some(id) = headers.remove("x-request-id") {
        headers.insert(HeaderName::from_static("x-upstream-request-id"), id);
    }
    headers
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    remove_all(headers, |name| named.iter().any(|other| other == name));
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn remove_all(headers: &mut HeaderMap, which: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| which(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Of a request that costs nothing.
pub fn used_nothing() -> HeaderMap {
    HeaderMap::from_iter([(USED, HeaderValue::from(0))])
}

/// Of a request that was counted, and the usage after it.
pub fn used(tokens: i64, usage: Option<&Usage>, usage_type: UsageType) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(USED, HeaderValue::from(tokens))]);
    headers.extend(usage.map(|usage| remaining(usage, usage_type)));
    headers
}

/// Of a stream that begins.
pub fn held(tokens: i64, usage: &Usage, usage_type: UsageType) -> HeaderMap {
    HeaderMap::from_iter([(HELD, HeaderValue::from(tokens)), remaining(usage, usage_type)])
}

/// What remains, as a header.
pub fn remaining(usage: &Usage, usage_type: UsageType) -> (HeaderName, HeaderValue) {
    let group = usage.resources[usage_type].remaining;
    let own = usage.you.as_ref().and_then(|you| you[usage_type].remaining);
    let least = group.into_iter().chain(own).min();
    (REMAINING, least.map_or(HeaderValue::from_static("unlimited"), HeaderValue::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        list.iter().map(pair).collect()
    }

    #[test]
    fn the_upstream_learns_nothing_of_the_caller() {
        let passed = for_upstream(headers(&[
            ("authorization", "Bearer tg_secret"),
            ("cookie", "tollgate_session=secret"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("sec-fetch-site", "same-origin"),
            ("accept-encoding", "gzip"),
            ("openai-organization", "org-theirs"),
            ("content-type", "application/json"),
            ("openai-beta", "assistants=v2"),
            ("x-unknown", "kept"),
        ]));
        assert_eq!(
            passed,
            headers(&[
                ("content-type", "application/json"),
                ("openai-beta", "assistants=v2"),
                ("x-unknown", "kept")
            ])
        );
    }

    #[test]
    fn the_client_sees_the_answers_headers_and_no_cookie() {
        let passed = for_client(headers(&[
            ("set-cookie", "__cf_bm=1"),
            ("transfer-encoding", "chunked"),
            ("x-request-id", "req_1"),
            ("x-tollgate-tokens-used", "0"),
            ("x-ratelimit-remaining-tokens", "5"),
        ]));
        let expected = headers(&[("x-upstream-request-id", "req_1"), ("x-ratelimit-remaining-tokens", "5")]);
        assert_eq!(passed, expected);
    }
}
