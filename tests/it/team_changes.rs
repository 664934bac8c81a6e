//! Roles, invitations sent anew, and leaving: what changes in a team, and what stays of who goes.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::gateway_stage::{ask, chunk, settled, stage, streamed, usage_chunk};
use crate::password_resets::letters;
use crate::support::app::{App, PASSWORD, Person, unique};
use crate::support::databases::each_database;

const ME: &str = "/api/auth/me/";
const MEMBERS: &str = "/api/team/members/";
const INVITE: &str = "/api/team/invitations/";
const ACCEPT: &str = "/api/team/invitations/accept/";
const LEAVE: &str = "/api/team/leave/";
const HOLDS: &str = "/api/subscriptions/usage/holds/";

async fn set_role(admin: &Person<'_>, member: &Person<'_>, role: &str) -> (u16, Value) {
    let answer = admin.patch(&format!("{MEMBERS}{}/", member.id), json!({"role": role})).await;
    (answer.status, answer.body)
}

/// The group's admins, by id.
async fn admins(app: &App, group: &str) -> Vec<String> {
    let group = group.parse().expect("an id");
    let members = app.running.services.store.members(group).await.expect("the members");
    let admins = members.into_iter().filter(|member| member.role == tollgate::domain::Role::Admin);
    admins.map(|admin| admin.id.to_string()).collect()
}

async fn group(person: &Person<'_>) -> String {
    person.get(ME).await.body["group"]["id"].as_str().expect("a group").to_owned()
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on_and_the_last_admin_stays_one() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        assert_eq!(member.get(MEMBERS).await.status, 403);
        let (status, changed) = set_role(&admin, &member, "admin").await;
        assert_eq!((status, &changed["role"], &changed["id"]), (200, &json!("admin"), &json!(member.id)));
        assert_eq!(member.get(MEMBERS).await.status, 200);
        assert_eq!(set_role(&member, &admin, "member").await.0, 200);
        assert_eq!(admin.get(MEMBERS).await.status, 403);
        assert_eq!(set_role(&member, &member, "admin").await.0, 200, "as it is");

        let (status, refused) = set_role(&member, &member, "member").await;
        assert_eq!((status, &refused["code"]), (409, &json!("last_admin")));
        assert!(refused["detail"].as_str().expect("a detail").contains("Make another member an admin first"));
        let (status, refused) = set_role(&member, &admin, "superadmin").await;
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("role")));
        let stranger = app.admin().await;
        assert_eq!(set_role(&stranger, &admin, "admin").await.0, 404);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn however_the_admins_go_at_once_one_stays() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        for round in 0..4 {
            let one = app.admin().await;
            let other = app.member(&one).await;
            assert_eq!(set_role(&one, &other, "admin").await.0, 200);
            let group = group(&one).await;
            let statuses = match round {
                0 => join(set_role(&one, &other, "member"), set_role(&other, &one, "member")).await,
                1 => join(set_role(&one, &one, "member"), set_role(&other, &other, "member")).await,
                _ => {
                    let leave = async |person: &Person<'_>| {
                        let answer = person.post(LEAVE, json!({})).await;
                        (answer.status, answer.body)
                    };
                    join(leave(&one), leave(&other)).await
                }
            };
            let ((first, _), (second, _)) = &statuses;
            let done = [first, second].into_iter().filter(|status| **status < 300).count();
            let refused = [first, second].into_iter().filter(|status| [409, 403].contains(*status)).count();
            assert_eq!((done, refused), (1, 1), "round {round}: {statuses:?}");
            assert_eq!(admins(&app, &group).await.len(), 1, "round {round}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invitation_sent_anew_has_a_new_link_and_the_old_one_dies() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let email = format!("{}@example.com", unique("guest"));
        let invited = admin.post(INVITE, json!({"email": email, "role": "admin"})).await;
        let id = invited.text("id");
        let path = format!("{INVITE}{id}/resend/");
        let resend = || admin.post(&path, json!({}));
        let again = resend().await;
        assert_eq!((again.status, again.text("id")), (200, id), "{}", again.body);
        assert_eq!((again.text("email"), again.text("role")), (email.as_str(), "admin"));
        assert_ne!(again.text("url"), invited.text("url"));
        let letters = letters(&app, &email).await;
        assert_eq!(letters.len(), 2);
        assert!(letters[0].body.contains(again.text("url")), "{}", letters[0].body);
        assert_eq!(admin.get(INVITE).await.body["results"].as_array().map(Vec::len), Some(1));

        let accept = async |url: &str| {
            let token = url.rsplit('/').next().expect("a token");
            app.anonymous().post(ACCEPT, json!({"token": token, "name": "G", "password": PASSWORD})).await
        };
        accept(invited.text("url")).await.is_problem(404, "invitation_gone");
        let stranger = app.admin().await;
        let foreign = stranger.post(&format!("{INVITE}{id}/resend/"), json!({})).await;
        foreign.is_problem(404, "not_found");
        assert_eq!(accept(again.text("url")).await.status, 201);
        resend().await.is_problem(404, "not_found");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invitation_is_sent_anew_only_as_often_as_one_may_invite() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let invited = admin.post(INVITE, json!({"email": "often@example.com", "role": "member"})).await;
        let path = format!("{INVITE}{}/resend/", invited.text("id"));
        let answers = join_all((0..8).map(|_| admin.post(&path, json!({})))).await;
        let mut counts = BTreeMap::new();
        for answer in &answers {
            *counts.entry(answer.status).or_insert(0) += 1;
        }
        // One of five went to the invitation itself.
        assert_eq!(counts, BTreeMap::from([(200, 4), (429, 4)]), "{answers:?}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_leaves_is_out_at_once_and_the_last_admin_is_told_what_to_do() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        let (key, email) = (member.by_key().await, member.get(ME).await.text("email").to_owned());
        let refused = admin.post(LEAVE, json!({})).await;
        refused.is_problem(409, "last_admin");
        assert!(refused.text("detail").contains("Make another member an admin first"));
        assert_eq!(member.post(LEAVE, Value::Null).await.status, 204);
        for gone in [&member, &key] {
            gone.get(ME).await.is_problem(401, "not_signed_in");
        }
        let body = json!({"email": email, "password": PASSWORD});
        app.anonymous().post("/api/auth/login/", body).await.is_problem(401, "wrong_credentials");
        let superadmin = app.superadmin().await;
        superadmin.post(LEAVE, json!({})).await.is_problem(403, "forbidden");
        assert_eq!(admin.get(MEMBERS).await.body["results"].as_array().map(Vec::len), Some(1));
        app.stop().await;
    })
    .await;
}

