//! What everybody sees is what Stripe shows.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Months, Utc};
use serde_json::{Value, json};
use tollgate::domain::Status;

use super::history::{History, id_of, is_over, time};
use crate::billing_life::{CHECK, USAGE};
use crate::support::app::MY_SUBSCRIPTION;
use crate::support::seed;

/// The longest billing period whose tokens aren't renewed in the midst of it.
const MONTH: Duration = Duration::days(31);

/// A billing period as Stripe showed it.
struct Billed {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    anchor: DateTime<Utc>,
    /// Whether its tokens are renewed in the midst of it, however early it ended.
    is_long: bool,
}

impl Billed {
    /// When the usage periods in it begin.
    fn months(&self) -> BTreeSet<DateTime<Utc>> {
        let mut starts = BTreeSet::from([self.start]);
        if self.is_long {
            let counted = (0..24).flat_map(|months| {
                let months = Months::new(months);
                [self.anchor + months, self.anchor - months]
            });
            starts.extend(counted.filter(|month| self.start < *month && *month < self.end));
        }
        starts
    }
}

pub fn same(what: &str, seen: &Value, expected: &Value) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{what}: {seen}, and at Stripe {expected}")) }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The price that its schedule has begin with the next period, where that is another.
fn next_price(subscription: &Value) -> Option<&Value> {
    let (schedule, current) = (&subscription["schedule"], &subscription["items"]["data"][0]["price"]["id"]);
    let phases = schedule["phases"].as_array()?;
    let next = phases.iter().find(|phase| phase["start_date"] == schedule["current_phase"]["end_date"])?;
    Some(&next["items"][0]["price"]).filter(|price| *price != current)
}

