//! How often may be tried what costs others something: log-ins, sign-ups, invitations, keys.

use std::collections::BTreeMap;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tollgate::start::StartOptions;

use crate::support::app::{Answer, App, PASSWORD, unique};
use crate::support::databases::each_database;

const SIGNUP: &str = "/api/auth/signup/";
const LOGIN: &str = "/api/auth/login/";
const INVITE: &str = "/api/team/invitations/";
const KEYS: &str = "/api/auth/keys/";

/// How many answers have which status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

fn asks_to_wait(answer: &Answer) -> bool {
    let seconds: Option<u64> =
        answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.is_some_and(|seconds| (1..=3_600).contains(&seconds))
        && answer.body["retry_after"] == json!(seconds)
}

#[tokio::test]
async fn of_many_guesses_at_once_ten_are_checked() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let guess = json!({"email": "victim@example.com", "password": "not the password"});
        let answers = join_all((0..150).map(|_| anonymous.post(LOGIN, guess.clone()))).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(401, 10), (429, 140)]));
        assert!(answers.iter().filter(|answer| answer.status == 429).all(asks_to_wait));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_log_in_that_succeeds_is_not_held_against_anyone() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let email = format!("{}@example.com", unique("often"));
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada", "group_name": "Engines"});
        assert_eq!(app.anonymous().post(SIGNUP, body).await.status, 201);
        for _ in 0..12 {
            app.log_in(&email, PASSWORD).await;
        }
        let wrong = json!({"email": email, "password": "not the password"});
        for _ in 0..9 {
            app.anonymous().post(LOGIN, wrong.clone()).await.is_problem(401, "wrong_credentials");
        }
        app.log_in(&email, PASSWORD).await;
        app.anonymous().post(LOGIN, wrong).await.is_problem(401, "wrong_credentials");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_client_makes_only_so_many_accounts() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        let sign_up = |_| {
            let email = format!("{}@example.com", unique("many"));
            anonymous
                .post(SIGNUP, json!({"email": email, "password": PASSWORD, "name": "A", "group_name": "G"}))
        };
        let answers = join_all((0..110).map(sign_up)).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 100), (429, 10)]));
        assert!(answers.iter().filter(|answer| answer.status == 429).all(asks_to_wait));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_group_invites_only_so_many_and_one_address_is_invited_only_so_often() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let invite = |email: String| admin.post(INVITE, json!({"email": email, "role": "member"}));
        let same = join_all((0..8).map(|_| invite("one@example.com".into()))).await;
        let sent = same.iter().filter(|answer| answer.status == 201).count();
        assert!((1..=5).contains(&sent), "{:?}", statuses(&same));
        assert!(same.iter().filter(|answer| answer.status == 429).count() >= 3, "{:?}", statuses(&same));

        let others = join_all((0..60).map(|_| invite(format!("{}@example.com", unique("guest"))))).await;
        let counts = statuses(&others);
        assert_eq!(counts, BTreeMap::from([(201, 42), (429, 18)]));
        assert!(others.iter().filter(|answer| answer.status == 429).all(asks_to_wait));

        let other = app.admin().await;
        other
            .post(INVITE, json!({"email": "one@example.com", "role": "member"}))
            .await
            .is_problem(429, "too_many_attempts");
        let fresh = other.post(INVITE, json!({"email": "two@example.com", "role": "member"})).await;
        assert_eq!(fresh.status, 201, "another group has its own count");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn behind_a_proxy_clients_are_told_apart_and_only_the_proxy_is_believed() {
    each_database(|url| async move {
        let proxied = [("TRUSTED_PROXIES", "127.0.0.0/8"), ("SIGNUP", "open")];
        let app = App::start_with(&url, &proxied, StartOptions::default()).await;
        let anonymous = app.anonymous();
        let guess = |client: &'static str| {
            let body = json!({"email": "victim@example.com", "password": "not the password"});
            let request = anonymous.request(Method::POST, LOGIN).header("x-forwarded-for", client);
            anonymous.send(request.json(&body))
        };
        for _ in 0..10 {
            guess("203.0.113.7").await.is_problem(401, "wrong_credentials");
        }
        guess("203.0.113.7").await.is_problem(429, "too_many_attempts");
        guess("198.51.100.1, 203.0.113.7").await.is_problem(429, "too_many_attempts");
        guess("203.0.113.8").await.is_problem(401, "wrong_credentials");
        app.stop().await;

        let app = App::start(&url).await;
        let anonymous = app.anonymous();
        for client in 0..11 {
            let body = json!({"email": "other@example.com", "password": "not the password"});
            let request = anonymous
                .request(Method::POST, LOGIN)
                .header("x-forwarded-for", format!("203.0.113.{client}"));
            let answer = anonymous.send(request.json(&body)).await;
            assert_eq!(
                answer.status,
                if client < 10 { 401 } else { 429 },
                "a header that any client can send changes nothing"
            );
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_has_only_so_many_keys() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let mut last = None;
        for number in 0..50 {
            let made = admin.post(KEYS, json!({"name": format!("key {number}")})).await;
            assert_eq!(made.status, 201, "{}", made.body);
            last = Some(made.text("id").to_owned());
        }
        admin.post(KEYS, json!({"name": "one more"})).await.is_problem(409, "too_many_keys");
        let last = last.expect("a key");
        assert_eq!(admin.delete(&format!("{KEYS}{last}/")).await.status, 204);
        assert_eq!(admin.post(KEYS, json!({"name": "in its place"})).await.status, 201);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_name_is_one_line() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let email = format!("{}@example.com", unique("lines"));
        for (name, group, field) in [("A\nBcc: b@example.com", "G", "name"), ("A", "G\r\nX", "group_name")] {
            let body = json!({"email": email, "password": PASSWORD, "name": name, "group_name": group});
            let refused = app.anonymous().post(SIGNUP, body).await;
            assert_eq!((refused.status, refused.fields()), (422, vec![field]));
        }
        let admin = app.admin().await;
        admin.post(KEYS, json!({"name": "a\tb"})).await.is_problem(422, "invalid");
        let superadmin = app.superadmin().await;
        let plan = |name: &str, description: &str| json!({"name": name, "description": description, "price": "1.00"});
        let refused = superadmin.post("/api/subscriptions/plans/", plan("a\nb", "")).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["name"]));
        let made = superadmin.post("/api/subscriptions/plans/", plan("lines", "one\ntwo")).await;
        assert_eq!(made.status, 201, "{}", made.body);
        app.stop().await;
    })
    .await;
}
