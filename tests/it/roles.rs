//! Who may do what: every route and every server function, asked by every role.
//!
//! Each row is asked with something that is refused *after* the role was checked (an empty name, an
//! unknown id), so that a 422 or a 404 in it says "this role may". A route that is missing here fails the test.

use std::collections::BTreeSet;

use leptos::server_fn::axum::server_fn_paths;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::app::{App, Person};
use crate::support::databases::each_database;

/// Statuses for an anonymous caller, a member, the group's admin, another group's admin, a SuperAdmin.
type Expected = [u16; 5];

/// An id that nothing has.
const NONE: &str = "0198c0de-0000-7000-8000-000000000000";

/// `{subscription}` is the group's own: another group's admin must not find it.
fn api() -> Vec<(&'static str, &'static str, Value, Expected)> {
    let null = Value::Null;
    let empty = json!({});
    vec![
        ("POST", "/api/auth/signup/", empty.clone(), [422, 422, 422, 422, 422]),
        ("POST", "/api/auth/login/", empty.clone(), [422, 422, 422, 422, 422]),
        ("POST", "/api/auth/forgot/", empty.clone(), [422, 422, 422, 422, 422]),
        ("POST", "/api/auth/reset/", empty.clone(), [422, 422, 422, 422, 422]),
        ("GET", "/api/auth/me/", null.clone(), [401, 200, 200, 200, 200]),
        ("GET", "/api/auth/notifications/", null.clone(), [401, 200, 200, 200, 200]),
        ("PUT", "/api/auth/notifications/", empty.clone(), [401, 422, 422, 422, 422]),
        // The token is the proof.
        ("POST", "/unsubscribe/{token}", null.clone(), [404, 404, 404, 404, 404]),
        ("GET", "/api/admin/outbox/", null.clone(), [401, 403, 403, 403, 200]),
        ("POST", "/api/admin/outbox/{id}/send/", null.clone(), [401, 403, 403, 403, 404]),
        ("PATCH", "/api/auth/me/", json!({"name": ""}), [401, 422, 422, 422, 422]),
        ("GET", "/api/auth/sessions/", null.clone(), [401, 200, 200, 200, 200]),
        ("DELETE", "/api/auth/sessions/", null.clone(), [401, 204, 204, 204, 204]),
        ("DELETE", "/api/auth/sessions/{id}/", null.clone(), [401, 404, 404, 404, 404]),
        ("GET", "/api/auth/keys/", null.clone(), [401, 200, 200, 200, 200]),
        ("POST", "/api/auth/keys/", empty.clone(), [401, 422, 422, 422, 422]),
        ("DELETE", "/api/auth/keys/{id}/", null.clone(), [401, 404, 404, 404, 404]),
        ("GET", "/api/team/members/", null.clone(), [401, 403, 200, 200, 403]),
        ("PATCH", "/api/team/members/{id}/", json!({"role": "admin"}), [401, 403, 404, 404, 403]),
        ("DELETE", "/api/team/members/{id}/", null.clone(), [401, 403, 404, 404, 403]),
        ("POST", "/api/team/leave/", json!({"x": 1}), [401, 422, 422, 422, 403]),
        ("GET", "/api/team/invitations/", null.clone(), [401, 403, 200, 200, 403]),
        ("POST", "/api/team/invitations/", empty.clone(), [401, 403, 422, 422, 403]),
        ("DELETE", "/api/team/invitations/{id}/", null.clone(), [401, 403, 404, 404, 403]),
        ("POST", "/api/team/invitations/{id}/resend/", null.clone(), [401, 403, 404, 404, 403]),
        ("POST", "/api/team/invitations/accept/", empty.clone(), [422, 422, 422, 422, 422]),
        ("GET", "/api/subscriptions/plans/", null.clone(), [200, 200, 200, 200, 200]),
        ("GET", "/api/subscriptions/plans/?include_archived=true", null.clone(), [200, 200, 200, 200, 200]),
        ("POST", "/api/subscriptions/plans/", empty.clone(), [401, 403, 403, 403, 422]),
        ("GET", "/api/subscriptions/plans/{id}/", null.clone(), [404, 404, 404, 404, 404]),
        ("PUT", "/api/subscriptions/plans/{id}/", empty.clone(), [401, 403, 403, 403, 422]),
        ("DELETE", "/api/subscriptions/plans/{id}/", null.clone(), [401, 403, 403, 403, 404]),
        ("POST", "/api/subscriptions/plans/{id}/restore/", null.clone(), [401, 403, 403, 403, 404]),
        ("GET", "/api/subscriptions/subscriptions/my_subscription/", null.clone(), [401, 200, 200, 404, 403]),
        (
            "POST",
            "/api/subscriptions/subscriptions/create_subscription/",
            empty.clone(),
            [401, 403, 422, 422, 403],
        ),
        (
            "POST",
            "/api/subscriptions/subscriptions/{subscription}/cancel/",
            json!({"x": 1}),
            [401, 403, 422, 422, 403],
        ),
        ("POST", "/api/subscriptions/subscriptions/{id}/cancel/", empty.clone(), [401, 403, 404, 404, 403]),
        (
            "POST",
            "/api/subscriptions/subscriptions/{subscription}/resume/",
            null.clone(),
            [401, 403, 200, 404, 403],
        ),
        ("POST", "/api/subscriptions/subscriptions/{id}/resume/", null.clone(), [401, 403, 404, 404, 403]),
        (
            "PUT",
            "/api/subscriptions/subscriptions/{id}/overage/",
            json!({"enabled": false}),
            [401, 403, 404, 404, 403],
        ),
        (
            "POST",
            "/api/subscriptions/subscriptions/{id}/change_plan/",
            json!({"plan_id": "01970f3e-7c1a-7000-8000-000000000001"}),
            [401, 403, 404, 404, 403],
        ),
        (
            "POST",
            "/api/subscriptions/subscriptions/{subscription}/payment_method/",
            empty.clone(),
            [401, 403, 200, 404, 403],
        ),
        (
            "POST",
            "/api/subscriptions/subscriptions/{id}/payment_method/",
            json!({"payment_method": "pm_card_visa"}),
            [401, 403, 404, 404, 403],
        ),
        ("POST", "/api/subscriptions/subscriptions/{id}/portal/", null.clone(), [401, 403, 404, 404, 403]),
        ("GET", "/api/subscriptions/invoices/", null.clone(), [401, 403, 200, 200, 403]),
        ("GET", "/api/subscriptions/invoices/?limit=0", null.clone(), [401, 403, 422, 422, 403]),
        ("GET", "/api/subscriptions/subscriptions/usage/", null.clone(), [401, 200, 200, 404, 403]),
        ("GET", "/api/subscriptions/subscriptions/usage/stream/", null.clone(), [401, 200, 200, 200, 403]),
        ("GET", "/api/subscriptions/subscriptions/check_limits/", null.clone(), [401, 200, 200, 404, 403]),
        ("POST", "/api/subscriptions/usage/events/", empty.clone(), [401, 422, 422, 422, 403]),
        ("GET", "/api/subscriptions/usage/events/", null.clone(), [401, 200, 200, 200, 422]),
        ("GET", "/api/subscriptions/usage/events/?group_id={id}", null.clone(), [401, 404, 404, 404, 404]),
        ("GET", "/api/subscriptions/usage/events/?user_id={id}", null.clone(), [401, 403, 200, 200, 422]),
        ("GET", "/api/subscriptions/usage/breakdown/", null.clone(), [401, 200, 200, 404, 422]),
        ("GET", "/api/subscriptions/usage/breakdown/?group_id={id}", null.clone(), [401, 404, 404, 404, 404]),
        ("POST", "/api/subscriptions/usage/holds/", empty.clone(), [401, 422, 422, 422, 403]),
        ("GET", "/api/subscriptions/usage/holds/", null.clone(), [401, 200, 200, 200, 403]),
        ("POST", "/api/subscriptions/usage/holds/{id}/settle/", empty.clone(), [401, 422, 422, 422, 403]),
        ("POST", "/api/subscriptions/usage/holds/{id}/release/", empty.clone(), [401, 404, 404, 404, 403]),
        ("POST", "/api/subscriptions/usage/holds/{id}/extend/", empty.clone(), [401, 404, 404, 404, 403]),
        ("PUT", "/api/auth/keys/{id}/caps/", empty.clone(), [401, 404, 404, 404, 403]),
        ("PUT", "/api/team/members/{id}/caps/", empty.clone(), [401, 403, 404, 404, 403]),
        ("GET", "/api/reports/usage/", null.clone(), [401, 403, 200, 200, 200]),
        ("GET", "/api/reports/usage/?by=week", null.clone(), [401, 403, 422, 422, 422]),
        ("GET", "/api/reports/usage/?group_id={id}", null.clone(), [401, 403, 404, 404, 404]),
        ("GET", "/api/reports/invoices/", null.clone(), [401, 403, 200, 200, 200]),
        ("GET", "/api/reports/invoices/?group_id={id}", null.clone(), [401, 403, 404, 404, 404]),
        ("GET", "/api/admin/analytics/", null.clone(), [401, 403, 403, 403, 200]),
        ("GET", "/api/admin/analytics/?interval=year", null.clone(), [401, 403, 403, 403, 422]),
        ("GET", "/api/admin/analytics/rows/?figure=mrr", null.clone(), [401, 403, 403, 403, 200]),
        ("GET", "/api/admin/analytics/rows/", null.clone(), [401, 403, 403, 403, 422]),
        ("GET", "/api/admin/groups/", null.clone(), [401, 403, 403, 403, 200]),
        ("GET", "/api/admin/groups/?sort=seats", null.clone(), [401, 403, 403, 403, 422]),
        ("GET", "/api/admin/groups/{id}/", null.clone(), [401, 403, 403, 403, 404]),
        ("POST", "/api/subscriptions/webhook/stripe/", empty.clone(), [400, 400, 400, 400, 400]),
        ("GET", "/healthz", null.clone(), [200, 200, 200, 200, 200]),
        ("GET", "/readyz", null.clone(), [200, 200, 200, 200, 200]),
        ("GET", "/metrics", null.clone(), [200, 200, 200, 200, 200]),
        ("POST", "/api/auth/logout/", null, [204, 204, 204, 204, 204]),
    ]
}

