//! Any sequence of what may happen to holds, against a model of a few lines: what is granted, what is left, and that
//! after every step the sums, the parts and the open holds agree with the ledger to the token.
//!
//! `TOLLGATE_TEST_CASES` asks for more sequences than the quick run has.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use tokio::task::JoinHandle;
use tollgate::domain::{
    Caller, Caps, Extension, HoldInput, LimitScope, MAX_HOLD_SECONDS, Period, Refusal, Settlement, Status,
    UsageType,
};
use tollgate::error::Error;
use tollgate::metering::Metering;
use tollgate::storage::Store;

use crate::ledger_checks::assert_sums_agree;
use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::{GRACE_DAYS, Seed, event};

/// The plan's limits.
const LIMITS: [i64; 2] = [100_000, 50_000];
/// Seconds beyond the longest hold after which one must have been granted before the clock was set back.
const TOLERANCE: i64 = 60;

#[derive(Clone, Debug)]
enum Step {
    Hold {
        id: u8,
        who: usize,
        voice: bool,
        tokens: i64,
        expires_in: i64,
    },
    Settle {
        id: u8,
        tokens: i64,
    },
    Release {
        id: u8,
    },
    Extend {
        id: u8,
        tokens: i64,
        expires_in: i64,
    },
    Record {
        who: usize,
        voice: bool,
        tokens: i64,
    },
    Cap {
        who: usize,
        llm: Option<i64>,
    },
    Limits {
        llm: i64,
        voice: i64,
    },
    Advance {
        seconds: i64,
    },
    SetBack {
        seconds: i64,
    },
    /// The job that frees what is due.
    Expire,
    /// The process ends without finishing anything, and another begins.
    Crash,
    NextPeriod,
}