/// A page that stays open is closed with the session it was opened by, not when its time comes to be checked.
#[tokio::test]
async fn the_streams_of_who_goes_end_at_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let (removed, leaves, ended) =
            (app.member(&admin).await, app.member(&admin).await, app.member(&admin).await);
        let email = ended.get(ME).await.text("email").to_owned();
        let elsewhere = app.log_in(&email, PASSWORD).await;
        let mut streams = Vec::new();
        for person in [&removed, &leaves, &ended, &admin] {
            let request = person.request(Method::GET, "/api/subscriptions/subscriptions/usage/stream/");
            let mut stream = request.send().await.expect("an answer");
            assert!(stream.chunk().await.expect("the stream").is_some());
            streams.push(stream);
        }
        let mut stays = streams.pop().expect("the admin's");
        assert_eq!(admin.delete(&format!("{MEMBERS}{}/", removed.id)).await.status, 204);
        assert_eq!(leaves.post(LEAVE, json!({})).await.status, 204);
        assert_eq!(elsewhere.delete("/api/auth/sessions/").await.status, 204);
        for mut stream in streams {
            let to_its_end = async { while stream.chunk().await.expect("the stream").is_some() {} };
            // Every stream is checked each 15 seconds in any case.
            timeout(Duration::from_secs(10), to_its_end).await.expect("the stream ends");
        }
        let spent = json!({"id": "one", "usage_type": "llm", "tokens_used": 1});
        assert_eq!(admin.post("/api/subscriptions/usage/events/", spent).await.status, 200);
        assert!(stays.chunk().await.expect("the stream").is_some(), "the admin's goes on");
        app.stop().await;
    })
    .await;
}

/// What was begun for a member who goes is settled, and stays under the name that the member had.
#[tokio::test]
async fn what_a_member_has_open_settles_after_it_is_removed() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        assert_eq!(member.patch(ME, json!({"name": "Maxine"})).await.status, 200);
        let key = member.by_key().await;
        let hold = json!({"id": "open", "usage_type": "llm", "tokens": 100});
        assert_eq!(key.post(HOLDS, hold).await.status, 201);
        let feed = upstream.feed();
        let answer = ask(&key, streamed(json!({}))).await;
        feed.event(&chunk("Hello")).await;

        assert_eq!(admin.delete(&format!("{MEMBERS}{}/", member.id)).await.status, 204);
        for refused in [key.get(ME).await, key.post(HOLDS, json!({"usage_type": "llm", "tokens": 1})).await] {
            refused.is_problem(401, "not_signed_in");
        }
        // The answer that was on its way goes on to its end, and is counted.
        feed.event(&usage_chunk(20, 280)).await;
        feed.event("[DONE]").await;
        drop(feed);
        assert!(answer.text().await.expect("the answer's end").contains("[DONE]"));
        // A program's hold can't be settled by a dead key any more, and can by an admin.
        let settle = format!("{HOLDS}open/settle/");
        key.post(&settle, json!({"tokens_used": 60})).await.is_problem(401, "not_signed_in");
        let settled_by_admin = admin.post(&settle, json!({"tokens_used": 60})).await;
        assert_eq!(settled_by_admin.status, 200, "{}", settled_by_admin.body);
        assert_eq!(settled(&admin, "llm").await, 360);
        let breakdown = admin.get("/api/subscriptions/usage/breakdown/?by=member").await;
        let rows = breakdown.body["rows"].as_array().expect("rows");
        assert_eq!(rows.len(), 1, "{}", breakdown.body);
        assert_eq!(
            (&rows[0]["key"], &rows[0]["label"], &rows[0]["llm"]),
            (&json!(member.id), &json!("Maxine"), &json!(360))
        );
        app.stop().await;
    })
    .await;
}