/// The gateway's paths, which speak another API's language and aren't in the document. Those that are refused by what
/// they ask for show that this role may ask.
const GATEWAY: &[(&str, &str, &str, Expected)] = &[
    ("POST", "/v1/chat/completions", "[]", [401, 400, 400, 400, 403]),
    ("POST", "/v1/responses", "[]", [401, 400, 400, 400, 403]),
    ("POST", "/v1/embeddings", "[]", [401, 400, 400, 400, 403]),
    ("POST", "/v1/audio/speech", "[]", [401, 400, 400, 400, 403]),
    // 429: nothing to spend.
    ("POST", "/v1/audio/transcriptions", "", [401, 400, 400, 429, 403]),
    ("POST", "/v1/audio/translations", "", [401, 400, 400, 429, 403]),
    ("GET", "/v1/models", "", [401, 200, 200, 200, 403]),
    ("GET", "/v1/models/demo-chat", "", [401, 200, 200, 200, 403]),
    ("GET", "/v1/files", "", [404, 404, 404, 404, 404]),
];

/// Pages. 303 sends an anonymous caller to the log-in page, and users from the front page to theirs.
const PAGES: &[(&str, Expected)] = &[
    ("/", [200, 303, 303, 303, 303]),
    ("/login", [200, 200, 200, 200, 200]),
    ("/signup", [200, 200, 200, 200, 200]),
    ("/forgot", [200, 200, 200, 200, 200]),
    ("/reset/{token}", [410, 410, 410, 410, 410]),
    ("/invite/{token}", [410, 410, 410, 410, 410]),
    ("/usage", [303, 200, 200, 200, 403]),
    ("/usage/events", [303, 200, 200, 200, 403]),
    ("/chat", [303, 200, 200, 200, 403]),
    // The admin's own conversation.
    ("/chat/{id}", [303, 404, 200, 404, 403]),
    ("/subscribe", [303, 403, 200, 200, 403]),
    // A member is told whom to ask.
    ("/billing", [303, 403, 200, 200, 403]),
    ("/billing/overage", [303, 403, 200, 200, 403]),
    ("/billing/portal", [303, 403, 303, 404, 403]),
    ("/reports", [303, 403, 200, 200, 200]),
    ("/reports?report=usage&by=week", [303, 403, 422, 422, 422]),
    ("/reports?report=usage&by=day", [303, 403, 303, 303, 303]),
    ("/analytics", [303, 403, 403, 403, 200]),
    ("/analytics?interval=year", [303, 403, 403, 403, 422]),
    ("/analytics/rows?figure=churn", [303, 403, 403, 403, 200]),
    ("/analytics/rows", [303, 403, 403, 403, 422]),
    ("/groups", [303, 403, 403, 403, 200]),
    ("/groups?sort=seats", [303, 403, 403, 403, 422]),
    // There is no such group.
    ("/groups/{id}", [303, 403, 403, 403, 404]),
    ("/subscription-plans", [303, 403, 403, 403, 200]),
    ("/team", [303, 403, 200, 200, 403]),
    ("/settings/api-keys", [303, 200, 200, 200, 200]),
    ("/settings/account", [303, 200, 200, 200, 200]),
    ("/unsubscribe/{token}", [404, 404, 404, 404, 404]),
    ("/outbox", [303, 403, 403, 403, 200]),
];