fn step() -> impl Strategy<Value = Step> {
    let (id, who, voice) = (0..12_u8, 0..2_usize, any::<bool>());
    let tokens = prop_oneof![1..200_i64, 1..30_000_i64, Just(100_000_i64)];
    let expires_in = prop_oneof![Just(1_i64), 1..=MAX_HOLD_SECONDS];
    prop_oneof![
        8 => (id.clone(), who.clone(), voice, tokens.clone(), expires_in.clone())
            .prop_map(|(id, who, voice, tokens, expires_in)| Step::Hold { id, who, voice, tokens, expires_in }),
        5 => (id.clone(), prop_oneof![Just(0_i64), tokens.clone()]).prop_map(|(id, tokens)| Step::Settle { id, tokens }),
        2 => id.clone().prop_map(|id| Step::Release { id }),
        4 => (id, tokens.clone(), expires_in).prop_map(|(id, tokens, expires_in)| Step::Extend { id, tokens, expires_in }),
        2 => (who.clone(), voice, 1..9_000_i64).prop_map(|(who, voice, tokens)| Step::Record { who, voice, tokens }),
        1 => (who, prop::option::of(0..120_000_i64)).prop_map(|(who, llm)| Step::Cap { who, llm }),
        1 => (0..150_000_i64, 0..80_000_i64).prop_map(|(llm, voice)| Step::Limits { llm, voice }),
        3 => (0..400_i64).prop_map(|seconds| Step::Advance { seconds }),
        1 => (0..5_000_i64).prop_map(|seconds| Step::SetBack { seconds }),
        2 => Just(Step::Expire),
        1 => Just(Step::Crash),
        1 => Just(Step::NextPeriod),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    Settled(i64),
    Released,
    Expired,
}

#[derive(Clone, Debug)]
struct Hold {
    period: usize,
    who: usize,
    kind: usize,
    tokens: i64,
    asked: (usize, bool, i64, i64),
    expires: DateTime<Utc>,
    state: State,
}

/// What the ledger is meant to do.
#[derive(Debug)]
struct Model {
    holds: BTreeMap<u8, Hold>,
    /// By period, member and kind.
    used: BTreeMap<(usize, usize, usize), i64>,
    caps: [Option<i64>; 2],
    /// By period.
    limits: Vec<[i64; 2]>,
    next_limits: [i64; 2],
    period: usize,
}

impl Model {
    fn used(&self, period: usize, who: Option<usize>, kind: usize) -> i64 {
        let of =
            |(p, w, k): &(usize, usize, usize)| *p == period && *k == kind && who.is_none_or(|who| who == *w);
        self.used.iter().filter(|(key, _)| of(key)).map(|(_, tokens)| tokens).sum()
    }

    fn held(&self, period: usize, who: Option<usize>, kind: usize) -> i64 {
        let of = |h: &&Hold| {
            h.period == period
                && h.kind == kind
                && h.state == State::Open
                && who.is_none_or(|who| who == h.who)
        };
        self.holds.values().filter(of).map(|hold| hold.tokens).sum()
    }

    /// The first limit in the way of so many more tokens.
    fn stopped_by(&self, period: usize, who: usize, kind: usize, tokens: i64) -> Option<LimitScope> {
        let taken = |who| self.used(period, who, kind) + self.held(period, who, kind);
        let cap = self.caps[who].filter(|_| kind == 0);
        if cap.is_some_and(|cap| taken(Some(who)) + tokens > cap) {
            return Some(LimitScope::Member);
        }
        (taken(None) + tokens > self.limits[period][kind]).then_some(LimitScope::Group)
    }

    fn expire(&mut self, now: DateTime<Utc>) {
        let latest = now + Duration::seconds(MAX_HOLD_SECONDS + TOLERANCE);
        for hold in self.holds.values_mut().filter(|hold| hold.state == State::Open) {
            if hold.expires <= now {
                hold.state = State::Expired;
            }
            hold.expires = hold.expires.min(latest);
        }
    }

    fn hold(
        &mut self,
        id: u8,
        asked: (usize, bool, i64, i64),
        now: DateTime<Utc>,
    ) -> Result<(), &'static str> {
        let (who, voice, tokens, expires_in) = asked;
        self.expire(now);
        if let Some(hold) = self.holds.get(&id) {
            return if hold.asked == asked { Ok(()) } else { Err("hold_mismatch") };
        }
        let (period, kind) = (self.period, usize::from(voice));
        match self.stopped_by(period, who, kind, tokens) {
            Some(LimitScope::Member) => Err("member"),
            Some(_) => Err("group"),
            None => {
                let expires = now + Duration::seconds(expires_in);
                self.holds.insert(id, Hold { period, who, kind, tokens, asked, expires, state: State::Open });
                Ok(())
            }
        }
    }

    fn settle(&mut self, id: u8, tokens: i64) -> Result<(), &'static str> {
        let hold = self.holds.get_mut(&id).ok_or("not_found")?;
        match hold.state {
            State::Settled(before) if before == tokens => return Ok(()),
            State::Settled(_) => return Err("hold_settled"),
            State::Released => return Err("hold_released"),
            State::Open | State::Expired => hold.state = State::Settled(tokens),
        }
        *self.used.entry((hold.period, hold.who, hold.kind)).or_default() += tokens;
        Ok(())
    }

    fn release(&mut self, id: u8) -> Result<(), &'static str> {
        let hold = self.holds.get_mut(&id).ok_or("not_found")?;
        if matches!(hold.state, State::Settled(_)) {
            return Err("hold_settled");
        }
        hold.state = State::Released;
        Ok(())
    }

    fn extend(
        &mut self,
        id: u8,
        tokens: i64,
        expires_in: i64,
        now: DateTime<Utc>,
    ) -> Result<(), &'static str> {
        self.expire(now);
        let hold = self.holds.get(&id).ok_or("not_found")?.clone();
        let has = match hold.state {
            State::Settled(_) => return Err("hold_settled"),
            State::Released => return Err("hold_released"),
            State::Open => hold.tokens,
            State::Expired => 0,
        };
        if tokens > has {
            match self.stopped_by(hold.period, hold.who, hold.kind, tokens - has) {
                Some(LimitScope::Member) => return Err("member"),
                Some(_) => return Err("group"),
                None => {}
            }
        }
        let expires = now + Duration::seconds(expires_in);
        self.holds.insert(id, Hold { tokens, expires, state: State::Open, ..hold });
        Ok(())
    }
}

/// The scope of a limit, or the code of any other refusal.
fn refusal(error: Error) -> &'static str {
    match error {
        Error::Refused(Refusal::LimitReached(reached)) => reached.limit.as_str(),
        Error::Refused(refusal) => refusal.code(),
        other => panic!("{other}"),
    }
}

