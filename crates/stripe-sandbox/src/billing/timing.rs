//! When a new subscription starts, is billed, and whether its first period is paid for.

use serde_json::Value;

use super::Interval;
use crate::engine::ApiError;

const DAY: i64 = 86_400;
/// The longest trial Stripe allows.
const MAX_TRIAL_DAYS: i64 = 730;

/// The times of a new subscription, in Unix seconds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) start_date: i64,
    pub(super) anchor: i64,
    pub(super) period: (i64, i64),
    pub(super) trial: Option<(i64, i64)>,
    /// Whether the first period is charged for.
    pub(super) charged: bool,
}

/// Reads `trial_end`, `trial_period_days`, `billing_cycle_anchor`, `backdate_start_date` and
/// `proration_behavior`.
///
/// # Errors
/// If they contradict each other, lie where they mustn't, or ask for a prorated first period.
pub(super) fn of(params: &Value, now: i64, interval: Interval) -> Result<Timing, ApiError> {
    let prorated = params["proration_behavior"].as_str().unwrap_or("create_prorations") != "none";
    let anchor = params["billing_cycle_anchor"].as_i64();
    let backdated = params["backdate_start_date"].as_i64();
    if let Some(end) = trial_end(params, now)? {
        for param in ["billing_cycle_anchor", "backdate_start_date"] {
            if !params[param].is_null() {
                return Err(unsupported(param, "together with a trial"));
            }
        }
        return Ok(Timing {
            start_date: now,
            anchor: end,
            period: (now, end),
            trial: Some((now, end)),
            charged: false,
        });
    }
    if backdated.is_some_and(|start| start > now) {
        let message = "`backdate_start_date` must be in the past.";
        return Err(ApiError::invalid(message).param("backdate_start_date"));
    }
    let Some(anchor) = anchor else {
        if backdated.is_some() {
            let how = "without a `billing_cycle_anchor` in the future";
            return Err(unsupported("backdate_start_date", how));
        }
        let period = (now, interval.nth(now, 1));
        return Ok(Timing { start_date: now, anchor: now, period, trial: None, charged: true });
    };
    if anchor <= now {
        let message = "`billing_cycle_anchor` cannot be in the past.";
        return Err(ApiError::invalid(message).param("billing_cycle_anchor"));
    }
    if anchor > interval.nth(now, 1) {
        let message = format!(
            "`billing_cycle_anchor` cannot be later than next natural billing date ({}) for plan.",
            interval.nth(now, 1)
        );
        return Err(ApiError::invalid(message).param("billing_cycle_anchor"));
    }
    if prorated {
        return Err(unsupported("billing_cycle_anchor", "with a `proration_behavior` other than `none`"));
    }
    let start_date = backdated.unwrap_or(now);
    // Of a start long ago only the interval that the anchor ends is the current one.
    let period = (start_date.max(interval.nth(anchor, -1)), anchor);
    Ok(Timing { start_date, anchor, period, trial: None, charged: false })
}

fn trial_end(params: &Value, now: i64) -> Result<Option<i64>, ApiError> {
    let (end, days) = (&params["trial_end"], params["trial_period_days"].as_i64());
    if !end.is_null() && days.is_some() {
        let message = "You may only specify one of these parameters: trial_end, trial_period_days.";
        return Err(ApiError::invalid(message).param("trial_period_days"));
    }
    match (end.as_i64(), days) {
        (Some(end), _) if end <= now => {
            let message = "Invalid timestamp: must be an integer Unix timestamp in the future.";
            Err(ApiError::invalid(message).param("trial_end"))
        }
        (Some(end), _) if end > now + MAX_TRIAL_DAYS * DAY => {
            let message = "Invalid timestamp: can be no more than two years in the future.";
            Err(ApiError::invalid(message).param("trial_end"))
        }
        (Some(end), _) => Ok(Some(end)),
        (None, Some(days)) if !(0..=MAX_TRIAL_DAYS).contains(&days) => {
            let message = format!("`trial_period_days` must be between 0 and {MAX_TRIAL_DAYS}.");
            Err(ApiError::invalid(message).param("trial_period_days"))
        }
        // No days, or `trial_end=now`: no trial.
        (None, days) => Ok(days.filter(|days| *days > 0).map(|days| now + days * DAY)),
    }
}

fn unsupported(param: &str, how: &str) -> ApiError {
    ApiError::invalid(format!("The Stripe sandbox does not support `{param}` {how}.")).param(param)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn month() -> Interval {
        Interval::of(&json!({"interval": "month", "interval_count": 1}))
    }

    #[test]
    fn without_anything_it_starts_and_is_charged_now() {
        let timing = of(&json!({}), NOW, month()).unwrap();
        assert_eq!((timing.start_date, timing.anchor, timing.charged), (NOW, NOW, true));
        assert_eq!(timing.period, (NOW, month().nth(NOW, 1)));
    }

    #[test]
    fn a_backdated_one_is_in_the_interval_that_its_anchor_ends() {
        let (anchor, start) = (NOW + 10 * DAY, NOW - 100 * DAY);
        let params = json!({"backdate_start_date": start, "billing_cycle_anchor": anchor, "proration_behavior": "none"});
        let timing = of(&params, NOW, month()).unwrap();
        assert_eq!((timing.start_date, timing.anchor, timing.charged), (start, anchor, false));
        assert_eq!(timing.period, (month().nth(anchor, -1), anchor));
    }

    #[test]
    fn what_can_not_be_is_refused() {
        for params in [
            json!({"trial_end": NOW - 1}),
            json!({"trial_end": NOW + 1, "trial_period_days": 3}),
            json!({"trial_period_days": 731}),
            json!({"billing_cycle_anchor": NOW - 1}),
            json!({"billing_cycle_anchor": NOW + 40 * DAY, "proration_behavior": "none"}),
            json!({"billing_cycle_anchor": NOW + DAY}),
            json!({"backdate_start_date": NOW + DAY}),
            json!({"backdate_start_date": NOW - DAY}),
        ] {
            assert!(of(&params, NOW, month()).is_err(), "{params}");
        }
    }
}
