//! Whatever becomes of Stripe's events on their way, and whatever people do meanwhile, in the end a group's subscription,
//! its plan, its periods and its access are those that Stripe shows: by the events alone where each has arrived, and else
//! once `reconcile` has run.
//!
//! The quick run has the same histories each time, so that it is a change which breaks it. `TOLLGATE_TEST_CASES` asks for
//! more, and `TOLLGATE_TEST_SEED` for others: each is made from a seed of its own, from that one on. One that fails is made
//! shorter, and said with its seed.

mod agreement;
mod history;
mod steps;

use std::any::Any;
use std::cell::RefCell;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::json;
use tokio::runtime::Runtime;

use self::agreement::same;
use self::history::World;
use self::steps::{Script, scripts};
use crate::support::databases::Database;

/// How many histories share a world: its calendar goes on with each.
const TOGETHER: u64 = 100;
/// How often a history that failed is tried again with less of it.
const SHRINKS: u32 = 100;

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

async fn holds(world: &World, script: &Script) -> Result<(), String> {
    let mut history = world.begin(script).await;
    for step in &script.steps {
        history.step(step).await;
    }
    history.settle(script.order).await;
    if !history.lost.is_empty() || history.is_reserved().await {
        let sum = world.stage.app.running.services.billing.reconcile().await.expect("it compares");
        same("what couldn't be compared", &json!(sum.failed), &json!(0))?;
    }
    history.agrees().await?;
    history.end().await;
    Ok(())
}

/// Where histories are lived through: in one world as long as they hold, and each in one of its own after that.
struct Bench {
    runtime: Runtime,
    sqlite: bool,
    world: RefCell<Option<World>>,
}

impl Bench {
    fn new(sqlite: bool) -> Self {
        Self { runtime: Runtime::new().expect("a runtime"), sqlite, world: RefCell::default() }
    }

    fn open(&self) -> World {
        self.runtime.block_on(async {
            World::open(if self.sqlite { Database::sqlite() } else { Database::postgres().await }).await
        })
    }

    fn close(&self) {
        if let Some(world) = self.world.take() {
            self.runtime.block_on(world.close());
        }
    }

    fn try_out(&self, script: &Script) -> Result<(), TestCaseError> {
        let world = self.world.take().unwrap_or_else(|| self.open());
        let held = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(holds(&world, script))));
        let held = held.unwrap_or_else(|panic| Err(message(&*panic)));
        self.world.replace(Some(world));
        held.map_err(|why| {
            self.close();
            TestCaseError::fail(why)
        })
    }

    /// # Panics
    /// Where the history doesn't hold, with the shortest of it that doesn't.
    fn run(&self, seed: u64) {
        let config = Config { failure_persistence: None, max_shrink_iters: SHRINKS, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let history = scripts().new_tree(&mut runner).expect("a history");
        if let Err(failed) = runner.run_one(history, |script| self.try_out(&script)) {
            // Not in the panic, which has no runtime.
            self.close();
            let database = if self.sqlite { "SQLite" } else { "PostgreSQL" };
            panic!("TOLLGATE_TEST_SEED={seed} TOLLGATE_TEST_CASES=1, on {database}: {failed}");
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[test]
fn in_the_end_everything_is_as_stripe_shows_it() {
    let cases = variable("TOLLGATE_TEST_CASES").unwrap_or(50);
    let first = variable("TOLLGATE_TEST_SEED").unwrap_or_default();
    let on = |sqlite: bool| {
        move || {
            let bench = Bench::new(sqlite);
            for number in 0..cases {
                if number % TOGETHER == 0 {
                    bench.close();
                }
                bench.run(first + number);
            }
            bench.close();
        }
    };
    let runs = [true, false].map(|sqlite| std::thread::spawn(on(sqlite)));
    // Each to its end, so that one's failure doesn't hide the other's.
    let ended = runs.map(std::thread::JoinHandle::join);
    assert!(ended.iter().all(Result::is_ok), "the property holds");
}
