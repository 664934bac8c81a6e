//! The pages as a browser without scripts receives them.

use serde_json::json;

use crate::support::app::{App, PASSWORD, unique};
use crate::support::databases::each_database;

/// A name that closes what it may stand in and sends the visitor away, and how it begins as text.
const NAME: &str = r#"</title></textarea><meta http-equiv=refresh content="0;url=//evil.test">"#;
const ESCAPED: &str = "&lt;/title&gt;&lt;/textarea&gt;&lt;meta http-equiv=refresh";

fn assert_harmless(page: &str, title: &str) {
    let head = page.split("</head>").next().unwrap_or_default();
    assert!(head.contains(&format!("<title>{title}{ESCAPED}")), "{head}");
    assert!(!page.contains(NAME), "{title}: {page}");
}

#[tokio::test]
async fn a_name_in_a_title_or_a_page_is_text() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let email = format!("{}@example.com", unique("admin"));
        let account = json!({"email": email, "password": PASSWORD, "name": NAME, "group_name": NAME});
        let made =
            app.http.post(format!("{}/api/auth/signup/", app.base)).json(&account).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let admin = app.log_in(&email, PASSWORD).await;
        let guest = json!({"email": format!("{}@example.com", unique("guest")), "role": "member"});
        let invited = admin.post("/api/team/invitations/", guest).await;
        let link = invited.text("url").to_owned();
        let page = app.http.get(link).send().await.unwrap().text().await.unwrap();
        assert_harmless(&page, "Join ");

        let superadmin = app.superadmin().await;
        let plan = json!({"name": NAME, "description": NAME, "price": "1.00", "features": [NAME]});
        let plan = superadmin.post("/api/subscriptions/plans/", plan).await;
        assert_eq!(plan.status, 201, "{:?}", plan.body);
        let editor = superadmin.get(&format!("/subscription-plans?edit={}", plan.text("id"))).await;
        assert_harmless(editor.body.as_str().unwrap(), "Edit ");
        for (person, path) in [
            (&superadmin, "/subscription-plans"),
            (&admin, "/subscribe"),
            (&admin, "/team"),
            (&admin, "/usage"),
        ] {
            let page = person.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.body.as_str().unwrap().contains(NAME), "{path}");
        }
        app.stop().await;
    })
    .await;
}
