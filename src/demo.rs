//! The demo data: two groups, three plans, a subscription with a history.
//!
//! Everything goes the way it goes for a customer (the catalogue makes prices at the sandbox, the ledger's
//! writer records the events), so that the demo shows nothing the product can't do.

use anyhow::Context;
use chrono::{DateTime, Datelike, Duration, Months, NaiveTime, Utc};

use crate::accounts::{DEMO_ACCOUNTS, DEMO_PASSWORD, DemoAccount};
use crate::billing::DemoTerms;
use crate::clock::Clock;
use crate::domain::{
    EventInput, MAX_BATCH, OverageInput, PackageInput, Period, Plan, PlanInput, Subscription, UsageType, User,
};
use crate::metering::Metering;
use crate::services::Services;
use crate::storage::{DemoClaim, Opened};

/// What Acme has used: the current period, then earlier ones, newest first. LLM tokens, voice tokens.
const CURRENT: (i64, i64) = (75_234, 42_891);
const EARLIER: [(i64, i64); 3] = [(88_140, 47_905), (70_455, 39_120), (61_870, 28_412)];

/// Days left of Acme's current period.
const DAYS_LEFT: i64 = 12;

/// How long a process may take over one part before another takes the loading over.
const CLAIM: Duration = Duration::seconds(15);
/// Before looking again whether another process is done.
const RECHECK: std::time::Duration = std::time::Duration::from_millis(200);

/// Loads the demo data into an unused database. Does nothing to any other. A process that is killed over it leaves a
/// part, which the next one completes; of two at once, one waits.
///
/// # Errors
/// Whatever kept a part of it from being made; the text says which part.
pub async fn load(services: &Services) -> anyhow::Result<()> {
    loop {
        let now = services.clock.now();
        match services.store.claim_demo_load(now, now + CLAIM).await? {
            DemoClaim::NotNeeded => return Ok(()),
            DemoClaim::Busy => tokio::time::sleep(RECHECK).await,
            DemoClaim::Claimed => break,
        }
    }
    let [acme, member, second, newco, newcomer, superadmin] = &DEMO_ACCOUNTS;
    let superadmin = create(services, superadmin).await?;
    let acme = create(services, acme).await?;
    let (member, second) = (create(services, member).await?, create(services, second).await?);
    create(services, newco).await?;
    create(services, newcomer).await?;
    extend_claim(services).await?;
    let basic = plans(services, &superadmin).await.context("the demo's plans")?;
    extend_claim(services).await?;
    let subscription = subscribe(services, &acme, &basic).await.context("the demo's subscription")?;
    extend_claim(services).await?;
    usage(services, &acme, &[acme.clone(), member, second], &subscription)
        .await
        .context("the demo's usage")?;
    Ok(services.store.extend_demo_load(services.clock.now(), true).await?)
}

async fn extend_claim(services: &Services) -> anyhow::Result<()> {
    Ok(services.store.extend_demo_load(services.clock.now() + CLAIM, false).await?)
}

async fn create(services: &Services, account: &DemoAccount) -> anyhow::Result<User> {
    let DemoAccount { email, name, role, group, .. } = *account;
    if let Some(made) = services.store.credentials(email).await? {
        return Ok(made.user);
    }
    services
        .accounts
        .create_user(email, Some(name), DEMO_PASSWORD.into(), role, group)
        .await
        .context("the demo's accounts")
}

/// Makes the three plans; gives the cheapest.
async fn plans(services: &Services, superadmin: &User) -> anyhow::Result<Plan> {
    let package = |price: &str| Some(PackageInput { per: 1_000, price: price.into() });
    let plan = |name: &str,
                description: &str,
                price: &str,
                llm,
                voice,
                users,
                beyond: [&str; 2],
                features: &[&str]| PlanInput {
        name: name.into(),
        description: description.into(),
        price: price.into(),
        currency: "usd".into(),
        interval: "month".into(),
        trial_days: 0,
        llm_tokens_limit: Some(llm),
        voice_tokens_limit: Some(voice),
        max_users: Some(users),
        overage: Some(OverageInput { llm: package(beyond[0]), voice: package(beyond[1]) }),
        features: features.iter().map(|line| (*line).to_owned()).collect(),
        stripe_price_id: None,
    };
    let basic = plan(
        "Basic",
        "For a team that is starting out.",
        "29.99",
        100_000,
        50_000,
        10,
        ["0.40", "0.80"],
        &["Shared allowance", "Usage dashboard", "E-mail support"],
    );
    let pro = plan(
        "Pro",
        "For a team that works with it every day.",
        "79.99",
        500_000,
        250_000,
        50,
        ["0.20", "0.40"],
        &["Everything in Basic", "Five times the tokens", "Priority support"],
    );
    let scale = plan(
        "Scale",
        "For a company that builds on it.",
        "249.00",
        2_500_000,
        1_000_000,
        250,
        ["0.12", "0.25"],
        &["Everything in Pro", "Room for many teams", "A named contact"],
    );
    let made = services.billing.plans(true).await?;
    let mut cheapest = None;
    for input in [basic, pro, scale] {
        let plan = match made.iter().find(|plan| plan.name == input.name) {
            Some(plan) => plan.clone(),
            None => services.billing.create_plan(superadmin, input).await?,
        };
        cheapest.get_or_insert(plan);
    }
    cheapest.context("there are three")
}

