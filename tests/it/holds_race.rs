//! Holds near the limit from many callers at once, in one process and in two: nothing is ever overspent, and what a
//! killed process held is freed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use rand::RngExt;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tollgate::clock::Clock;
use tollgate::domain::{Caller, Caps, HoldInput, LimitScope, Refusal, Settlement, UsageType};
use tollgate::error::Error;

use crate::holds::HOLDS;
use crate::ledger_checks::assert_sums_agree;
use crate::support::app::eventually;
use crate::support::databases::Database;
use crate::support::process::{Server, client, program, run};
use crate::support::seed::Seed;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");
/// The plan's, of LLM tokens.
const LIMIT: i64 = 100_000;
/// The member's, in the test of one process.
const CAP: i64 = 30_000;
const LARGEST: i64 = 400;
const CALLERS: usize = 64;
const HOLDS_EACH: usize = 50;

/// Lets the database itself refuse any change that passes a limit or a cap, whatever the program believes.
async fn guard(database: &Database) {
    if database.url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("the database opens");
        let over = "NEW.llm_used + NEW.llm_held > NEW.llm_limit";
        for (name, table, when) in [
            ("limit", "usage_summaries", over.to_owned()),
            (
                "cap",
                "usage_shares",
                "NEW.llm_used + NEW.llm_held > (SELECT llm_cap FROM usage_caps c WHERE c.subject_id = NEW.subject_id)".to_owned(),
            ),
        ] {
            let sql = format!(
                "CREATE TRIGGER guard_{name} BEFORE UPDATE ON {table} WHEN {when}
                 BEGIN SELECT RAISE(ABORT, 'overspent'); END"
            );
            connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("a trigger");
        }
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("the database opens");
        connection
            .execute("ALTER TABLE usage_summaries ADD CHECK (llm_used + llm_held <= llm_limit)")
            .await
            .expect("a constraint");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_of_one_process_never_pass_the_limit_or_a_cap() {
    for database in Database::each().await {
        println!("on {}", database.url);
        let store = database.store().await;
        let seed = Seed::new(&store).await;
        guard(&database).await;
        let metering = seed.metering();
        metering
            .set_member_caps(&seed.admin, seed.member.id, Caps { llm: Some(CAP), voice: None })
            .await
            .expect("a cap");
        let callers = (0..CALLERS).map(|i| {
            let user = if i % 2 == 0 { &seed.member } else { &seed.admin };
            let (metering, caller) = (metering.clone(), Caller::from(user));
            tokio::spawn(async move {
                let (mut denied_by, mut granted) = (Vec::new(), 0);
                for _ in 0..HOLDS_EACH {
                    let tokens = rand::rng().random_range(1..=LARGEST);
                    let input = HoldInput {
                        id: None,
                        usage_type: UsageType::Llm,
                        tokens,
                        expires_in: None,
                        wait: None,
                    };
                    match metering.hold(&caller, input).await {
                        Ok(hold) => {
                            let llm = hold.usage.resources.llm;
                            assert!(llm.used + llm.held <= LIMIT, "{llm:?}");
                            let part = hold.usage.you.expect("a member's part").llm;
                            assert!(part.limit.is_none_or(|cap| part.used + part.held <= cap), "{part:?}");
                            granted += 1;
                            // Some are settled at once, some given back, some left open.
                            let fate = rand::rng().random_range(0..8);
                            match fate {
                                0 => drop(metering.release(&caller, &hold.id).await.expect("released")),
                                1 => {}
                                _ => {
                                    let spent = rand::rng().random_range(tokens / 2..=tokens);
                                    let settled =
                                        metering.settle(&caller, &hold.id, Settlement::of(spent)).await;
                                    let llm = settled.expect("settled").resources.llm;
                                    assert!(llm.used + llm.held <= LIMIT, "{llm:?}");
                                }
                            }
                        }
                        Err(Error::Refused(Refusal::LimitReached(reached))) => denied_by.push(reached.limit),
                        Err(error) => panic!("{error}"),
                    }
                }
                (granted, denied_by)
            })
        });
        let (mut granted, mut denied_by) = (0, Vec::new());
        for caller in join_all(callers).await {
            let (more, denied) = caller.expect("a caller ends");
            granted += more;
            denied_by.extend(denied);
        }
        let count = |scope| denied_by.iter().filter(|by| **by == scope).count();
        println!(
            "{granted} granted, {} denied by the cap, {} by the limit",
            count(LimitScope::Member),
            count(LimitScope::Group)
        );
        assert!(count(LimitScope::Member) > 0 && count(LimitScope::Group) > 0, "the limits were not reached");
        let llm = metering.usage(&seed.member).await.expect("a usage").resources.llm;
        assert!(llm.used + llm.held > LIMIT - LARGEST, "the allowance was not used to its end: {llm:?}");
        metering.stop().await;
        assert_sums_agree(&database).await;
        store.close().await;
        database.drop().await;
    }
}

struct Http {
    client: Client,
    base: String,
    key: String,
}

impl Http {
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.key).json(&body);
        let answer = request.send().await.expect("the server answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn llm(&self) -> (i64, i64) {
        let url = format!("{}/api/subscriptions/subscriptions/usage/", self.base);
        let answer = self.client.get(url).bearer_auth(&self.key).send().await.expect("the server answers");
        llm(&answer.json().await.expect("JSON"))
    }
}

