//! A new password for who forgot theirs: by a link that works once, for an hour, until a newer one is asked for.

use chrono::Duration;
use futures::future::join_all;
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::storage::OutboxRow;

use crate::support::app::{Answer, App, PASSWORD, Person};
use crate::support::databases::{Database, each_database};

const FORGOT: &str = "/api/auth/forgot/";
const RESET: &str = "/api/auth/reset/";
const ME: &str = "/api/auth/me/";
const NEW: &str = "another password of some length";

pub async fn forgot(app: &App, email: &str) -> Answer {
    app.anonymous().post(FORGOT, json!({"email": email})).await
}

async fn reset(app: &App, token: &str, password: &str) -> Answer {
    app.anonymous().post(RESET, json!({"token": token, "password": password})).await
}

/// What was written to an address, the newest first.
pub async fn letters(app: &App, email: &str) -> Vec<OutboxRow> {
    let rows = app.running.services.store.outbox(100).await.expect("the outbox");
    rows.into_iter().filter(|row| row.recipient == email).collect()
}

/// The token in the newest link that was sent to an address.
async fn token(app: &App, email: &str) -> String {
    let letters = letters(app, email).await;
    let body = letters.iter().map(|letter| &letter.body).find(|body| body.contains("/reset/"));
    let rest = body.expect("a link").split("/reset/").nth(1).expect("a token");
    rest.split_whitespace().next().expect("a token").to_owned()
}

async fn email(person: &Person<'_>) -> String {
    person.get(ME).await.text("email").to_owned()
}

async fn log_in(app: &App, email: &str, password: &str) -> u16 {
    app.anonymous().post("/api/auth/login/", json!({"email": email, "password": password})).await.status
}

#[tokio::test]
async fn a_link_sets_a_new_password_once_and_ends_the_sessions() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let (key, email) = (admin.by_key().await, email(&admin).await);
        assert_eq!(forgot(&app, &email.to_uppercase()).await.status, 202);
        let link = token(&app, &email).await;
        reset(&app, &link, "short").await.is_problem(422, "invalid");
        assert_eq!(log_in(&app, &email, PASSWORD).await, 200, "nothing has changed yet");

        let done = reset(&app, &link, NEW).await;
        assert_eq!((done.status, done.text("id")), (200, admin.id.as_str()), "{}", done.body);
        admin.get(ME).await.is_problem(401, "not_signed_in");
        assert_eq!(key.get(ME).await.status, 200, "keys aren't passwords");
        assert_eq!((log_in(&app, &email, PASSWORD).await, log_in(&app, &email, NEW).await), (401, 200));
        let letters = letters(&app, &email).await;
        assert_eq!(letters[0].subject, "Your password was changed");
        assert!(letters[0].body.contains(&format!("{}/forgot", app.base)), "{}", letters[0].body);

        reset(&app, &link, PASSWORD).await.is_problem(404, "reset_gone");
        assert_eq!(log_in(&app, &email, NEW).await, 200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_sets_the_password() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let email = email(&app.admin().await).await;
        forgot(&app, &email).await;
        let link = token(&app, &email).await;
        let passwords: Vec<_> = (0..4).map(|number| format!("password number {number}")).collect();
        let answers = join_all(passwords.iter().map(|password| reset(&app, &link, password))).await;
        let set: Vec<_> = answers.iter().map(|answer| answer.status == 200).collect();
        assert_eq!(set.iter().filter(|set| **set).count(), 1, "{answers:?}");
        for (password, set) in passwords.iter().zip(set) {
            assert_eq!(log_in(&app, &email, password).await, if set { 200 } else { 401 });
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_works_for_an_hour_and_until_the_next() {
    for database in Database::each().await {
        let clock = Clock::manual(Clock::system().now());
        let app = App::start_at(&database.url, &[], &clock).await;
        let admin = app.admin().await;
        let email = email(&admin).await;
        forgot(&app, &email).await;
        let first = token(&app, &email).await;
        clock.advance(Duration::minutes(1));
        forgot(&app, &email).await;
        let second = token(&app, &email).await;
        reset(&app, &first, NEW).await.is_problem(404, "reset_gone");

        let page = |token: &str| app.http.get(format!("{}/reset/{token}", app.base)).send();
        clock.advance(Duration::hours(1) - Duration::seconds(1));
        assert_eq!(page(&second).await.expect("an answer").status(), 200, "the last second of the hour");
        clock.advance(Duration::seconds(1));
        assert_eq!(page(&second).await.expect("an answer").status(), 410);
        reset(&app, &second, NEW).await.is_problem(404, "reset_gone");

        forgot(&app, &email).await;
        let third = token(&app, &email).await;
        let change = json!({"password": NEW, "current_password": PASSWORD});
        assert_eq!(admin.patch(ME, change).await.status, 200);
        reset(&app, &third, PASSWORD).await.is_problem(404, "reset_gone");
        app.stop().await;
        database.drop().await;
    }
}

/// What an onlooker could tell an account by: the answer, and what is done for it.
#[tokio::test]
async fn nothing_tells_an_address_with_an_account_from_one_without() {
    for database in Database::each().await {
        let app = App::start(&database.url).await;
        let known = email(&app.admin().await).await;
        let unknown = "nobody@example.com";
        let (with, without) = (forgot(&app, &known).await, forgot(&app, unknown).await);
        let names =
            |answer: &Answer| answer.headers.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!((with.status, &with.body), (202, &without.body));
        assert_eq!((without.status, names(&with)), (202, names(&without)));
        let kept: Vec<(String,)> = database.rows("SELECT email FROM password_resets ORDER BY email").await;
        assert_eq!(kept, [(known.clone(),), (unknown.to_owned(),)], "the same is written for both");
        assert_eq!(letters(&app, &known).await.len(), 1);
        assert_eq!(letters(&app, unknown).await.len(), 0, "strangers are sent nothing");
        for address in [&known, unknown] {
            for _ in 1..5 {
                assert_eq!(forgot(&app, address).await.status, 202);
            }
            let refused = forgot(&app, address).await;
            refused.is_problem(429, "too_many_attempts");
            assert!(refused.headers.contains_key("retry-after"));
        }
        let wrong = forgot(&app, "no address").await;
        assert_eq!((wrong.status, wrong.fields()), (422, vec!["email"]));
        app.stop().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn a_link_is_worth_nothing_once_its_account_is_gone() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        let email = email(&member).await;
        forgot(&app, &email).await;
        let link = token(&app, &email).await;
        assert_eq!(admin.delete(&format!("/api/team/members/{}/", member.id)).await.status, 204);
        reset(&app, &link, NEW).await.is_problem(404, "reset_gone");
        // Nor for who comes after under the same address.
        let invited = admin.post("/api/team/invitations/", json!({"email": email, "role": "member"})).await;
        let token = invited.text("url").rsplit('/').next().expect("a token");
        let body = json!({"token": token, "name": "Max", "password": PASSWORD});
        assert_eq!(app.anonymous().post("/api/team/invitations/accept/", body).await.status, 201);
        reset(&app, &link, NEW).await.is_problem(404, "reset_gone");
        assert_eq!(log_in(&app, &email, PASSWORD).await, 200);
        app.stop().await;
    })
    .await;
}