/// Server functions, with a body that changes nothing.
const FUNCTIONS: &[(&str, &str, Expected)] = &[
    ("/fn/account/sign-in", "email=x&password=x", [401, 401, 401, 401, 401]),
    ("/fn/account/sign-up", "email=x&password=x&name=x&group_name=x", [422, 422, 422, 422, 422]),
    ("/fn/chat/begin", "question=", [401, 422, 422, 422, 403]),
    ("/fn/chat/ask", "id={id}&question=x", [401, 404, 404, 404, 403]),
    ("/fn/chat/context", "id={id}", [401, 404, 404, 404, 403]),
    ("/fn/chat/answer", "id={id}&content=x&model=x", [401, 404, 404, 404, 403]),
    ("/fn/chat/render", "markdown=x", [401, 200, 200, 200, 403]),
    ("/fn/chat/rename", "id={id}&title=x", [401, 404, 404, 404, 403]),
    ("/fn/chat/delete", "id={id}", [401, 404, 404, 404, 403]),
    ("/fn/account/forgot", "email=x", [422, 422, 422, 422, 422]),
    ("/fn/account/reset", "token=x&password=long%20enough", [404, 404, 404, 404, 404]),
    ("/fn/account/accept-invitation", "token=x&name=x&password=x", [404, 404, 404, 404, 404]),
    ("/fn/groups/visit", "id={id}&reason=", [401, 403, 403, 403, 422]),
    ("/fn/groups/visit", "id={id}&reason=x", [401, 403, 403, 403, 404]),
    ("/fn/keys/create", "name=", [401, 422, 422, 422, 422]),
    ("/fn/keys/cap", "id={id}&llm=1", [401, 404, 404, 404, 403]),
    ("/fn/keys/revoke", "id={id}", [401, 404, 404, 404, 404]),
    ("/fn/plans/create", "{plan}", [401, 403, 403, 403, 422]),
    ("/fn/plans/update", "id={id}&{plan}", [401, 403, 403, 403, 422]),
    ("/fn/plans/remove", "id={id}", [401, 403, 403, 403, 404]),
    ("/fn/plans/restore", "id={id}", [401, 403, 403, 403, 404]),
    ("/fn/subscription/subscribe", "plan_id={id}", [401, 403, 404, 404, 403]),
    ("/fn/subscription/cancel", "id={id}&at_period_end=true", [401, 403, 404, 404, 403]),
    ("/fn/subscription/resume", "id={id}", [401, 403, 404, 404, 403]),
    ("/fn/subscription/change-plan", "id={id}&plan_id={id}", [401, 403, 404, 404, 403]),
    ("/fn/billing/change-card", "id={id}&setup_intent=", [401, 403, 404, 404, 403]),
    ("/fn/billing/overage", "id={id}&enabled=false", [401, 403, 404, 404, 403]),
    ("/fn/billing/pay", "id={id}", [401, 403, 404, 404, 403]),
    (
        "/fn/billing/details",
        "name=&line1=&line2=&postal_code=&city=&state=&country=&tax_id_type=&tax_id=",
        [401, 403, 422, 422, 403],
    ),
    ("/fn/settings/name", "name=", [401, 422, 422, 422, 422]),
    ("/fn/settings/sign-in", "email=x&current_password=", [401, 422, 422, 422, 422]),
    ("/fn/settings/end-session", "id={id}", [401, 404, 404, 404, 404]),
    ("/fn/settings/end-other-sessions", "", [401, 200, 200, 200, 200]),
    ("/fn/settings/leave", "group={id}", [401, 404, 404, 404, 403]),
    ("/fn/subscription/refresh", "", [401, 403, 200, 200, 403]),
    ("/fn/events/retry", "id=evt_1", [401, 403, 403, 403, 404]),
    ("/fn/notifications/choose", "usage_80=true", [401, 200, 200, 200, 200]),
    ("/fn/notifications/unsubscribe", "token=x", [404, 404, 404, 404, 404]),
    ("/fn/outbox/send-again", "id={id}", [401, 403, 403, 403, 404]),
    ("/fn/team/invite", "email=&role=", [401, 403, 422, 422, 403]),
    ("/fn/team/resend", "id={id}", [401, 403, 404, 404, 403]),
    ("/fn/team/role", "id={id}&role=admin", [401, 403, 404, 404, 403]),
    ("/fn/team/withdraw", "id={id}", [401, 403, 404, 404, 403]),
    ("/fn/team/cap", "id={id}&llm=1", [401, 403, 404, 404, 403]),
    ("/fn/team/remove", "id={id}", [401, 403, 404, 404, 403]),
    ("/fn/usage/suggestion", "", [401, 200, 200, 404, 403]),
    ("/fn/account/sign-out", "", [200, 200, 200, 200, 200]),
];