async fn agrees(store: &Store, database: &Database, steps: Vec<Step>) {
    let seed = Seed::new(store).await;
    let (mut metering, mut task) = start(&seed);
    let callers = [Caller::from(&seed.admin), Caller::from(&seed.member)];
    let mut model = Model {
        holds: BTreeMap::new(),
        used: BTreeMap::new(),
        caps: [None; 2],
        limits: vec![LIMITS],
        next_limits: LIMITS,
        period: 0,
    };
    let mut period = seed.period;
    for (number, step) in steps.into_iter().enumerate() {
        let now = seed.clock.now();
        let shown = format!("step {number}, {step:?}");
        let (expected, given) = match step {
            Step::Hold { id, who, voice, tokens, expires_in } => {
                let usage_type = if voice { UsageType::Voice } else { UsageType::Llm };
                let input = HoldInput {
                    id: Some(id.to_string()),
                    usage_type,
                    tokens,
                    expires_in: Some(expires_in),
                    wait: None,
                };
                let given = metering.hold(&callers[who], input).await.map(|_| ());
                (model.hold(id, (who, voice, tokens, expires_in), now), given)
            }
            Step::Settle { id, tokens } => {
                let given = metering.settle(&callers[0], &id.to_string(), Settlement::of(tokens)).await;
                (model.settle(id, tokens), given.map(|_| ()))
            }
            Step::Release { id } => {
                (model.release(id), metering.release(&callers[0], &id.to_string()).await.map(|_| ()))
            }
            Step::Extend { id, tokens, expires_in } => {
                let extension = Extension { tokens: Some(tokens), expires_in: Some(expires_in) };
                let given = metering.extend(&callers[0], &id.to_string(), extension).await.map(|_| ());
                (model.extend(id, tokens, expires_in, now), given)
            }
            Step::Record { who, voice, tokens } => {
                let usage_type = if voice { UsageType::Voice } else { UsageType::Llm };
                let events = vec![event(&format!("event-{number}"), usage_type, tokens)];
                let given = metering.record(callers[who].clone(), events).await.map(|_| ());
                *model.used.entry((model.period, who, usize::from(voice))).or_default() += tokens;
                (Ok(()), given)
            }
            Step::Cap { who, llm } => {
                let caps = Caps { llm, voice: None };
                let given =
                    metering.set_member_caps(&seed.admin, callers[who].user.id, caps).await.map(|_| ());
                model.caps[who] = llm;
                (Ok(()), given)
            }
            Step::Limits { llm, voice } => {
                seed.change_limits(Some(llm), Some(voice)).await;
                model.next_limits = [llm, voice];
                (Ok(()), Ok(()))
            }
            Step::Advance { seconds } => {
                // Not over the period's end: that is a step of its own.
                let left = (period.end - now).num_seconds() - 1;
                seed.clock.advance(Duration::seconds(seconds.min(left).max(0)));
                (Ok(()), Ok(()))
            }
            Step::SetBack { seconds } => {
                let left = (now - period.start).num_seconds() - 1;
                seed.clock.advance(-Duration::seconds(seconds.min(left).max(0)));
                (Ok(()), Ok(()))
            }
            Step::Expire => {
                model.expire(now);
                (Ok(()), metering.free_due_holds().await)
            }
            Step::Crash => {
                task.abort();
                (metering, task) = start(&seed);
                (Ok(()), Ok(()))
            }
            Step::NextPeriod => {
                period = Period { start: period.end, end: period.end + Duration::days(30) };
                seed.clock.advance(period.start - now + Duration::seconds(5_100));
                seed.stripe_says(Status::Active, period).await;
                model.period += 1;
                model.limits.push(model.next_limits);
                (Ok(()), Ok(()))
            }
        };
        assert_eq!(given.map_err(refusal), expected, "{shown}");
        check(&seed, &metering, &model, &shown).await;
    }
    assert_sums_agree(database).await;
    metering.stop().await;
}

fn start(seed: &Seed) -> (Metering, JoinHandle<()>) {
    let (metering, task) = Metering::new(seed.store.clone(), seed.clock.clone(), GRACE_DAYS);
    (metering, tokio::spawn(task.run()))
}

/// What the group and its member are shown is what the model says.
async fn check(seed: &Seed, metering: &Metering, model: &Model, step: &str) {
    let usage = metering.usage(&seed.member).await.expect("a usage");
    let you = usage.you.expect("a member's part");
    for (kind, usage_type) in UsageType::ALL.into_iter().enumerate() {
        let (resource, part) = (usage.resources[usage_type], you[usage_type]);
        let expected = (model.used(model.period, None, kind), model.held(model.period, None, kind));
        assert_eq!((resource.used, resource.held), expected, "the group's {usage_type} after {step}");
        let expected = (model.used(model.period, Some(1), kind), model.held(model.period, Some(1), kind));
        assert_eq!((part.used, part.held), expected, "the member's {usage_type} after {step}");
    }
}

#[test]
fn any_sequence_of_holds_agrees_with_the_model() {
    let cases = std::env::var("TOLLGATE_TEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24);
    each_store_holds(cases, prop::collection::vec(step(), 1..120), agrees);
}
