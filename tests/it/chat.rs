//! Conversations: kept for the member who has them, and for nobody else.

use chrono::Duration;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, REFERER, SET_COOKIE};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::domain::MAX_QUESTION;

use crate::support::app::{Answer, App, Auth, Person};
use crate::support::databases::{Database, each_database};

/// Sends a form, as a page's code does.
async fn call(person: &Person<'_>, name: &str, fields: &[(&str, &str)]) -> Answer {
    person.send(form(person, name, fields).header(ACCEPT, "application/json")).await
}

fn form(person: &Person<'_>, name: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    person
        .request(Method::POST, &format!("/fn/chat/{name}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
}

/// Begins a conversation as a browser without JavaScript does. Gives its id.
pub async fn begin(person: &Person<'_>, question: &str) -> String {
    let begun =
        person.send(form(person, "begin", &[("question", question)]).header(ACCEPT, "text/html")).await;
    assert!([302, 303].contains(&begun.status), "{}", begun.body);
    let location = begun.headers[LOCATION].to_str().expect("a path");
    location.rsplit('/').next().expect("an id").to_owned()
}

async fn page(person: &Person<'_>, path: &str) -> (u16, String) {
    let answer = person.get(path).await;
    (answer.status, answer.body.as_str().unwrap_or_default().to_owned())
}

/// The field that an answer of a server function names.
fn field(answer: &Answer) -> &str {
    answer.body["Refused"]["errors"][0]["field"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_conversation_is_kept_with_its_answers_and_sent_again_with_the_next_question() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let id = begin(&admin, "How do I cook rice?\nQuickly.").await;
        let context = call(&admin, "context", &[("id", &id)]).await;
        assert_eq!(context.body, json!([{"role": "user", "content": "How do I cook rice?\nQuickly."}]));

        let answer = [("id", id.as_str()), ("content", "Boil **it**."), ("model", "m-1"), ("tokens", "42")];
        assert_eq!(call(&admin, "answer", &answer).await.status, 200);
        let again = call(&admin, "answer", &answer).await;
        assert_eq!(again.status, 409, "a question is answered once: {}", again.body);
        let next = call(&admin, "ask", &[("id", &id), ("question", "And pasta?")]).await;
        assert_eq!(
            next.body,
            json!([
                {"role": "user", "content": "How do I cook rice?\nQuickly."},
                {"role": "assistant", "content": "Boil **it**."},
                {"role": "user", "content": "And pasta?"},
            ])
        );

        let (status, html) = page(&admin, &format!("/chat/{id}")).await;
        assert_eq!(status, 200);
        for part in ["How do I cook rice?", "Boil <strong>it</strong>.", "m-1", "42", "And pasta?"] {
            assert!(html.contains(part), "no {part:?} in the page");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_its_member_s_own() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let (owner, other, stranger) =
            (app.member(&admin).await, app.member(&admin).await, app.subscribed().await);
        let id = begin(&owner, "A secret question").await;
        let calls: [(&str, Vec<(&str, &str)>); 5] = [
            ("ask", vec![("id", &id), ("question", "x")]),
            ("context", vec![("id", &id)]),
            ("answer", vec![("id", &id), ("content", "x"), ("model", "x")]),
            ("rename", vec![("id", &id), ("title", "x")]),
            ("delete", vec![("id", &id)]),
        ];
        for person in [&admin, &other, &stranger] {
            assert_eq!(page(person, &format!("/chat/{id}")).await.0, 404);
            assert!(!page(person, "/chat").await.1.contains("A secret question"));
            for (name, fields) in &calls {
                let refused = call(person, name, fields).await;
                assert_eq!(refused.status, 404, "{name}: {}", refused.body);
            }
        }
        let (status, html) = page(&owner, &format!("/chat/{id}")).await;
        assert!(status == 200 && html.contains("A secret question"));
        assert_eq!(call(&owner, "context", &[("id", &id)]).await.body.as_array().map(Vec::len), Some(1));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_renamed_and_deleted_with_all_it_has() {
    for database in Database::each().await {
        let app = App::start(&database.url).await;
        let admin = app.subscribed().await;
        let (kept, deleted) = (begin(&admin, "Kept").await, begin(&admin, "Deleted").await);
        assert_eq!(call(&admin, "rename", &[("id", &kept), ("title", "Renamed")]).await.status, 200);
        assert_eq!(call(&admin, "delete", &[("id", &deleted)]).await.status, 200);
        let (_, html) = page(&admin, "/chat").await;
        assert!(html.contains("Renamed") && !html.contains("Deleted"));
        assert_eq!(page(&admin, &format!("/chat/{deleted}")).await.0, 404);
        assert_eq!(call(&admin, "delete", &[("id", &deleted)]).await.status, 404);
        assert_eq!(database.rows::<(i64,)>("SELECT COUNT(*) FROM chat_messages").await, [(1,)]);
        app.stop().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn what_is_too_long_or_empty_is_refused_by_its_field() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let id = begin(&admin, &"x".repeat(MAX_QUESTION)).await;
        let long = "x".repeat(MAX_QUESTION + 1);
        for (name, fields, wrong) in [
            ("begin", vec![("question", " ")], "question"),
            ("begin", vec![("question", long.as_str())], "question"),
            ("ask", vec![("id", id.as_str()), ("question", long.as_str())], "question"),
            ("ask", vec![("id", id.as_str()), ("question", "")], "question"),
            ("answer", vec![("id", id.as_str()), ("content", ""), ("model", "m")], "content"),
            (
                "answer",
                vec![("id", id.as_str()), ("content", "x"), ("model", "m"), ("tokens", "-1")],
                "tokens",
            ),
            ("rename", vec![("id", id.as_str()), ("title", &long[..81])], "title"),
        ] {
            let refused = call(&admin, name, &fields).await;
            assert_eq!((refused.status, field(&refused)), (422, wrong), "{name}: {}", refused.body);
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_s_markdown_comes_back_harmless() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let markdown = "**bold** <script>alert(1)</script> ![x](https://evil.test/x.png)";
        let rendered = call(&admin, "render", &[("markdown", markdown)]).await;
        let html = rendered.body.as_str().expect("HTML");
        assert!(html.contains("<strong>bold</strong>"));
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        let id = begin(&admin, "<script>alert(2)</script>").await;
        call(&admin, "answer", &[("id", &id), ("content", markdown), ("model", "m")]).await;
        let (_, page) = page(&admin, &format!("/chat/{id}")).await;
        assert!(!page.contains("<script>alert"), "{page}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_question_comes_back_as_text() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        // Refused for its control character.
        let question = "\u{1}</textarea><script>alert(1)</script>";
        let asked = form(&admin, "begin", &[("question", question)]);
        let page = format!("{}/chat", app.base);
        let refused = admin.send(asked.header(ACCEPT, "text/html").header(REFERER, page)).await;
        let mark = refused.headers[SET_COOKIE].to_str().expect("a cookie").split(';').next().expect("a pair");
        let Auth::Cookie(session) = &admin.auth else { panic!("signed in by a key") };
        let back = app.http.get(refused.headers[LOCATION].to_str().expect("a page"));
        let back = back.header(COOKIE, format!("{session}; {mark}")).send().await.expect("the page");
        let html = back.text().await.expect("HTML");
        assert!(html.contains("must not contain control characters"), "{html}");
        assert!(html.contains("&lt;/textarea&gt;") && !html.contains("<script>alert"), "{html}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn conversations_go_with_their_member_and_after_a_silent_year() {
    for database in Database::each().await {
        let clock = Clock::manual(Clock::system().now());
        let app = App::start_at(&database.url, &[], &clock).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        begin(&member, "The member's").await;
        begin(&admin, "The admin's").await;
        let titles =
            async || database.rows::<(String,)>("SELECT title FROM chat_conversations ORDER BY id").await;
        assert_eq!(titles().await.len(), 2);
        let removed = admin.delete(&format!("/api/team/members/{}/", member.id)).await;
        assert_eq!(removed.status, 204, "{}", removed.body);
        assert_eq!(titles().await, [("The admin's".to_owned(),)]);

        let sweep = async || app.running.services.store.sweep(clock.now()).await.expect("a sweep");
        clock.advance(Duration::days(365) - Duration::seconds(1));
        sweep().await;
        assert_eq!(titles().await.len(), 1, "nothing goes before its time");
        clock.advance(Duration::seconds(1));
        sweep().await;
        assert!(titles().await.is_empty());
        app.stop().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn messages_sent_at_once_keep_an_order_and_none_is_lost() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let id = begin(&admin, "0").await;
        let questions: Vec<String> = (1..=8).map(|number| number.to_string()).collect();
        let asked = questions.iter().map(|question| {
            let (admin, id) = (&admin, &id);
            async move { call(admin, "ask", &[("id", id), ("question", question)]).await.status }
        });
        assert!(futures::future::join_all(asked).await.iter().all(|status| *status == 200));
        let context = call(&admin, "context", &[("id", &id)]).await;
        let mut kept: Vec<_> = context.body.as_array().expect("messages").iter().map(content).collect();
        assert_eq!(kept[0], "0");
        kept.sort_unstable();
        assert_eq!(kept, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
        app.stop().await;
    })
    .await;
}

fn content(message: &Value) -> &str {
    message["content"].as_str().expect("a text")
}
