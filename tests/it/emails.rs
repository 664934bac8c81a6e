//! E-mails from their cause to the mailbox: what they say, who gets them, and how one stops them.

use chrono::Duration;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::domain::{Currency, GroupId, MessageState, Notice, OverageTerms, PackagePrice};
use tollgate::notify::{MessageLink, OutboxRow, SignInChange};

use crate::outbox::read;
use crate::support::app::{App, Person, eventually};
use crate::support::databases::{Database, each_database};
use crate::support::seed::at;
use crate::support::smtp::{Behaviour, Received, SmtpServer};

const SETTINGS: &str = "/api/auth/notifications/";
const OUTBOX: &str = "/api/admin/outbox/";
const EVENTS: &str = "/api/subscriptions/usage/events/";

pub async fn email(person: &Person<'_>) -> String {
    person.get("/api/auth/me/").await.text("email").to_owned()
}

async fn group(person: &Person<'_>) -> GroupId {
    let me = person.get("/api/auth/me/").await;
    me.body["group"]["id"].as_str().expect("a group").parse().expect("an id")
}

async fn spend(person: &Person<'_>, id: &str, tokens: i64) {
    let event = json!({"id": id, "usage_type": "llm", "tokens_used": tokens});
    assert_eq!(person.post(EVENTS, event).await.status, 200);
}

/// What a person was sent, once there are so many messages.
async fn sent(server: &SmtpServer, to: &str, count: usize) -> Vec<Received> {
    eventually(&format!("{count} messages to {to}"), || async {
        let mine: Vec<_> = server.received().into_iter().filter(|mail| mail.recipient == to).collect();
        (mine.len() >= count).then_some(mine)
    })
    .await
}

/// Puts notices down as their causes do, and has them become messages.
async fn tell(app: &App, group: GroupId, notices: &[Notice]) {
    let services = &app.running.services;
    let mut tx = services.store.begin().await.expect("a transaction");
    for notice in notices {
        tx.add_notice(group, notice, None, services.clock.now()).await.expect("is put down");
    }
    tx.commit().await.expect("a commit");
    services.outbox.expand_notices().await.expect("is expanded");
}

