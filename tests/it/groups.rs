//! All groups over HTTP: who may see them, what is asked for wrongly, and that nobody looks into one unseen.

use chrono::Duration;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, REFERER, SET_COOKIE};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use url::form_urlencoded;

use crate::support::app::{Answer, App, Person};
use crate::support::databases::each_database;

const LIST: &str = "/api/admin/groups/";

async fn group_of(admin: &Person<'_>) -> String {
    let me = admin.get("/api/auth/me/").await;
    me.body["group"]["id"].as_str().expect("a group").to_owned()
}

fn html(answer: &Answer) -> &str {
    answer.body.as_str().expect("a page")
}

/// Sends the form that asks why, from the group's page; gives where it leads, and the cookie that is set.
async fn enter(superadmin: &Person<'_>, group: &str, reason: &str) -> (String, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let body = form.append_pair("id", group).append_pair("reason", reason).finish();
    let request = superadmin
        .request(Method::POST, "/fn/groups/visit")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "text/html")
        .header(REFERER, format!("{}/groups/{group}", superadmin.app.base))
        .body(body);
    let answer = request.send().await.expect("an answer");
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let cookie = header(SET_COOKIE).split(';').next().unwrap_or_default();
    (header(LOCATION).to_owned(), cookie.to_owned())
}

