//! What users change of their own account, and the browsers they are signed in with.

use reqwest::Method;
use serde_json::{Value, json};

use crate::password_resets::letters;
use crate::support::app::{Answer, App, Auth, PASSWORD, Person, unique};
use crate::support::databases::each_database;

const ME: &str = "/api/auth/me/";
const SESSIONS: &str = "/api/auth/sessions/";
const LOGIN: &str = "/api/auth/login/";
const NEW: &str = "another password of some length";

async fn email(person: &Person<'_>) -> String {
    person.get(ME).await.text("email").to_owned()
}

/// Signs in with a browser of this kind.
async fn log_in_with<'a>(app: &'a App, email: &str, browser: &str) -> Person<'a> {
    let body = json!({"email": email, "password": PASSWORD});
    let request = app.anonymous().request(Method::POST, LOGIN).header("user-agent", browser).json(&body);
    let answer = app.anonymous().send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    Person { app, auth: Auth::Cookie(cookie), id: answer.text("id").to_owned() }
}

fn results(answer: &Answer) -> &Vec<Value> {
    answer.body["results"].as_array().expect("results")
}

#[tokio::test]
async fn a_name_is_changed_without_a_password_and_shown_at_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let changed = admin.patch(ME, json!({"name": " Ada Lovelace ", "email": null})).await;
        assert_eq!((changed.status, changed.text("name")), (200, "Ada Lovelace"));
        assert_eq!(admin.get(ME).await.body, changed.body);
        assert_eq!(letters(&app, changed.text("email")).await.len(), 0, "nobody signs in by a name");
        assert_eq!(admin.patch(ME, json!({})).await.body, changed.body);
        for (body, fields) in [
            (json!({"name": ""}), vec!["name"]),
            (json!({"role": "superadmin"}), vec!["role"]),
            (
                json!({"name": "a\nb", "email": "x", "password": "short"}),
                vec!["name", "email", "password", "current_password"],
            ),
        ] {
            let refused = admin.patch(ME, body).await;
            assert_eq!((refused.status, refused.fields()), (422, fields), "{}", refused.body);
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn another_address_needs_the_current_password_and_is_told_to_the_old_one() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let (admin, other) = (app.admin().await, app.admin().await);
        let (old, taken) = (email(&admin).await, email(&other).await);
        let new = format!("{}@example.org", unique("moved"));
        for wrong in [json!({"email": new}), json!({"email": new, "current_password": "wrong"})] {
            let refused = admin.patch(ME, wrong).await;
            assert_eq!((refused.status, refused.fields()), (422, vec!["current_password"]));
        }
        let refused = admin.patch(ME, json!({"email": taken, "current_password": PASSWORD})).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["email"]));
        assert_eq!(email(&admin).await, old);
        assert_eq!(letters(&app, &old).await.len(), 0, "nothing was changed");

        let changed =
            admin.patch(ME, json!({"email": new.to_uppercase(), "current_password": PASSWORD})).await;
        assert_eq!((changed.status, changed.text("email")), (200, new.as_str()), "{}", changed.body);
        let told = letters(&app, &old).await;
        assert_eq!(told.len(), 1);
        assert!(told[0].body.contains(&new), "{}", told[0].body);
        app.log_in(&new, PASSWORD).await;
        let body = json!({"email": old, "password": PASSWORD});
        app.anonymous().post(LOGIN, body).await.is_problem(401, "wrong_credentials");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_no_key() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let email = email(&admin).await;
        let (elsewhere, key) = (app.log_in(&email, PASSWORD).await, admin.by_key().await);
        let colleague = app.member(&admin).await;
        let change = json!({"password": NEW, "current_password": PASSWORD});
        assert_eq!(admin.patch(ME, change.clone()).await.status, 200);
        elsewhere.get(ME).await.is_problem(401, "not_signed_in");
        for stays in [&admin, &key, &colleague] {
            assert_eq!(stays.get(ME).await.status, 200);
        }
        app.log_in(&email, NEW).await;
        let refused = admin.patch(ME, change).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["current_password"]), "it was the old one");
        assert_eq!(letters(&app, &email).await.len(), 1);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn guessing_the_current_password_is_throttled_with_the_log_ins() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let email = email(&admin).await;
        let guess = json!({"password": NEW, "current_password": "a guess of mine"});
        for _ in 0..10 {
            assert_eq!(admin.patch(ME, guess.clone()).await.status, 422);
        }
        admin.patch(ME, guess).await.is_problem(429, "too_many_attempts");
        let right = json!({"email": email, "password": PASSWORD});
        app.anonymous().post(LOGIN, right).await.is_problem(429, "too_many_attempts");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_with_their_browsers_and_ended() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let email = email(&admin).await;
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let laptop = log_in_with(&app, &email, firefox).await;
        let phone =
            log_in_with(&app, &email, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Safari/604.1")
                .await;
        let listed = laptop.get(SESSIONS).await;
        let of = |field: &str| results(&listed).iter().map(|row| row[field].clone()).collect::<Vec<_>>();
        assert_eq!(of("user_agent")[..2], [json!("Safari on iPhone"), json!("Firefox on Linux")]);
        assert_eq!(of("current"), [json!(false), json!(true), json!(false)]);
        let Auth::Cookie(cookie) = &laptop.auth else { unreachable!("it signed in") };
        let secret = cookie.split('=').nth(1).expect("a value");
        assert!(!listed.body.to_string().contains(secret), "the cookie is not shown");
        let first = laptop.get(&format!("{SESSIONS}?limit=2")).await;
        let next = first.text("next_cursor");
        let second = laptop.get(&format!("{SESSIONS}?limit=2&cursor={next}")).await;
        assert_eq!((results(&first).len(), results(&second).len()), (2, 1));

        let id = of("id")[0].as_str().expect("an id").to_owned();
        let stranger = app.member(&admin).await;
        stranger.delete(&format!("{SESSIONS}{id}/")).await.is_problem(404, "not_found");
        assert_eq!(phone.get(ME).await.status, 200);
        assert_eq!(laptop.delete(&format!("{SESSIONS}{id}/")).await.status, 204);
        phone.get(ME).await.is_problem(401, "not_signed_in");
        laptop.delete(&format!("{SESSIONS}{id}/")).await.is_problem(404, "not_found");

        assert_eq!(laptop.delete(SESSIONS).await.status, 204);
        admin.get(ME).await.is_problem(401, "not_signed_in");
        assert_eq!((laptop.get(ME).await.status, stranger.get(ME).await.status), (200, 200));
        let left = laptop.get(SESSIONS).await;
        assert_eq!((results(&left).len(), &results(&left)[0]["current"]), (1, &json!(true)));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_changes_nothing_of_the_account_it_belongs_to() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        let key = member.by_key().await;
        let sessions = key.get(SESSIONS).await;
        let id = results(&sessions)[0]["id"].as_str().expect("an id");
        assert_eq!(results(&sessions)[0]["current"], false);
        key.patch(ME, json!({"name": "Mallory"})).await.is_problem(403, "forbidden");
        key.delete(SESSIONS).await.is_problem(403, "forbidden");
        key.delete(&format!("{SESSIONS}{id}/")).await.is_problem(403, "forbidden");
        key.post("/api/team/leave/", json!({})).await.is_problem(403, "forbidden");
        let name = key.request(Method::POST, "/fn/settings/name").header("accept", "application/json");
        let name = name.header("content-type", "application/x-www-form-urlencoded").body("name=Mallory");
        assert_eq!(key.send(name).await.status, 403);
        assert_eq!(member.get(ME).await.text("name"), "Max");
        app.stop().await;
    })
    .await;
}
