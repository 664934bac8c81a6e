//! Sign-up, sign-in, sessions, throttling, and who may send what from where.

use reqwest::Method;
use serde_json::json;
use tollgate::start::StartOptions;

use crate::support::app::{App, Auth, PASSWORD, Person, unique};
use crate::support::databases::each_database;

const SIGNUP: &str = "/api/auth/signup/";
const LOGIN: &str = "/api/auth/login/";
const ME: &str = "/api/auth/me/";

#[tokio::test]
async fn signing_up_makes_a_group_with_its_admin() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let email = format!("{}@Example.com", unique("Ada"));
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada", "group_name": "Engines"});
        let made = app.anonymous().post(SIGNUP, body.clone()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!((made.text("role"), made.text("name")), ("admin", "Ada"));
        assert_eq!(made.body["group"]["name"], "Engines");
        app.anonymous().post(SIGNUP, body).await.is_problem(409, "email_taken");
        let ada = app.log_in(&email.to_uppercase(), PASSWORD).await;
        assert_eq!(ada.get(ME).await.body, made.body);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn every_wrong_field_of_a_sign_up_is_named() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let wrong = json!({"email": "ada", "password": "short", "name": "", "group_name": " "});
        let refused = app.anonymous().post(SIGNUP, wrong).await;
        refused.is_problem(422, "invalid");
        assert_eq!(refused.fields(), ["email", "name", "password", "group_name"]);
        let nul =
            json!({"email": "a@example.com", "password": PASSWORD, "name": "A\u{0}", "group_name": "G"});
        let refused = app.anonymous().post(SIGNUP, nul).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["name"]));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_closed_sign_up_is_closed() {
    each_database(|url| async move {
        let app = App::start_with(&url, &[("SIGNUP", "closed")], StartOptions::default()).await;
        let body = json!({"email": "a@example.com", "password": PASSWORD, "name": "A", "group_name": "G"});
        app.anonymous().post(SIGNUP, body).await.is_problem(403, "signup_closed");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_its_log_out_and_its_cookie_is_kept_from_scripts() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let email = admin.get(ME).await.text("email").to_owned();
        let answer = app.anonymous().post(LOGIN, json!({"email": email, "password": PASSWORD})).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        assert!(!cookie.contains("Secure"), "loopback has no HTTPS: {cookie}");
        assert_eq!(admin.post("/api/auth/logout/", json!({})).await.status, 204);
        admin.get(ME).await.is_problem(401, "not_signed_in");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure() {
    each_database(|url| async move {
        let app =
            App::start_with(&url, &[("PUBLIC_URL", "https://tollgate.example")], StartOptions::default())
                .await;
        let admin = app.admin().await;
        let email =
            app.running.services.accounts.user(admin.id.parse().unwrap()).await.unwrap().unwrap().email;
        let answer = app.anonymous().post(LOGIN, json!({"email": email, "password": PASSWORD})).await;
        assert!(answer.headers["set-cookie"].to_str().unwrap().contains("Secure"));
        assert!(answer.headers.contains_key("strict-transport-security"));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn after_too_many_failures_one_has_to_wait() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let wrong = json!({"email": "unknown@example.com", "password": "not the password"});
        for _ in 0..10 {
            anonymous.post(LOGIN, wrong.clone()).await.is_problem(401, "wrong_credentials");
        }
        let refused = anonymous.post(LOGIN, wrong).await;
        refused.is_problem(429, "too_many_attempts");
        let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=900).contains(&seconds));
        app.admin().await;
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cookie_is_worth_nothing_from_another_site() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let body = json!({"name": "stolen"});
        for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let request = admin.request(Method::POST, "/api/auth/keys/").header(header, value).json(&body);
            admin.send(request).await.is_problem(403, "cross_origin");
        }
        let own = admin.request(Method::POST, "/api/auth/keys/").header("origin", &app.base).json(&body);
        assert_eq!(admin.send(own).await.status, 201);
        let program = admin.by_key().await;
        let request =
            program.request(Method::POST, "/api/auth/keys/").header("origin", "https://evil.example");
        assert_eq!(program.send(request.json(&body)).await.status, 201, "a key is no cookie");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_even_beside_a_good_cookie() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let Auth::Cookie(cookie) = &admin.auth else { unreachable!("admins sign in by cookie") };
        let stranger = Person { app: &app, auth: Auth::Key("tg_nope".into()), id: String::new() };
        let request = stranger.request(Method::GET, ME).header("cookie", cookie);
        stranger.send(request).await.is_problem(401, "not_signed_in");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_with_an_idempotency_key_is_done_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let make = |name: &str| {
            let request = admin.request(Method::POST, "/api/auth/keys/").header("idempotency-key", "once");
            admin.send(request.json(&json!({"name": name})))
        };
        let first = make("one").await;
        let again = make("one").await;
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(first.body, again.body, "the same answer, the key included");
        make("two").await.is_problem(409, "idempotency_mismatch");
        let listed = admin.get("/api/auth/keys/").await;
        assert_eq!(listed.body["results"].as_array().unwrap().len(), 1);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_path_is_the_same_with_and_without_its_slash() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let with = admin.get("/api/auth/me/").await;
        let without = admin.get("/api/auth/me").await;
        assert_eq!((with.status, &with.body), (without.status, &without.body));
        admin.get("/api/nothing/here").await.is_problem(404, "not_found");
        let method = admin.delete("/api/auth/me/").await;
        method.is_problem(405, "method_not_allowed");
        assert!(method.headers.contains_key("allow"));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_json_is_told_apart() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let send = |kind: &'static str, body: &'static str| {
            anonymous.send(anonymous.request(Method::POST, LOGIN).header("content-type", kind).body(body))
        };
        send("text/plain", "{}").await.is_problem(415, "not_json");
        send("application/json", "{").await.is_problem(400, "malformed");
        assert_eq!(send("application/json", "{}").await.status, 422);
        app.stop().await;
    })
    .await;
}