/// A plan without a name, as the form sends it.
const PLAN: &str = "form[name]=&form[description]=&form[price]=1&form[currency]=usd&form[interval]=month\
    &form[trial_days]=&form[llm_tokens_limit]=&form[voice_tokens_limit]=&form[max_users]=&form[features]=&form[stripe_price_id]=";

async fn status(person: &Person<'_>, method: &str, path: &str, body: &Value) -> u16 {
    let method: Method = method.parse().expect("a method");
    let mut request = person.request(method, path);
    if !body.is_null() {
        request = request.json(body);
    }
    request.send().await.expect("an answer").status().as_u16()
}

async fn call(person: &Person<'_>, path: &str, body: &str) -> u16 {
    let body = body.replace("{plan}", PLAN).replace("{id}", NONE);
    person
        .request(Method::POST, path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(body)
        .send()
        .await
        .expect("an answer")
        .status()
        .as_u16()
}

#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let people = [
            app.anonymous(),
            app.member(&admin).await,
            admin.clone(),
            app.admin().await,
            app.superadmin().await,
        ];
        let subscription = admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let conversation = crate::chat::begin(&admin, "A question").await;
        let mut wrong = Vec::new();
        for (path, expected) in PAGES {
            let path = path.replace("{token}", "unknown").replace("{id}", &conversation);
            for (person, expected) in people.iter().zip(expected) {
                let found = status(person, "GET", &path, &Value::Null).await;
                wrong.extend((found != *expected).then(|| format!("GET {path}: {found}, not {expected}")));
            }
        }
        for (path, body, expected) in FUNCTIONS.iter().filter(|(path, ..)| !path.ends_with("sign-out")) {
            for (index, (person, expected)) in people.iter().zip(expected).enumerate() {
                let found = call(person, path, body).await;
                wrong.extend(
                    (found != *expected).then(|| format!("{path} #{index}: {found}, not {expected}")),
                );
            }
        }
        for (method, path, body, expected) in GATEWAY {
            for (index, (person, expected)) in people.iter().zip(expected).enumerate() {
                let request = person.request(method.parse().expect("a method"), path).body(*body);
                let found = person.send(request).await.status;
                wrong.extend(
                    (found != *expected)
                        .then(|| format!("{method} {path} #{index}: {found}, not {expected}")),
                );
            }
        }
        for (method, template, body, expected) in api() {
            let path = template.replace("{id}", NONE).replace("{subscription}", &subscription);
            for (index, (person, expected)) in people.iter().zip(expected).enumerate() {
                let found = status(person, method, &path, &body).await;
                wrong.extend(
                    (found != expected)
                        .then(|| format!("{method} {template} #{index}: {found}, not {expected}")),
                );
            }
        }
        // The table's last row signed all callers out.
        for (index, person) in people.iter().enumerate() {
            let found = call(person, "/fn/account/sign-out", "").await;
            wrong.extend((found != 200).then(|| format!("/fn/account/sign-out #{index}: {found}")));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        app.stop().await;
    })
    .await;
}

/// A path of the document or the table with every parameter and query left out, so that the two compare.
fn bare(method: &str, path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    format!("{} {}", method.to_uppercase(), parts.collect::<Vec<_>>().join("/"))
}

#[tokio::test]
async fn no_route_is_missing_from_the_table() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let document = app.anonymous().get("/api/openapi.json").await.body;
        let served: BTreeSet<_> = document["paths"]
            .as_object()
            .expect("paths")
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().expect("operations").keys().map(move |method| bare(method, path))
            })
            .collect();
        let listed: BTreeSet<_> = api().iter().map(|(method, path, ..)| bare(method, path)).collect();
        assert_eq!(listed, served);

        let pages: BTreeSet<_> =
            tollgate::web::ssr::page_paths(app.running.services.clone()).into_iter().collect();
        let path_of = |page: &str| page.split('?').next().unwrap_or(page).to_owned();
        assert_eq!(PAGES.iter().map(|(page, _)| path_of(page)).collect::<BTreeSet<_>>(), pages);

        let functions: BTreeSet<_> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(FUNCTIONS.iter().map(|(path, ..)| (*path).to_owned()).collect::<BTreeSet<_>>(), functions);
        app.stop().await;
    })
    .await;
}