impl History<'_> {
    /// # Errors
    /// What isn't the same, in words.
    pub async fn agrees(&self) -> Result<(), String> {
        let found = self.at_stripe().await;
        let going: Vec<&Value> = found.iter().filter(|one| !is_over(one)).collect();
        match going.as_slice() {
            [] => self.has_nothing().await?,
            [live] => self.has(live).await?,
            more => return Err(format!("{} live subscriptions at Stripe", more.len())),
        }
        self.periods_agree(&found).await
    }

    async fn has_nothing(&self) -> Result<(), String> {
        let seen = self.admin.get(MY_SUBSCRIPTION).await.body;
        same("no subscription", &seen["code"], &json!("no_subscription"))?;
        let allowed = self.admin.get(CHECK).await.body["allowed"]["llm"] == true;
        same("no access", &json!(allowed), &json!(false))
    }

    async fn has(&self, live: &Value) -> Result<(), String> {
        let seen = self.admin.get(MY_SUBSCRIPTION).await.body;
        let now = self.stage().clock.now();
        let item = &live["items"]["data"][0];
        let (start, end) = (time(&item["current_period_start"]), time(&item["current_period_end"]));
        let plan = self.world.plan_of(&item["price"]["id"]).ok_or("a price of no plan")?;
        let next = next_price(live).and_then(|price| self.world.plan_of(price));
        let expected = json!([
            live["id"],
            live["status"],
            live["cancel_at_period_end"],
            text(start),
            text(end),
            live["trial_end"].as_i64().map(|_| text(time(&live["trial_end"]))),
            plan["name"],
            next.map(|plan| &plan["name"]),
        ]);
        let shown = json!([
            seen["stripe_subscription_id"],
            seen["status"],
            seen["cancel_at_period_end"],
            seen["current_period_start"],
            seen["current_period_end"],
            seen["trial_end"],
            seen["plan"]["name"],
            seen["next_plan"]["name"],
        ]);
        same("the subscription", &shown, &expected)?;
        let row = self.live().await.ok_or("no row")?;
        let access = row.status.gives_access(row.past_due_since, None, seed::GRACE_DAYS, now);
        let allowed = self.admin.get(CHECK).await.body["allowed"]["llm"] == true;
        same("access", &json!(allowed), &json!(access))?;
        if access {
            let limit = self.admin.get(USAGE).await.body["llm"]["limit"].clone();
            same("the limit", &limit, &plan["llm_tokens_limit"])?;
        }
        if row.status == Status::PastDue {
            let since = row.past_due_since.ok_or("no begin of the days of grace")?;
            let late = self.snapshots(live).find(|shown| shown.1["status"] == "past_due");
            let first = late.map(|shown| shown.0).ok_or("Stripe never said that it is past due")?;
            same("the days of grace", &json!(since >= first && since <= now), &json!(true))?;
        }
        Ok(())
    }

    /// How Stripe showed a subscription in its events, oldest first, and when.
    fn snapshots(&self, subscription: &Value) -> impl Iterator<Item = (DateTime<Utc>, &Value)> {
        let id = id_of(subscription).to_owned();
        self.told
            .iter()
            .map(|event| (event, &event["data"]["object"]))
            .filter(move |(_, object)| object["object"] == "subscription" && object["id"] == id)
            .map(|(event, object)| (time(&event["created"]), object))
    }

    async fn periods_agree(&self, found: &[Value]) -> Result<(), String> {
        let mut expected = BTreeSet::new();
        for subscription in found {
            expected.extend(self.starts(subscription));
        }
        let mut periods = self.stage().periods(&self.admin).await;
        periods.sort();
        let mut starts: BTreeSet<_> = periods.iter().map(|period| period.0).collect();
        // One that was ended at the moment it began may be followed by another's, which begins then.
        let lasting: Vec<_> =
            periods.iter().filter(|period| period.0 < period.1).map(|period| period.0).collect();
        let distinct: BTreeSet<_> = lasting.iter().collect();
        same("periods each with a start of its own", &json!(lasting.len()), &json!(distinct.len()))?;
        // One that ended at the moment a period of it began, if that was noticed later, has had the period and hasn't.
        let ends: Vec<_> = found.iter().filter(|one| one["ended_at"].is_i64()).collect();
        for end in ends.iter().map(|one| time(&one["ended_at"])) {
            starts.remove(&end);
            expected.remove(&end);
        }
        // What was spent before it was known that the subscription had ended, or was paused, is in a month that only the
        // calendar began.
        let ended = ends.iter().map(|one| time(&one["ended_at"]));
        let paused =
            found.iter().flat_map(|one| self.snapshots(one)).filter(|shown| shown.1["status"] == "paused");
        let first_end = ended.chain(paused.map(|shown| time(&shown.1["trial_end"]))).min();
        for (start, _, used) in &periods {
            if *used > 0 && first_end.is_some_and(|end| end <= *start) && !expected.contains(start) {
                starts.remove(start);
            }
        }
        let known = json!(expected);
        same("the periods", &json!(starts), &known)?;
        let apart = periods.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        same("periods that don't overlap", &json!(apart), &json!(true))
    }

    /// When the usage periods of a subscription began, by the billing periods that Stripe ever showed.
    fn starts(&self, subscription: &Value) -> BTreeSet<DateTime<Utc>> {
        let mut billed: Vec<Billed> = Vec::new();
        let last = (self.stage().clock.now(), subscription);
        for (_, shown) in self.snapshots(subscription).chain([last]) {
            if ["incomplete", "incomplete_expired"].contains(&shown["status"].as_str().expect("a status")) {
                continue;
            }
            let item = &shown["items"]["data"][0];
            let start = time(&item["current_period_start"]);
            // What is known of a period is what was said of it last; one that begins cuts short the one before.
            billed.retain(|before| before.start < start);
            if let Some(before) = billed.last_mut() {
                before.end = before.end.min(start);
            }
            let (end, anchor) = (time(&item["current_period_end"]), time(&shown["billing_cycle_anchor"]));
            billed.push(Billed { start, end, anchor, is_long: end - start > MONTH });
        }
        let now = self.stage().clock.now();
        let until = subscription["ended_at"].as_i64().map_or(now, |_| time(&subscription["ended_at"]));
        let first = billed.first().map(|first| first.start);
        let mut starts: BTreeSet<_> = billed.iter().flat_map(Billed::months).collect();
        // The first begins in any case; those after it where they did before the subscription ended.
        starts.retain(|start| Some(*start) == first || *start <= until);
        starts
    }
}