/// Used and held.
fn llm(usage: &Value) -> (i64, i64) {
    let count = |field: &str| usage["llm"][field].as_i64().unwrap_or_else(|| panic!("no {field} in {usage}"));
    (count("used"), count("held"))
}

fn key_of(database: &Database, folder: &TempDir, email: &str) -> String {
    let command = program(PROGRAM, folder.path(), &database.url);
    run(command, &["key", "create", "--name", "race", "--user", email])
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_database_never_pass_the_limit() {
    let database = Database::postgres().await;
    let folder = TempDir::new().expect("a folder");
    let store = database.store().await;
    let seed = Seed::with_clock(&store, Clock::system()).await;
    store.close().await;
    guard(&database).await;
    let key = key_of(&database, &folder, &seed.member.email);
    let servers = [(); 2].map(|()| Server::start(program(PROGRAM, folder.path(), &database.url)));
    let callers = (0..CALLERS).map(|i| {
        let http = Http { client: client(), base: servers[i % 2].base.clone(), key: key.clone() };
        tokio::spawn(async move {
            let (mut granted, mut denied) = (0, 0);
            for _ in 0..HOLDS_EACH {
                let tokens = rand::rng().random_range(1..=LARGEST);
                let (status, answer) = http.post(HOLDS, json!({"usage_type": "llm", "tokens": tokens})).await;
                if status == 402 {
                    denied += 1;
                    continue;
                }
                assert_eq!(status, 201, "{answer}");
                granted += 1;
                let (used, held) = llm(&answer["usage"]);
                assert!(used + held <= LIMIT, "{used} + {held}");
                let settle = format!("{HOLDS}{}/settle/", answer["id"].as_str().expect("an id"));
                let (status, answer) = http.post(&settle, json!({"tokens_used": tokens})).await;
                assert_eq!(status, 200, "{answer}");
            }
            (granted, denied)
        })
    });
    let (mut granted, mut denied) = (0, 0);
    for caller in join_all(callers).await {
        let (more, less) = caller.expect("a caller ends");
        (granted, denied) = (granted + more, denied + less);
    }
    println!("{granted} granted, {denied} denied");
    assert!(denied > 0, "the limit was not reached");
    let http = Http { client: client(), base: servers[0].base.clone(), key };
    let (used, held) = http.llm().await;
    assert!(used > LIMIT - LARGEST && used <= LIMIT && held == 0, "{used} used, {held} held");
    drop(servers);
    assert_sums_agree(&database).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_held_is_freed_within_5_s_of_its_expiry() {
    for database in Database::each().await {
        println!("on {}", database.url);
        let folder = TempDir::new().expect("a folder");
        let store = database.store().await;
        let seed = Seed::with_clock(&store, Clock::system()).await;
        store.close().await;
        let key = key_of(&database, &folder, &seed.member.email);
        let mut first = Server::start(program(PROGRAM, folder.path(), &database.url));
        let http = Http { client: client(), base: first.base.clone(), key: key.clone() };
        let hold = json!({"id": "left", "usage_type": "llm", "tokens": 700, "expires_in": 2});
        let (status, hold) = http.post(HOLDS, hold).await;
        assert_eq!(status, 201, "{hold}");
        first.kill();
        let second = Server::start(program(PROGRAM, folder.path(), &database.url));
        let http = Http { client: client(), base: second.base.clone(), key };
        eventually("the hold is freed", async || (http.llm().await == (0, 0)).then_some(())).await;
        let expired: DateTime<Utc> = hold["expires_at"].as_str().expect("a time").parse().expect("a time");
        let late = (Clock::system().now() - expired).to_std().expect("no hold is freed early");
        assert!(late < Duration::from_secs(5), "freed {late:?} late");
        // It was spent all the same.
        let (status, settled) = http.post(&format!("{HOLDS}left/settle/"), json!({"tokens_used": 650})).await;
        assert_eq!((status, llm(&settled["usage"])), (200, (650, 0)), "{settled}");
        drop(second);
        assert_sums_agree(&database).await;
        database.drop().await;
    }
}
