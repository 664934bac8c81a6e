//! Teams: invitations by link, seats, removal; API keys.

use serde_json::json;

use crate::support::app::{App, PASSWORD, unique};
use crate::support::databases::each_database;

const INVITE: &str = "/api/team/invitations/";
const ACCEPT: &str = "/api/team/invitations/accept/";

#[tokio::test]
async fn an_invitation_is_taken_up_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let email = format!("{}@example.com", unique("guest"));
        let invited = admin.post(INVITE, json!({"email": email, "role": "member"})).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        let url = invited.text("url");
        assert!(url.starts_with(&format!("{}/invite/", app.base)), "{url}");
        let token = url.rsplit('/').next().unwrap();

        let body = json!({"token": token, "name": "Grace", "password": PASSWORD});
        let accepted = app.anonymous().post(ACCEPT, body.clone()).await;
        assert_eq!((accepted.status, &accepted.body["role"]), (201, &json!("member")), "{}", accepted.body);
        app.anonymous().post(ACCEPT, body).await.is_problem(404, "invitation_gone");

        let member = app.log_in(&email, PASSWORD).await;
        let me = member.get("/api/auth/me/").await;
        assert_eq!(me.body["group"]["id"], admin.get("/api/auth/me/").await.body["group"]["id"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_with_an_account_is_not_invited() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let (admin, other) = (app.admin().await, app.admin().await);
        let email = other.get("/api/auth/me/").await.body["email"].clone();
        admin.post(INVITE, json!({"email": email, "role": "member"})).await.is_problem(409, "email_taken");
        let wrong = admin.post(INVITE, json!({"email": "not an address", "role": "superadmin"})).await;
        wrong.is_problem(422, "invalid");
        assert_eq!(wrong.fields(), ["email", "role"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_last_seat_is_taken_once_however_many_want_it() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan("Three seats", "19.99", Some(3)).await;
        let admin = app.admin().await;
        let buy = json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"});
        let bought = admin.post("/api/subscriptions/subscriptions/create_subscription/", buy).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        app.member(&admin).await;
        let attempts = (0..8).map(|_| {
            admin.post(INVITE, json!({"email": format!("{}@example.com", unique("seat")), "role": "member"}))
        });
        let answers = futures::future::join_all(attempts).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            refused.is_problem(409, "max_users_reached");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invitation_taken_up_twice_at_once_makes_one_member() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let invited = admin.post(INVITE, json!({"email": "twice@example.com", "role": "member"})).await;
        let token = invited.text("url").rsplit('/').next().unwrap().to_owned();
        let body = json!({"token": token, "name": "Grace", "password": PASSWORD});
        let anonymous = app.anonymous();
        let answers = futures::future::join_all((0..4).map(|_| anonymous.post(ACCEPT, body.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        let members = admin.get("/api/team/members/").await;
        assert_eq!(members.body["results"].as_array().unwrap().len(), 2);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_and_the_last_admin_stays() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        let key = member.by_key().await;
        assert_eq!(key.get("/api/auth/me/").await.status, 200);
        let gone = admin.delete(&format!("/api/team/members/{}/", member.id)).await;
        assert_eq!(gone.status, 204);
        member.get("/api/auth/me/").await.is_problem(401, "not_signed_in");
        key.get("/api/auth/me/").await.is_problem(401, "not_signed_in");
        admin.delete(&format!("/api/team/members/{}/", admin.id)).await.is_problem(409, "last_admin");
        let other = app.admin().await;
        other.delete(&format!("/api/team/members/{}/", admin.id)).await.is_problem(404, "not_found");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_is_shown_once_acts_as_its_user_and_is_revoked_at_once() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        let made = admin.post("/api/auth/keys/", json!({"name": "CI"})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let key = made.text("key");
        assert!(key.starts_with("tg_") && key.starts_with(made.text("prefix")));
        let listed = admin.get("/api/auth/keys/").await;
        assert!(!listed.body.to_string().contains(key), "the key is not shown again");
        let program = crate::support::app::Person {
            app: &app,
            auth: crate::support::app::Auth::Key(key.to_owned()),
            id: admin.id.clone(),
        };
        assert_eq!(program.get("/api/auth/me/").await.body["id"], admin.id);
        let id = made.text("id");
        let other = app.admin().await;
        other.delete(&format!("/api/auth/keys/{id}/")).await.is_problem(404, "not_found");
        assert_eq!(admin.delete(&format!("/api/auth/keys/{id}/")).await.status, 204);
        program.get("/api/auth/me/").await.is_problem(401, "not_signed_in");
        app.stop().await;
    })
    .await;
}
