use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::routing::post;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::*;

/// A route that counts how often it ran, waits for a permit, and answers as its body says.
#[derive(Clone, Default)]
struct Work {
    runs: Arc<AtomicU32>,
    permits: Option<Arc<Semaphore>>,
    done: Arc<tokio::sync::Notify>,
}

impl Work {
    async fn run(self, body: String) -> Response {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(permits) = &self.permits {
            permits.acquire().await.unwrap().forget();
        }
        self.done.notify_one();
        match body.as_str() {
            "panic" => panic!("as asked"),
            "unavailable" => Problem::unavailable().into_response(),
            "conflict" => Problem::from(Refusal::LastAdmin).into_response(),
            _ => (StatusCode::CREATED, [(CONTENT_TYPE, "application/json")], format!("\"run {run}\""))
                .into_response(),
        }
    }
}

struct App {
    router: Router,
    work: Work,
    _directory: TempDir,
}

impl App {
    async fn new(work: Work) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("test.db").display());
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let counted = work.clone();
        let route = post(move |body: String| counted.clone().run(body)).layer(from_fn(replay_repeated));
        let router = Router::new()
            .route("/one", route.clone())
            .route("/two", route)
            .layer(Extension(ReplayStore::new(store, Clock::system())));
        Self { router, work, _directory: directory }
    }

    fn request(path: &str, key: &str, body: &str) -> Request {
        Request::post(path).header(HEADER, key).body(Body::from(body.to_owned())).unwrap()
    }

    /// Status, body or code, and whether it was replayed.
    async fn send(&self, path: &str, key: &str, body: &str) -> (u16, String, bool) {
        let mut response = self.router.clone().oneshot(Self::request(path, key, body)).await.unwrap();
        problem::finish(&mut response, &RequestId::new("id").unwrap(), true);
        let replayed = response.headers().contains_key(REPLAYED);
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let text = value.as_str().or(value["code"].as_str()).unwrap_or_default();
        (status.as_u16(), text.to_owned(), replayed)
    }

    fn runs(&self) -> u32 {
        self.work.runs.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer() {
    let app = App::new(Work::default()).await;
    assert_eq!(app.send("/one", "k", "a").await, (201, "run 1".into(), false));
    assert_eq!(app.send("/one", "k", "a").await, (201, "run 1".into(), true));
    assert_eq!(app.send("/one", "k", "b").await, (409, "idempotency_mismatch".into(), false));
    assert_eq!(app.send("/one", "other", "a").await, (201, "run 2".into(), false));
    assert_eq!(app.send("/two", "k", "a").await, (201, "run 3".into(), false));
}

#[tokio::test]
async fn only_a_post_is_answered_by_it() {
    let app = App::new(Work::default()).await;
    app.send("/one", "k", "a").await;
    let trace =
        Request::builder().method("TRACE").uri("/one").header(HEADER, "k").body(Body::from("a")).unwrap();
    assert_eq!(app.router.clone().oneshot(trace).await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_refusal_is_an_answer_too() {
    let app = App::new(Work::default()).await;
    assert_eq!(app.send("/one", "k", "conflict").await, (409, "last_admin".into(), false));
    assert_eq!(app.send("/one", "k", "conflict").await, (409, "last_admin".into(), true));
    assert_eq!(app.runs(), 1);
}

#[tokio::test]
async fn what_failed_is_tried_again() {
    let app = App::new(Work::default()).await;
    for (runs, (body, status)) in
        [("panic", 500), ("panic", 500), ("unavailable", 503), ("unavailable", 503)].iter().enumerate()
    {
        let (answered, _, replayed) = app.send("/one", body, body).await;
        assert_eq!((answered, replayed, app.runs()), (*status, false, runs as u32 + 1));
    }
}

#[tokio::test]
async fn a_key_must_be_one() {
    let app = App::new(Work::default()).await;
    for key in ["", "a b", &"x".repeat(256)] {
        assert_eq!(app.send("/one", key, "a").await, (422, "invalid".into(), false), "{key:?}");
    }
    assert_eq!(app.runs(), 0);
}

#[tokio::test]
async fn what_a_client_began_and_left_is_finished() {
    let permits = Arc::new(Semaphore::new(0));
    let app = App::new(Work { permits: Some(permits.clone()), ..Work::default() }).await;
    let mut hung_up = Box::pin(app.router.clone().oneshot(App::request("/one", "k", "a")));
    while app.runs() == 0 {
        assert!(futures::poll!(&mut hung_up).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(app.send("/one", "k", "a").await, (409, "idempotency_in_progress".into(), false));

    drop(hung_up);
    permits.add_permits(1);
    app.work.done.notified().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let replayed = loop {
        let answer = app.send("/one", "k", "a").await;
        if answer.0 != 409 {
            break answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "never finished");
        tokio::task::yield_now().await;
    };
    assert_eq!((replayed, app.runs()), ((201, "run 1".into(), true), 1));
}
