//! The site's files, embedded in the binary and served from memory: WASM, JavaScript, styles, icons.
//!
//! `cargo xtask site` writes them to `target/site` before the server is compiled. Owns their addresses and their
//! caching; pages ask [`url`] for an address and never spell one out.
//!
//! Under `cargo leptos watch`, which rebuilds the site while the server runs, they are read from its folder instead.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::get;
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;
use tower_http::services::{ServeDir, ServeFile};

use crate::web::ssr::hot_reload::WATCH;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Site;

const MANIFEST: &str = "assets.json";

/// Names under `/pkg/` change with their content, so what they name never does.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

#[derive(Deserialize, Default)]
struct Manifest {
    /// Plain path to hashed path.
    files: BTreeMap<String, String>,
}

static NAMES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let manifest = Site::get(MANIFEST).and_then(|file| serde_json::from_slice::<Manifest>(&file.data).ok());
    manifest.unwrap_or_default().files
});

/// The address of a file of the site by its plain name: `/pkg/tollgate.css` gives `/pkg/tollgate.<hash>.css`.
/// A name without a hashed form is its own address; so is every name in a binary built without the site.
pub fn url(plain: &'static str) -> &'static str {
    match &*WATCH {
        Some(_) => plain,
        None => NAMES.get(plain).map_or(plain, String::as_str),
    }
}

/// A route for each file of the site, at its own path. Other paths are left to other routers.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    if let Some(options) = &*WATCH {
        return watched(Path::new(&*options.site_root));
    }
    let served = Site::iter().filter(|path| &**path != MANIFEST && !path.ends_with(".br"));
    served.fold(Router::new(), |router, path| {
        let address = format!("/{path}");
        router.route(&address, get(async move |request: HeaderMap| respond(&path, &request)))
    })
}

/// cargo-leptos's own output, and the public files as they lie in the source.
fn watched<S: Clone + Send + Sync + 'static>(root: &Path) -> Router<S> {
    let router = Router::new().nest_service("/pkg", ServeDir::new(root.join("pkg")));
    let public = fs::read_dir("public").into_iter().flatten().flatten();
    public.fold(router, |router, entry| {
        let address = format!("/{}", entry.file_name().display());
        if entry.path().is_dir() {
            router.nest_service(&address, ServeDir::new(entry.path()))
        } else {
            router.route_service(&address, ServeFile::new(entry.path()))
        }
    })
}

fn respond(path: &str, request: &HeaderMap) -> Response<Body> {
    let Some(plain) = Site::get(path) else {
        return answer(StatusCode::NOT_FOUND, [], Body::empty());
    };
    let kind = content_type(&plain);
    let compressed = if accepts_brotli(request) { Site::get(&format!("{path}.br")) } else { None };
    let is_compressed = compressed.is_some();
    let file = compressed.unwrap_or(plain);
    // The compressed form is another sequence of bytes, so its tag is another too.
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let caching = if path.starts_with("pkg/") { FOREVER } else { AN_HOUR };
    let Ok(etag) = HeaderValue::from_str(&tag) else {
        return answer(StatusCode::INTERNAL_SERVER_ERROR, [], Body::empty());
    };
    let mut headers =
        vec![(ETAG, etag), (CACHE_CONTROL, caching), (VARY, HeaderValue::from_static("accept-encoding"))];
    if knows(request, &tag) {
        return answer(StatusCode::NOT_MODIFIED, headers, Body::empty());
    }
    headers.push((CONTENT_TYPE, kind));
    if is_compressed {
        headers.push((CONTENT_ENCODING, HeaderValue::from_static("br")));
    }
    answer(StatusCode::OK, headers, Body::from(Bytes::from_owner(file.data)))
}