#[tokio::test]
async fn a_group_s_figures_are_those_of_its_own_pages() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        app.member(&admin).await;
        let spent = json!([
            {"id": "one", "usage_type": "llm", "tokens_used": 12_345},
            {"id": "two", "usage_type": "voice", "tokens_used": 42_891},
        ]);
        assert_eq!(admin.post("/api/subscriptions/usage/events/", spent).await.status, 200);
        let group = group_of(&admin).await;
        let superadmin = app.superadmin().await;

        let list = superadmin.get(LIST).await;
        assert_eq!(list.status, 200, "{}", list.body);
        let rows = list.body["results"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["id"] == group.as_str()).expect("the group");
        let subscription = admin.subscription().await;
        let mut usage = admin.get("/api/subscriptions/subscriptions/usage/").await.body;
        assert_eq!(row["status"], "active");
        assert_eq!(row["plan"]["id"], subscription["plan"]["id"]);
        for field in ["period_start", "period_end", "llm", "voice"] {
            assert_eq!(row["usage"][field], usage[field], "{field}");
        }
        assert_eq!((&row["mrr"], &row["currency"]), (&json!("29.99"), &json!("usd")));
        assert_eq!(row["level"], "warning");
        assert_eq!(row["seats"], json!({"used": 2, "limit": null}));
        assert!(row["last_activity"].is_string());

        let detail = superadmin.get(&format!("{LIST}{group}/")).await;
        assert_eq!(detail.status, 200, "{}", detail.body);
        for field in
            ["id", "name", "created_at", "level", "seats", "mrr", "currency", "last_activity", "run_out"]
        {
            assert_eq!(detail.body[field], row[field], "{field}");
        }
        assert_eq!(detail.body["subscription"], subscription);
        for field in ["as_of", "you"] {
            usage[field] = detail.body["usage"][field].clone();
        }
        assert_eq!(detail.body["usage"], usage);
        assert_eq!(detail.body["usage"]["you"], Value::Null);
        let members = admin.get("/api/team/members/").await.body;
        assert_eq!(detail.body["members"], members);
        let invoices = admin.get("/api/subscriptions/invoices/").await.body;
        assert_eq!(detail.body["invoices"], invoices);
        assert_eq!(invoices["results"].as_array().map(Vec::len), Some(1));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_list_has_pages_and_names_what_is_wrong() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        for _ in 0..3 {
            app.admin().await;
        }
        let superadmin = app.superadmin().await;
        let (mut path, mut seen) = (format!("{LIST}?sort=-created_at&limit=2"), Vec::new());
        loop {
            let page = superadmin.get(&path).await;
            seen.extend(page.body["results"].as_array().expect("rows").iter().map(|row| row["id"].clone()));
            match page.body["next_cursor"].as_str() {
                Some(cursor) => path = format!("{LIST}?sort=-created_at&limit=2&cursor={cursor}"),
                None => break,
            }
        }
        let whole = superadmin.get(&format!("{LIST}?sort=-created_at")).await;
        let whole = whole.body["results"].as_array().expect("rows").clone();
        assert_eq!(seen, whole.iter().map(|row| row["id"].clone()).collect::<Vec<_>>());
        assert_eq!(seen.len(), 3);

        let cursor = superadmin.get(&format!("{LIST}?limit=1")).await.text("next_cursor").to_owned();
        for (query, field) in [
            ("search=a%00b".to_owned(), "search"),
            ("plan=Basic".to_owned(), "plan"),
            ("plan=0198c0de-0000-7000-8000-000000000000".to_owned(), "plan"),
            ("status=gone".to_owned(), "status"),
            ("level=exceeded".to_owned(), "level"),
            ("sort=seats".to_owned(), "sort"),
            ("limit=0".to_owned(), "limit"),
            ("cursor=abc".to_owned(), "cursor"),
            (format!("sort=usage&cursor={cursor}"), "cursor"),
            ("page=2".to_owned(), "page"),
        ] {
            let answer = superadmin.get(&format!("{LIST}?{query}")).await;
            answer.is_problem(422, "invalid");
            assert_eq!(answer.fields(), [field], "{query}");
            let page = superadmin.get(&format!("/groups?{query}")).await;
            let ignored = ["limit", "page"].contains(&field);
            assert_eq!(page.status, if ignored { 200 } else { 422 }, "{query}");
        }
        let nothing = superadmin.get("/groups?search=nobody").await;
        assert_eq!(nothing.status, 200);
        assert!(html(&nothing).contains("No group matches"));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_group_is_looked_at_for_a_reason_that_is_kept_and_to_read_only() {
    each_database(|url| async move {
        let clock = Clock::manual(Clock::system().now());
        let app = App::start_at(&url, &[], &clock).await;
        let admin = app.subscribed().await;
        let group = group_of(&admin).await;
        let email = admin.get("/api/auth/me/").await.text("email").to_owned();
        let superadmin = app.superadmin().await.by_key().await;
        let path = format!("/groups/{group}");

        let asked = superadmin.get(&path).await;
        assert_eq!(asked.status, 200);
        assert!(
            html(&asked).contains("Why do you look at this group?") && html(&asked).contains("Nobody yet.")
        );
        assert!(!html(&asked).contains(&email), "nothing is shown before a reason is given");
        for wrong in ["", "  ", &"x".repeat(501), "a\u{1}b"] {
            let (back, cookie) = enter(&superadmin, &group, wrong).await;
            let to = back.strip_prefix(&app.base).unwrap_or(&back);
            let request = superadmin.request(Method::GET, to).header(COOKIE, cookie);
            let refused = superadmin.send(request).await;
            assert!(html(&refused).contains(r#"aria-invalid="true""#), "{wrong:?} leads to {back}");
        }
        assert!(!html(&superadmin.get(&path).await).contains(&email));

        assert_eq!(enter(&superadmin, &group, "Ticket <b>7</b>").await.0, path);
        let shown = superadmin.get(&path).await;
        assert!(html(&shown).contains(&email) && html(&shown).contains("Ticket &lt;b&gt;7"));
        assert!(html(&shown).contains(r#"aria-label="LLM tokens""#), "the bars are there");
        // Nothing on it can write: its one form signs the SuperAdmin out.
        let forms: Vec<_> = html(&shown).split("<form ").skip(1).collect();
        assert_eq!(forms.len(), 1, "{forms:?}");
        assert!(forms[0].contains("/fn/account/sign-out"));

        // Another SuperAdmin gives a reason too, and each again after an hour.
        let other = app.superadmin().await.by_key().await;
        assert!(!html(&other.get(&path).await).contains(&email));
        clock.advance(Duration::minutes(59));
        assert!(html(&superadmin.get(&path).await).contains(&email));
        clock.advance(Duration::minutes(1));
        assert!(!html(&superadmin.get(&path).await).contains(&email));

        // The API is answered without a reason, and says that it asked: once an hour, and for each reason.
        let api = format!("{LIST}{group}/");
        let vias = async || {
            let visits = other.get(&api).await.body["visits"].clone();
            let visits = visits.as_array().expect("visits").clone();
            visits.iter().map(|visit| (visit["via"].clone(), visit["reason"].clone())).collect::<Vec<_>>()
        };
        let by_page = (json!("page"), json!("Ticket <b>7</b>"));
        let by_api = (json!("api"), Value::Null);
        assert_eq!(vias().await, [by_api.clone(), by_page.clone()]);
        assert_eq!(vias().await, [by_api.clone(), by_page.clone()]);
        other.get(&format!("{api}?reason=Audit")).await;
        let audit = (json!("api"), json!("Audit"));
        assert_eq!(vias().await, [audit.clone(), by_api.clone(), by_page.clone()]);
        clock.advance(Duration::hours(1));
        assert_eq!(vias().await, [by_api.clone(), audit, by_api, by_page]);
        let long = other.get(&format!("{api}?reason={}", "x".repeat(501))).await;
        long.is_problem(422, "invalid");
        assert_eq!(long.fields(), ["reason"]);
        for (query, field) in
            [("invoices_cursor=aW5fMQ", "invoices_cursor"), ("members_cursor=a", "members_cursor")]
        {
            assert_eq!(other.get(&format!("{api}?{query}")).await.fields(), [field]);
        }
        // A visit by the API opens no page.
        assert!(!html(&other.get(&path).await).contains(&email));
        app.stop().await;
    })
    .await;
}
