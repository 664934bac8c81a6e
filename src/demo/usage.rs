//! What the demo's companies use.

use chrono::{DateTime, Datelike, Duration, NaiveTime, Utc};

use super::companies::Company;
use crate::domain::{EventInput, MAX_BATCH, PerType, Period, UsageType, User};
use crate::error::Result;
use crate::metering::Metering;

/// The models that the demo's tokens went to, and how many of ten events each has.
const LLM_MODELS: [(&str, u64); 3] = [("gpt-5-mini", 6), ("gpt-5", 3), ("demo-chat", 1)];
const VOICE_MODELS: [(&str, u64); 2] = [("whisper-1", 7), ("tts-1", 3)];

/// Hours of a day (UTC) at which there is an event of each kind, on days when people work and on others.
const BUSY: [i64; 5] = [8, 10, 13, 15, 17];
const QUIET: [i64; 1] = [11];

/// What is used in a period, and by whom.
pub(super) struct Spending<'a> {
    pub(super) users: &'a [User],
    pub(super) until: DateTime<Utc>,
    pub(super) used: PerType<i64>,
    /// One of how many times of the period has an event.
    pub(super) every: usize,
}

impl Spending<'_> {
    /// The events of the period that began at `start`, spread over its days and the users; the same each time.
    pub(super) fn events(&self, start: DateTime<Utc>) -> Vec<EventInput> {
        let times: Vec<_> = times(start, self.until).into_iter().step_by(self.every).collect();
        let mut events = Vec::with_capacity(times.len() * 2);
        let kinds = [(UsageType::Llm, &LLM_MODELS[..]), (UsageType::Voice, &VOICE_MODELS[..])];
        for (usage_type, models) in kinds {
            let parts = spread(self.used[usage_type], times.len(), usage_type as u64 * 7);
            for (index, (at, tokens_used)) in times.iter().zip(parts).enumerate() {
                let chance = mixed(index as u64 * 2 + u64::from(usage_type == UsageType::Voice));
                events.push(EventInput {
                    id: format!("demo-{}-{usage_type}-{index}", start.timestamp()),
                    usage_type,
                    tokens_used,
                    user_id: Some(self.user(chance as usize).id),
                    model: Some(chosen(models, chance / 6 % 10).into()),
                    created_at: Some(*at),
                    metadata: None,
                    details: None,
                    estimated: false,
                });
            }
        }
        events.retain(|event| event.tokens_used > 0);
        events
    }

    /// The earlier one stands among them, the more one uses.
    fn user(&self, chance: usize) -> &User {
        let count = self.users.len();
        &self.users[(chance % count).min(chance / 7 % count)]
    }
}

pub(super) async fn record(metering: &Metering, admin: &User, events: Vec<EventInput>) -> Result<()> {
    for batch in events.chunks(MAX_BATCH) {
        metering.record(admin, batch.to_vec()).await?;
    }
    Ok(())
}

/// What a company has used by `at` of the period that runs, `months` after it joined: more from month to month, and in
/// no month the same.
pub(super) fn of_period(
    company: &Company,
    period: Period,
    limits: PerType<Option<i64>>,
    at: DateTime<Utc>,
    months: f64,
) -> PerType<i64> {
    let whole = (period.end - period.start).num_seconds().max(1) as f64;
    let elapsed = ((at - period.start).num_seconds() as f64 / whole).clamp(0.0, 1.0);
    let grown = 1.0 - 0.45 * (-months / 4.0).exp();
    let chance = mixed(company.joined.unsigned_abs() + at.timestamp().unsigned_abs() / 86_400) % 100;
    let uneven = 0.92 + 0.12 * chance as f64 / 100.0;
    let part = |percent: i64, limit: Option<i64>| {
        (limit.unwrap_or_default() as f64 * percent as f64 / 100.0 * elapsed * grown * uneven) as i64
    };
    PerType { llm: part(company.uses.0, limits.llm), voice: part(company.uses.1, limits.voice) }
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
        for total in [61_870, 47_905, 75_234] {
            let parts = spread(total, 100, 7);
            assert_eq!(parts.iter().sum::<i64>(), total);
            assert!(parts.iter().all(|part| *part > 0));
        }
    }
}