fn answer(
    status: StatusCode,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

fn content_type(file: &EmbeddedFile) -> HeaderValue {
    let kind = file.metadata.mimetype();
    let is_text = kind.starts_with("text/") || kind == "image/svg+xml";
    let kind = if is_text { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    HeaderValue::from_str(&kind).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Whether `Accept-Encoding` names brotli without refusing it (RFC 9110, 12.5.3: a weight of 0 refuses).
fn accepts_brotli(request: &HeaderMap) -> bool {
    entries(request, &ACCEPT_ENCODING).any(|entry| {
        let (coding, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let weight =
            parameters.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("br") && weight != Some(0.0)
    })
}

/// Whether `If-None-Match` lists this tag. The comparison is the weak one (RFC 9110, 13.1.2).
fn knows(request: &HeaderMap, tag: &str) -> bool {
    entries(request, &IF_NONE_MATCH).any(|entry| entry == "*" || entry.trim_start_matches("W/") == tag)
}

fn entries<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = request.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Method, Request};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    async fn get(path: &str, headers: &[(HeaderName, &str)]) -> (axum::http::response::Parts, Bytes) {
        let mut request = Request::builder().method(Method::GET).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let response = router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    }

    #[test]
    fn brotli_is_used_when_named_and_not_refused() {
        for accepted in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5, BR;q=0.1"] {
            assert!(accepts_brotli(&with(ACCEPT_ENCODING, accepted)), "{accepted}");
        }
        for refused in ["gzip", "br;q=0", "br; q=0.0", "brotli", ""] {
            assert!(!accepts_brotli(&with(ACCEPT_ENCODING, refused)), "{refused}");
        }
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[test]
    fn a_tag_is_known_in_a_list_weak_or_as_anything() {
        for known in ["\"a\"", "\"b\", \"a\"", "W/\"a\"", "*"] {
            assert!(knows(&with(IF_NONE_MATCH, known), "\"a\""), "{known}");
        }
        assert!(!knows(&with(IF_NONE_MATCH, "\"ab\""), "\"a\""));
        assert!(!knows(&HeaderMap::new(), "\"a\""));
    }

    #[tokio::test]
    async fn hashed_files_are_compressed_and_kept_for_ever() {
        let path = url("/pkg/tollgate.wasm");
        assert_ne!(path, "/pkg/tollgate.wasm", "the site comes first: cargo xtask site");
        let (compressed, small) = get(path, &[(ACCEPT_ENCODING, "gzip, br")]).await;
        assert_eq!(compressed.status, StatusCode::OK);
        assert_eq!(compressed.headers[CONTENT_TYPE], "application/wasm");
        assert_eq!(compressed.headers[CONTENT_ENCODING], "br");
        assert_eq!(compressed.headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(compressed.headers[VARY], "accept-encoding");

        let (plain, large) = get(path, &[]).await;
        assert!(!plain.headers.contains_key(CONTENT_ENCODING));
        assert!(large.starts_with(b"\0asm"));
        assert!(small.len() < large.len());
        assert_ne!(plain.headers[ETAG], compressed.headers[ETAG]);

        let tag = plain.headers[ETAG].to_str().unwrap();
        let (again, body) = get(path, &[(IF_NONE_MATCH, tag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers[CACHE_CONTROL], plain.headers[CACHE_CONTROL]);
        assert!(body.is_empty());
    }

    #[tokio::test]
    async fn scripts_and_styles_are_named_in_the_manifest() {
        for (plain, kind) in [
            ("/pkg/tollgate.js", "text/javascript; charset=utf-8"),
            ("/pkg/tollgate.css", "text/css; charset=utf-8"),
        ] {
            let (response, _) = get(url(plain), &[]).await;
            assert_eq!(response.status, StatusCode::OK, "{plain}");
            assert_eq!(response.headers[CONTENT_TYPE], kind);
        }
    }

    #[tokio::test]
    async fn other_files_keep_their_names_and_may_change() {
        assert_eq!(url("/robots.txt"), "/robots.txt");
        let (response, body) = get("/robots.txt", &[]).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.headers[CACHE_CONTROL], "public, max-age=3600");
        assert!(body.starts_with(b"User-agent:"));
    }

    #[tokio::test]
    async fn what_is_not_a_file_is_left_to_others() {
        for path in ["/assets.json", "/pkg/tollgate.wasm.br", "/pkg/", "/pkg/../robots.txt", "/usage"] {
            assert_eq!(get(path, &[]).await.0.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
