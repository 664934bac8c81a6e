//! Numbers within their bounds.

use serde_json::{Map, Value};

/// The smallest allowed one from 1 on, and `variant` steps further; or one near the largest allowed, if all are smaller.
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
            None => (least < most).then(|| f64::midpoint(least, most)),
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
    let (lowest, highest) = ((least.max(step.min(1.0)) / step).ceil(), (most / step).floor());
    // Two more than `variant`, for bounds that are excluded themselves.
    let steps = || (0..variant + 3).map(|at| at as f64);
    let upwards = steps().map(|at| lowest + at);
    let downwards = steps().map(|at| highest - at);
    let found: Vec<f64> =
        upwards.chain(downwards).map(|at| at * step).filter(|value| !excluded(*value)).collect();
    found.get(variant).or(found.last()).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{integer, number};

    #[test]
    fn numbers_keep_to_their_bounds() {
        for (schema, expected) in [
            (json!({}), Some(1)),
            (json!({ "minimum": 0 }), Some(1)),
            (json!({ "minimum": 7, "exclusiveMinimum": 7 }), Some(8)),
            (json!({ "maximum": -4 }), Some(-4)),
            (json!({ "exclusiveMaximum": -4 }), Some(-5)),
            (json!({ "minimum": 0, "maximum": 3, "multipleOf": 5 }), Some(0)),
            (json!({ "minimum": 18, "multipleOf": 5 }), Some(20)),
            (json!({ "minimum": 2, "maximum": 1 }), None),
        ] {
            let Value::Object(schema) = schema else { unreachable!() };
            assert_eq!(integer(&schema, 0), expected, "{schema:?}");
            assert_eq!(number(&schema, 0).is_some(), expected.is_some(), "{schema:?}");
        }
    }
}
