use axum::http::header::ALLOW;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;

async fn finished(response: impl IntoResponse) -> (Response<()>, Value) {
    let mut response = response.into_response();
    finish(&mut response, &RequestId::new("req-1").unwrap(), true);
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_refusal_becomes_a_problem() {
    let (response, body) = finished(Problem::from(Refusal::field("name", "Name is required."))).await;
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    assert_eq!(
        body,
        json!({
            "type": "/api/docs/errors/#invalid", "title": "Invalid", "status": 422, "code": "invalid",
            "detail": "Name is required.", "request_id": "req-1",
            "errors": [{"field": "name", "message": "Name is required."}],
        })
    );
}

#[tokio::test]
async fn what_a_client_can_act_on_is_said_in_headers_and_members() {
    let (response, _) = finished(Problem::from(Refusal::TooManyAttempts { retry_after: 42 })).await;
    assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (429, &"42".parse().unwrap()));
    let busy = Error::Overloaded { what: "hashing", retry_after: 2 };
    let (response, body) = finished(Problem::from(busy)).await;
    assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (503, &"2".parse().unwrap()));
    assert_eq!(body["retry_after"], 2);
    let (response, _) = finished(Problem::from(Refusal::NotSignedIn)).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()[WWW_AUTHENTICATE]),
        (401, &"Bearer".parse().unwrap())
    );
    let declined = Refusal::CardDeclined {
        message: "No funds.".into(),
        decline_code: Some("insufficient_funds".into()),
    };
    let (response, body) = finished(Problem::from(declined)).await;
    assert_eq!((response.status().as_u16(), &body["decline_code"]), (402, &json!("insufficient_funds")));
}

#[tokio::test]
async fn a_code_may_have_members_of_its_own() {
    let problem = Problem::from(Refusal::LastAdmin).with("suggested", json!({"name": "Pro"}));
    let (_, body) = finished(problem).await;
    assert_eq!((&body["suggested"]["name"], &body["code"]), (&json!("Pro"), &json!("last_admin")));
}

#[tokio::test]
async fn what_is_inside_stays_inside() {
    for (error, status) in [
        (Error::Stripe("sk_test_secret".into()), 503),
        (Error::Database(sqlx::Error::PoolTimedOut), 503),
        (Error::Unavailable("secret".into()), 503),
        (Error::Internal("secret".into()), 500),
    ] {
        let (response, body) = finished(Problem::from(error)).await;
        assert_eq!(response.status(), status);
        let text = body.to_string();
        assert!(!text.contains("secret") && !text.contains("pool"), "{text}");
    }
}

#[tokio::test]
async fn an_error_born_elsewhere_is_adopted_with_its_headers() {
    let (response, body) = finished((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET,HEAD")], "no")).await;
    assert_eq!((response.status().as_u16(), &response.headers()[ALLOW]), (405, &"GET,HEAD".parse().unwrap()));
    assert_eq!(body["code"], "method_not_allowed");
    let (response, body) = finished(StatusCode::INTERNAL_SERVER_ERROR).await;
    assert_eq!((response.status().as_u16(), &body["code"]), (503, &json!("unavailable")));
}

#[tokio::test]
async fn what_is_no_error_is_left_alone() {
    let mut response = "fine".into_response();
    finish(&mut response, &RequestId::new("req-1").unwrap(), true);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "fine");
}
