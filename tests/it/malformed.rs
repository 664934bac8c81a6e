//! Whatever a client sends, the answer is never a failure of the server, and never leads to another site.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate::start::StartOptions;

use crate::support::app::{App, PASSWORD, Person, unique};
use crate::support::databases::each_database;
use crate::time_limits::streamed;

const FORM: &str = "application/x-www-form-urlencoded";
const SIGN_IN: &str = "/fn/account/sign-in";
const WEBHOOK: &str = "/api/subscriptions/webhook/stripe/";

/// What the server says to raw bytes, as far as it says anything within its limits.
async fn raw(app: &App, request: &str) -> String {
    let mut connection = TcpStream::connect(app.running.addr).await.expect("a connection");
    connection.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_target_that_is_no_path_is_no_failure() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        for line in
            ["CONNECT tollgate.example:443", "OPTIONS *", "GET http://other.example/api/auth/me/", "PRI *"]
        {
            let request = format!("{line} HTTP/1.1\r\nHost: tollgate.example\r\nConnection: close\r\n\r\n");
            let answer = raw(&app, &request).await;
            assert!(answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 5"), "{line}: {answer}");
        }
        app.stop().await;
    })
    .await;
}

fn sign_in(anonymous: &Person<'_>, kind: &str) -> RequestBuilder {
    anonymous.request(Method::POST, SIGN_IN).header("content-type", kind)
}

#[tokio::test]
async fn a_form_may_hold_anything() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let pieces =
            || futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024])));
        for (what, request, status) in [
            ("no UTF-8", sign_in(&anonymous, FORM).body(&b"email=\xff\xfe&password=x"[..]), 400),
            ("more than 1 MiB in pieces", sign_in(&anonymous, FORM).body(streamed(pieces())), 413),
            ("a NUL", sign_in(&anonymous, FORM).body("email=a%00b&password=x"), 400),
            ("escaped bytes that are no UTF-8", sign_in(&anonymous, FORM).body("email=%ff&password=x"), 401),
            ("half of an escape", sign_in(&anonymous, FORM).body("email=%&password=%f"), 401),
            ("no fields", sign_in(&anonymous, FORM).body(""), 400),
            (
                "another kind of body",
                sign_in(&anonymous, "application/json").body("{\"email\": \"\\u0000\"}"),
                400,
            ),
            ("a file", sign_in(&anonymous, "multipart/form-data; boundary=x").body("--x"), 400),
        ] {
            let answer = anonymous.send(request).await;
            assert_eq!(answer.status, status, "{what}: {:?}", answer.body);
        }
        let nul = anonymous.post("/api/auth/login/", json!({"email": "a\u{0}b", "password": "x"})).await;
        nul.is_problem(422, "invalid");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_no_event_is_refused_and_one_with_odd_texts_taken_in() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let secret = {
            use secrecy::ExposeSecret;
            app.running.services.config.stripe.webhook_secret.expose_secret().to_owned()
        };
        let send = async |event: serde_json::Value| {
            let (payload, time) = (event.to_string(), tollgate::clock::Clock::system().now().timestamp());
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
            mac.update(format!("{time}.{payload}").as_bytes());
            let signature = format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()));
            let request = anonymous.request(Method::POST, WEBHOOK).header("stripe-signature", signature).body(payload);
            anonymous.send(request).await
        };
        let event = |id: &str, kind: &str, object: serde_json::Value| {
            json!({"id": id, "object": "event", "type": kind, "data": {"object": object}})
        };
        let customer = json!({"id": "cus_1", "object": "customer"});
        for refused in [
            event("evt_\u{0}", "customer.created", customer.clone()),
            event(&"e".repeat(900_000), "customer.created", customer.clone()),
            event("evt_1", "customer.\u{0}", customer.clone()),
            event("", "customer.created", customer),
        ] {
            send(refused).await.is_problem(400, "malformed");
        }
        for (id, kind, object) in [
            ("evt_2", "customer.updated", json!({"id": "cus_1", "name": "A\u{0}B"})),
            ("evt_3", "customer.subscription.updated", json!({"id": "sub_\u{0}"})),
            ("evt_4", "customer.subscription.updated", json!({"id": "s".repeat(900_000)})),
        ] {
            assert_eq!(send(event(id, kind, object)).await.status, 200, "{id}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn no_answer_leads_to_another_site() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        for path in [
            "//evil.test/login?__err=x",
            "/\\evil.test?__err=x",
            "///evil.test/?__err=x&next=1",
            "//evil.test/%2e%2e?__err=x",
        ] {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", app.running.addr);
            let answer = raw(&app, &request).await;
            let location = answer
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("location: ").map(str::to_owned));
            if let Some(location) = location {
                let second = location.chars().nth(1);
                assert!(
                    location.starts_with('/') && second != Some('/') && second != Some('\\'),
                    "{path}: {location}"
                );
            }
            assert!(!answer.starts_with("HTTP/1.1 5"), "{path}: {answer}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_form_comes_back_in_an_address_of_bounded_length() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let fields = [("email", "e".repeat(60_000)), ("password", "not the password".into())];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = sign_in(&anonymous, FORM)
            .header("accept", "text/html")
            .header("referer", format!("{}/login", app.base))
            .body(body);
        let answer = anonymous.send(request).await;
        assert_eq!(answer.status, 302);
        let location = answer.headers["location"].to_str().unwrap();
        assert!(location.contains("__err=") && location.len() < 8_000, "{} bytes", location.len());
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn behind_https_no_cookie_is_sent_in_clear() {
    each_database(|url| async move {
        let public = [("PUBLIC_URL", "https://tollgate.example")];
        let proxied = [("TRUSTED_PROXIES", "127.0.0.1")];
        for (variables, scheme, secure) in
            [(&public, "http", true), (&proxied, "https", true), (&proxied, "http", false)]
        {
            let app = App::start_with(&url, variables, StartOptions::default()).await;
            let anonymous = app.anonymous();
            let refused = sign_in(&anonymous, FORM)
                .header("accept", "text/html")
                .header("referer", format!("{}/login", app.base))
                .header("x-forwarded-proto", scheme)
                .body("email=unknown%40example.com&password=wrong");
            let refused = anonymous.send(refused).await;
            let email = format!("{}@example.com", unique("secure"));
            let account = json!({"email": email, "password": PASSWORD, "name": "A", "group_name": "G"});
            assert_eq!(anonymous.post("/api/auth/signup/", account).await.status, 201);
            let request =
                anonymous.request(Method::POST, "/api/auth/login/").header("x-forwarded-proto", scheme);
            let signed_in =
                anonymous.send(request.json(&json!({"email": email, "password": PASSWORD}))).await;
            for answer in [refused, signed_in] {
                let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
                assert!(!cookies.is_empty());
                for cookie in cookies {
                    let cookie = cookie.to_str().unwrap();
                    assert_eq!(cookie.contains("Secure"), secure, "{variables:?} {scheme}: {cookie}");
                    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
                }
            }
            app.stop().await;
        }
    })
    .await;
}
