//! Numbers within their bounds.

use serde_json::{Map, Value};

/// The smallest allowed one from 1 on, and `variant` steps further; or the largest allowed, if all are smaller.
pub fn integer(schema: &Map<String, Value>, variant: usize) -> Option<i64> {
    let value = find(schema, variant, 1.0)?;
    // Whole by construction, and no float beyond i64's range is asked for in earnest.
    Some(value as i64)
}

/// Like `integer`, without being whole if the bounds leave no whole one.
pub fn number(schema: &Map<String, Value>, variant: usize) -> Option<f64> {
    find(schema, variant, 1.0).or_else(|| {
        let (least, most) = bounds(schema);
        let step = schema.get("multipleOf").and_then(Value::as_f64);
        match step {
            Some(step) => find(schema, variant, step),
            None => Some(f64::midpoint(least, most)),
        }
    })
}

fn bounds(schema: &Map<String, Value>) -> (f64, f64) {
    let bound = |key| schema.get(key).and_then(Value::as_f64);
    let least = bound("minimum").into_iter().chain(bound("exclusiveMinimum")).fold(f64::MIN, f64::max);
    let most = bound("maximum").into_iter().chain(bound("exclusiveMaximum")).fold(f64::MAX, f64::min);
    (least, most)
}

/// A multiple of `grid`, and of the schema's own step.
fn find(schema: &Map<String, Value>, variant: usize, grid: f64) -> Option<f64> {
    let (least, most) = bounds(schema);
    let step = match schema.get("multipleOf").and_then(Value::as_f64) {
        Some(step) if step > 0.0 && (step / grid).fract() == 0.0 => step,
        Some(step) if grid > step && (grid / step).fract() == 0.0 => grid,
        Some(_) => return None,
        None => grid,
    };
    let excluded = |value: f64| {
        let is = |key| schema.get(key).and_then(Value::as_f64) == Some(value);
        is("exclusiveMinimum") || is("exclusiveMaximum") || value < least || value > most
    };
    let from =
        if most < 1.0 { (most / step).floor() - 1.0 } else { (least.max(step.min(1.0)) / step).ceil() };
    // Two more than `variant`, for bounds that are excluded themselves.
    let found: Vec<f64> =
        (0..variant + 3).map(|at| (from + at as f64) * step).filter(|value| !excluded(*value)).collect();
    found.get(variant).or(found.last()).copied()
}