#[tokio::test]
async fn a_threshold_is_told_to_the_admins_in_text_and_html_with_the_figures_and_a_link() {
    each_database(|url| async move {
        let server = SmtpServer::start(Behaviour::Accept).await;
        let variables = [("SMTP_URL", &*server.url()), ("PUBLIC_URL", "https://tollgate.example")];
        let clock = Clock::system();
        let app = App::start_at(&url, &variables, &clock).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        let limit = admin.get("/api/subscriptions/subscriptions/usage/").await.body["llm"]["limit"]
            .as_i64()
            .expect("a limit");
        spend(&member.by_key().await, "one", limit * 8 / 10).await;

        let (to, name) =
            (email(&admin).await, admin.get("/api/auth/me/").await.body["group"]["name"].clone());
        let name = name.as_str().expect("a name");
        let received = sent(&server, &to, 1).await;
        let mail = read(&received[0]);
        let subject = mail.subject().expect("a subject");
        assert_eq!(subject, format!("{name} has used 80 % of its LLM tokens"));
        let (text, html) = (mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML"));
        let used = format!(
            "{} of {}",
            tollgate::domain::group_digits(limit * 8 / 10),
            tollgate::domain::group_digits(limit)
        );
        for body in [&text, &html] {
            assert!(body.contains(name) && body.contains(&used), "{body}");
            assert!(body.contains("https://tollgate.example/subscribe"), "{body}");
        }
        assert!(
            html.contains("prefers-color-scheme: dark")
                && !html.contains("<img")
                && !html.contains("<script")
        );

        // RFC 8058: an address to ask by POST, the same as the one in the text.
        let header = |name: &str| mail.header_raw(name).map(|value| value.trim().to_owned());
        assert_eq!(header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        let address = header("List-Unsubscribe").expect("a header");
        let address = address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).expect("an address");
        assert!(
            address.starts_with("https://tollgate.example/unsubscribe/") && text.contains(address),
            "{address}"
        );
        let others = email(&member).await;
        let told = |mail: &&Received| mail.recipient == others && !mail.text.contains("Subject: Invitation");
        assert_eq!(server.received().iter().filter(told).count(), 0, "members get none by default");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn each_chooses_which_e_mails_to_get_and_stops_one_kind_with_one_click() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        let (all, none) = (
            json!({"usage_80": true, "usage_90": true, "usage_100": true, "billing": true}),
            json!({"usage_80": false, "usage_90": false, "usage_100": false, "billing": false}),
        );
        assert_eq!(admin.get(SETTINGS).await.body, all);
        assert_eq!(member.get(SETTINGS).await.body, none);
        let mut choice = none.clone();
        choice["usage_90"] = true.into();
        let chosen = member.put(SETTINGS, choice.clone()).await;
        assert_eq!((chosen.status, &chosen.body), (200, &choice));
        assert_eq!(member.get(SETTINGS).await.body, choice);
        for (body, field) in
            [(json!({"usage_80": true}), "usage_90"), (json!({"usage_70": true}), "usage_70")]
        {
            let refused = member.put(SETTINGS, body).await;
            assert_eq!(refused.status, 422);
            assert!(refused.fields().contains(&field), "{:?}", refused.fields());
        }

        // The admin stops the third; the member gets the second alone.
        let group = group(&admin).await;
        let usage = |threshold| Notice::UsageThreshold {
            usage_type: tollgate::domain::UsageType::Llm,
            threshold,
            used: threshold,
            limit: 100,
            plan: "Basic".into(),
            period_end: at("2026-04-01T00:00:00Z"),
        };
        tell(&app, group, &[usage(80), usage(90), usage(100)]).await;
        let superadmin = app.superadmin().await;
        assert_eq!(subjects_to(&superadmin, &email(&member).await).await.len(), 1);
        assert_eq!(subjects_to(&superadmin, &email(&admin).await).await.len(), 3);
        let rows = app.running.services.store.outbox(200).await.expect("the outbox");
        let address = email(&admin).await;
        let full = rows.iter().find(|row| row.recipient == address && row.subject.contains("all of"));
        let body = &full.expect("the third").body;
        let link = body.split_whitespace().find(|word| word.contains("/unsubscribe/")).expect("a link");
        let path = link
            .split_once("/unsubscribe/")
            .map(|(_, token)| format!("/unsubscribe/{token}"))
            .expect("a path");

        let anonymous = app.anonymous();
        let page = anonymous.get(&path).await;
        assert_eq!(page.status, 200);
        let page = page.body.to_string();
        assert!(page.contains(&address) && page.contains("Stop it?"), "{page}");
        assert_eq!(admin.get(SETTINGS).await.body, all, "looking at the page stops nothing");
        let click = anonymous
            .request(Method::POST, &path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("List-Unsubscribe=One-Click");
        assert_eq!(anonymous.send(click).await.status, 200);
        let page = anonymous.get(&path).await.body.to_string();
        assert!(page.contains("Unsubscribed") && !page.contains("Stop it?"), "{page}");
        let mut left = all.clone();
        left["usage_100"] = false.into();
        assert_eq!(admin.get(SETTINGS).await.body, left, "one kind is stopped, and no other");
        tell(&app, group, &[usage(100)]).await;
        assert_eq!(subjects_to(&superadmin, &email(&admin).await).await.len(), 3);
        for unknown in
            ["/unsubscribe/0198c0de-0000-7000-8000-000000000000", "/unsubscribe/%00", "/unsubscribe/x"]
        {
            assert_eq!(anonymous.post(unknown, Value::Null).await.status, 404, "{unknown}");
            assert_eq!(anonymous.get(unknown).await.status, 404, "{unknown}");
        }
        app.stop().await;
    })
    .await;
}

/// The subjects of what a person was written, newest first, invitations apart.
pub async fn subjects_to(superadmin: &Person<'_>, to: &str) -> Vec<String> {
    let page = superadmin.get(&format!("{OUTBOX}?limit=200")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let messages = page.body["results"].as_array().expect("messages").iter();
    let mine = messages.filter(|message| message["recipient"] == to);
    let subjects = mine.map(|message| message["subject"].as_str().expect("a subject").to_owned());
    subjects.filter(|subject| !subject.starts_with("Invitation")).collect()
}

#[tokio::test]
async fn what_has_to_be_told_reaches_every_admin_and_can_not_be_unsubscribed_from() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        let none = json!({"usage_80": false, "usage_90": false, "usage_100": false, "billing": false});
        assert_eq!(admin.put(SETTINGS, none).await.status, 200);
        let (plan, due, access_until) = ("Basic".to_owned(), None, None);
        let failed = Notice::PaymentFailed { plan: plan.clone(), due: due.clone(), access_until };
        tell(
            &app,
            group(&admin).await,
            &[failed, Notice::PaymentApproval { plan: plan.clone(), due, access_until }],
        )
        .await;
        tell(&app, group(&admin).await, &[Notice::SubscriptionEnded { plan }]).await;
        let rows = app.running.services.store.outbox(200).await.expect("the outbox");
        let (address, others) = (email(&admin).await, email(&member).await);
        let mine: Vec<_> = rows.iter().filter(|row| row.recipient == address).collect();
        assert_eq!(mine.len(), 2, "the end isn't told to who doesn't want it");
        assert!(mine.iter().all(|row| row.body.contains("/billing") && !row.body.contains("/unsubscribe/")));
        let told = |row: &&OutboxRow| row.recipient == others && !row.subject.starts_with("Invitation");
        assert_eq!(rows.iter().filter(told).count(), 0);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_name_is_text_in_a_message_and_every_topic_has_one() {
    for database in Database::each().await {
        let app = App::start(&database.url).await;
        let admin = app.admin().await;
        let services = &app.running.services;
        let name = "<b onclick=x>\"Evil\" & Sons</b>";
        let mut tx = services.store.begin().await.expect("a transaction");
        let link = || MessageLink {
            url: "https://tollgate.example/reset/s3cret".into(),
            expires_at: at("2036-04-01T00:00:00Z"),
        };
        services.outbox.password_reset(&mut tx, "ada@example.com", link()).await.expect("a message");
        for (new_email, new_password) in
            [(None, true), (Some("new@example.com"), false), (Some("new@example.com"), true)]
        {
            let change = SignInChange { new_email: new_email.map(str::to_owned), new_password };
            services.outbox.sign_in_changed(&mut tx, "ada@example.com", change).await.expect("a message");
        }
        tx.commit().await.expect("a commit");
        let package = Some(PackagePrice { per: 1_000, price: "0.02".into() });
        let (plan, currency, cap) = (name.to_owned(), Currency::USD, "50.00".to_owned());
        let price = Some(tollgate::domain::Money::new(2_999, currency).into());
        let soon = at("2026-04-01T00:00:00Z");
        let terms = OverageTerms { cap, currency, llm: package, voice: None };
        tell(
            &app,
            group(&admin).await,
            &[
                Notice::PaymentFailed { plan: plan.clone(), due: price.clone(), access_until: Some(soon) },
                Notice::PaymentApproval { plan: plan.clone(), due: price.clone(), access_until: Some(soon) },
                Notice::TrialEnding { plan: plan.clone(), trial_end: soon, price: price.clone() },
                Notice::PlanChanged { from: "Basic".into(), to: plan.clone(), price },
                Notice::SubscriptionEnding { plan: plan.clone(), ends_at: soon },
                Notice::SubscriptionEnded { plan },
                Notice::OverageEnabled(terms.clone()),
                Notice::OverageCapReached(terms),
            ],
        )
        .await;
        let rows = services.store.outbox(200).await.expect("the outbox");
        assert_eq!(rows.len(), 12);
        for row in &rows {
            assert!(!row.html.contains("<b onclick"), "{}", row.html);
            assert!(row.html.contains("href=\"http") && row.body.contains("http"), "{}", row.body);
            assert_eq!(row.subject, row.subject.trim());
        }
        assert!(rows.iter().any(|row| row.body.contains(name) && row.html.contains("&lt;b onclick=x&gt;")));
        assert!(rows.iter().any(|row| row.body.contains("$0.02 for each 1,000 begun")));
        let secret: Vec<(String,)> = database
            .rows("SELECT subject FROM outbox WHERE body LIKE '%s3cret%' OR html LIKE '%s3cret%'")
            .await;
        assert_eq!(secret, []);
        app.stop().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn the_outbox_is_listed_by_pages_and_what_failed_is_sent_again() {
    each_database(|url| async move {
        let server = SmtpServer::start(Behaviour::Refuse(550)).await;
        let clock = Clock::system();
        let app = App::start_at(&url, &[("SMTP_URL", &server.url())], &clock).await;
        let admin = app.subscribed().await;
        let superadmin = app.superadmin().await;
        for number in 0..3 {
            let body = json!({"email": format!("{number}@example.com"), "role": "member"});
            assert_eq!(admin.post("/api/team/invitations/", body).await.status, 201);
        }
        let list =
            || async { superadmin.get(OUTBOX).await.body["results"].as_array().expect("messages").clone() };
        let failed = eventually("all are given up", || async {
            let all = list().await;
            all.iter().all(|message| message["state"] == "failed").then_some(all)
        })
        .await;
        let recipients: Vec<_> =
            failed.iter().map(|message| message["recipient"].as_str().unwrap()).collect();
        assert_eq!(recipients, ["2@example.com", "1@example.com", "0@example.com"], "newest first");
        assert_eq!((&failed[0]["attempts"], &failed[0]["sent_at"]), (&json!(1), &Value::Null));
        let first = superadmin.get(&format!("{OUTBOX}?limit=2")).await.body;
        let cursor = first["next_cursor"].as_str().expect("another page");
        let rest = superadmin.get(&format!("{OUTBOX}?limit=2&cursor={cursor}")).await.body;
        assert_eq!((&rest["results"], &rest["next_cursor"]), (&json!([failed[2]]), &Value::Null));

        server.behave(Behaviour::Accept);
        let again = |id: &Value| format!("{OUTBOX}{}/send/", id.as_str().expect("an id"));
        let tried = superadmin.post(&again(&failed[0]["id"]), Value::Null).await;
        assert_eq!((tried.status, &tried.body["state"]), (200, &json!("waiting")), "{}", tried.body);
        let sent = eventually("it is sent", || async {
            list().await.into_iter().find(|message| message["state"] == "sent")
        })
        .await;
        assert_eq!((&sent["id"], &sent["attempts"]), (&failed[0]["id"], &json!(2)));
        assert!(sent["sent_at"].is_string());
        superadmin.post(&again(&sent["id"]), Value::Null).await.is_problem(409, "conflict");
        assert_eq!(server.received().len(), 1, "the others weren't asked for");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_being_sent_is_not_sent_beside_it_and_one_without_a_mail_server_stays() {
    for database in Database::each().await {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&database.url, &[], &clock).await;
        let admin = app.admin().await;
        let body = json!({"email": "max@example.com", "role": "member"});
        assert_eq!(admin.post("/api/team/invitations/", body).await.status, 201);
        let superadmin = app.superadmin().await;
        let kept = superadmin.get(OUTBOX).await.body["results"][0].clone();
        assert_eq!(kept["state"], "kept");
        let path = format!("{OUTBOX}{}/send/", kept["id"].as_str().expect("an id"));
        superadmin.post(&path, Value::Null).await.is_problem(409, "conflict");

        // With one, a worker claims it, and nobody else gets it before the claim runs out.
        let store = &app.running.services.store;
        let id = kept["id"].as_str().expect("an id").parse().expect("an id");
        let (now, until) = (clock.now(), clock.now() + Duration::minutes(2));
        let waiting = store.send_again(id, now).await.expect("it waits");
        assert_eq!(waiting.state, MessageState::Waiting);
        assert!(store.claim_due_message(now, until).await.expect("the outbox").is_some());
        store.send_again(id, now).await.expect("it is asked for");
        assert!(store.claim_due_message(now, until).await.expect("the outbox").is_none(), "it is being sent");
        store.put_off(id, now + Duration::hours(1)).await.expect("it is put off");
        store.send_again(id, now).await.expect("it is asked for");
        assert!(store.claim_due_message(now, until).await.expect("the outbox").is_some(), "at once");
        store.put_off(id, now).await.expect("it is put off");
        clock.advance(Duration::days(7));
        let expired = store.send_again(id, clock.now()).await.expect_err("its link has expired");
        assert!(expired.to_string().contains("expired"), "{expired}");
        app.stop().await;
        database.drop().await;
    }
}