async fn subscribe(services: &Services, admin: &User, plan: &Plan) -> anyhow::Result<Subscription> {
    if let Some(made) = services.billing.subscription(admin).await? {
        return Ok(made);
    }
    let period_end = services.clock.now() + Duration::days(DAYS_LEFT);
    let months = Months::new(EARLIER.len() as u32 + 1);
    let began = period_end.checked_sub_months(months).context("the calendar has no such day")?;
    let terms = DemoTerms { began, period_end };
    Ok(services.billing.subscribe_in_the_past(admin, plan, terms, "pm_card_visa").await?)
}

/// Records the usage of the current period and the earlier ones, spread over their days and the users.
async fn usage(
    services: &Services,
    admin: &User,
    users: &[User],
    subscription: &Subscription,
) -> anyhow::Result<()> {
    // When the subscription was made: a load that goes on after a kill records the same events again.
    let now = subscription.current_period_end - Duration::days(DAYS_LEFT);
    let start = subscription.current_period_start;
    record(&services.metering, admin, users, "now", start, now, CURRENT).await?;
    let mut end = start;
    for (index, tokens) in EARLIER.into_iter().enumerate() {
        let start = end.checked_sub_months(Months::new(1)).context("the calendar has no such day")?;
        let mut tx = services.store.begin().await?;
        let period = Period { start, end };
        tx.open_period(subscription.group_id, subscription.id, period, Opened::ByStripe, now).await?;
        tx.commit().await?;
        // A writer whose clock stands in that period: its events are then no older than any may be.
        let then = Metering::start(services.store.clone(), Clock::manual(end), services.config.grace_days);
        let recorded = record(&then, admin, users, &format!("ago-{}", index + 1), start, end, tokens).await;
        then.stop().await;
        recorded?;
        end = start;
    }
    Ok(())
}

/// The models that the demo's tokens went to, and how many of ten events each has.
const LLM_MODELS: [(&str, u64); 3] = [("gpt-5-mini", 6), ("gpt-5", 3), ("demo-chat", 1)];
const VOICE_MODELS: [(&str, u64); 2] = [("whisper-1", 7), ("tts-1", 3)];

/// Hours of a day (UTC) at which there is an event of each kind, on days when people work and on others.
const BUSY: [i64; 5] = [8, 10, 13, 15, 17];
const QUIET: [i64; 1] = [11];

async fn record(
    metering: &Metering,
    admin: &User,
    users: &[User],
    name: &str,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    (llm, voice): (i64, i64),
) -> anyhow::Result<()> {
    let times = times(start, end);
    let mut events = Vec::new();
    let kinds = [(UsageType::Llm, llm, &LLM_MODELS[..]), (UsageType::Voice, voice, &VOICE_MODELS[..])];
    for (usage_type, total, models) in kinds {
        let parts = spread(total, times.len(), usage_type as u64 * 7);
        for (index, (at, tokens_used)) in times.iter().zip(parts).enumerate() {
            let chance = mixed(index as u64 * 2 + u64::from(usage_type == UsageType::Voice));
            events.push(EventInput {
                id: format!("demo-{name}-{usage_type}-{index}"),
                usage_type,
                tokens_used,
                // Some use more than others.
                user_id: Some(users[[0, 0, 0, 1, 1, 2][(chance % 6) as usize]].id),
                model: Some(chosen(models, chance / 6 % 10).into()),
                created_at: Some(*at),
                metadata: None,
                details: None,
                estimated: false,
            });
        }
    }
    for batch in events.chunks(MAX_BATCH) {
        metering.record(admin, batch.to_vec()).await?;
    }
    Ok(())
}

/// When something is used: on each day of the period at a few hours, more of them where it isn't a week's end.
fn times(start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let days = start.date_naive().iter_days().take_while(|day| *day <= end.date_naive());
    let times = days.flat_map(|day| {
        let hours = if day.weekday().number_from_monday() > 5 { &QUIET[..] } else { &BUSY[..] };
        let spread = mixed(day.num_days_from_ce().unsigned_abs().into());
        hours.iter().map(move |hour| {
            let minute = (spread + *hour as u64 * 13) % 60;
            day.and_time(NaiveTime::MIN).and_utc() + Duration::hours(*hour) + Duration::minutes(minute as i64)
        })
    });
    times.filter(|at| start <= *at && *at < end).collect()
}

/// Parts that look like a month's work, uneven, and add up to `total` exactly.
fn spread(total: i64, count: usize, seed: u64) -> Vec<i64> {
    let weight = |index| 4 + (mixed(index as u64 + seed) % 12) as i64;
    let weights: Vec<i64> = (0..count).map(weight).collect();
    let sum: i64 = weights.iter().sum::<i64>().max(1);
    let mut parts: Vec<i64> = weights.iter().map(|weight| total * weight / sum).collect();
    let rest = total - parts.iter().sum::<i64>();
    if let Some(first) = parts.first_mut() {
        *first += rest;
    }
    parts
}

/// The model that comes up at `place` of ten.
fn chosen(models: &[(&'static str, u64)], mut place: u64) -> &'static str {
    for (model, share) in models {
        if place < *share {
            return model;
        }
        place -= share;
    }
    models[0].0
}

/// A number that looks random and is the same each time: Knuth's multiplicative hash.
fn mixed(seed: u64) -> u64 {
    ((seed + 1).wrapping_mul(2_654_435_761) % (1 << 32)) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_add_up() {
        for (llm, voice) in EARLIER.into_iter().chain([CURRENT]) {
            for total in [llm, voice] {
                let parts = spread(total, 100, 7);
                assert_eq!(parts.iter().sum::<i64>(), total);
                assert!(parts.iter().all(|part| *part > 0));
            }
        }
    }
}
