//! Killing the server under load: what was acknowledged stays, and nothing counts twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use rand::RngExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tollgate::clock::Clock;
use uuid::Uuid;

use crate::ledger_checks::assert_sums_agree;
use crate::support::databases::Database;
use crate::support::process::{Server, client, program, run};
use crate::support::seed::Seed;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");
const ROUNDS: usize = 5;
const WORKERS: usize = 8;

/// Callers as they should be: whatever was not acknowledged is sent again, unchanged, to the next server.
#[derive(Default)]
struct Callers {
    unanswered: Mutex<VecDeque<Value>>,
    acknowledged: Mutex<Vec<Value>>,
    /// Requests acknowledged since the beginning.
    answers: watch::Sender<u64>,
}

impl Callers {
    /// One caller, until the server is gone or, with `only_repeats`, nothing is left to repeat.
    async fn call(&self, http: &Client, base: &str, key: &str, only_repeats: bool) {
        loop {
            let repeat = self.unanswered.lock().unwrap().pop_front();
            let batch = match repeat {
                Some(batch) => batch,
                None if only_repeats => return,
                None => new_batch(),
            };
            let url = format!("{base}/api/subscriptions/usage/events/");
            match http.post(url).bearer_auth(key).json(&batch).send().await {
                Ok(answer) => {
                    assert_eq!(answer.status(), StatusCode::OK);
                    self.acknowledged.lock().unwrap().push(batch);
                    self.answers.send_modify(|answers| *answers += 1);
                }
                Err(_) => {
                    self.unanswered.lock().unwrap().push_back(batch);
                    return;
                }
            }
        }
    }
}

fn new_batch() -> Value {
    let event = |_| json!({"id": Uuid::now_v7(), "usage_type": "llm", "tokens_used": rand::rng().random_range(1..100)});
    Value::Array((0..rand::rng().random_range(1..20)).map(event).collect())
}

/// Tokens by event id.
fn tokens(batches: &[Value]) -> BTreeMap<String, i64> {
    let events = batches.iter().flat_map(|batch| batch.as_array().expect("a batch"));
    let token = |event: &Value| Some((event["id"].as_str()?.to_owned(), event["tokens_used"].as_i64()?));
    events.map(|event| token(event).expect("an event")).collect()
}

#[tokio::test]
async fn a_killed_server_loses_nothing_it_acknowledged_and_counts_nothing_twice() {
    for database in Database::each().await {
        println!("on {}", database.url);
        let folder = TempDir::new().expect("a folder");
        let store = database.store().await;
        let seed = Seed::with_clock(&store, Clock::system()).await;
        store.close().await;
        let command = program(PROGRAM, folder.path(), &database.url);
        let key = run(command, &["key", "create", "--name", "crash", "--user", &seed.member.email]);

        let (callers, http) = (Arc::new(Callers::default()), client());
        for _ in 0..ROUNDS {
            let mut server = Server::start(program(PROGRAM, folder.path(), &database.url));
            let base = server.base.clone();
            let work = (0..WORKERS).map(|_| {
                let (callers, http, base, key) = (callers.clone(), http.clone(), base.clone(), key.clone());
                tokio::spawn(async move { callers.call(&http, &base, &key, false).await })
            });
            let mut work = join_all(work);
            let enough = *callers.answers.borrow() + rand::rng().random_range(10..150);
            let mut answers = callers.answers.subscribe();
            tokio::select! {
                reached = answers.wait_for(|answers| *answers >= enough) => drop(reached.expect("callers call")),
                ended = &mut work => panic!("the server left its callers alone: {ended:?}"),
            }
            server.kill();
            for caller in work.await {
                caller.expect("a caller ends with the server");
            }
        }

        let cut_off = callers.unanswered.lock().unwrap().len();
        assert!(cut_off > 0, "some requests were under way when the server was killed");
        let server = Server::start(program(PROGRAM, folder.path(), &database.url));
        callers.call(&http, &server.base, &key, true).await;
        let usage = http
            .get(format!("{}/api/subscriptions/subscriptions/usage/", server.base))
            .bearer_auth(&key)
            .send()
            .await
            .expect("the server answers");
        let usage: Value = usage.json().await.expect("a usage");
        drop(server);

        let expected = tokens(&callers.acknowledged.lock().unwrap());
        let ledger: Vec<(String, i64)> = database.rows("SELECT external_id, tokens FROM usage_events").await;
        assert_eq!(ledger.len(), expected.len());
        assert_eq!(ledger.into_iter().collect::<BTreeMap<_, _>>(), expected);
        assert_eq!(usage["llm"]["used"], expected.values().sum::<i64>());
        assert_sums_agree(&database).await;
        database.drop().await;
    }
}
