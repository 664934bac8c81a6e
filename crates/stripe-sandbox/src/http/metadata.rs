//! Taking over into an object what a request gives.

use serde_json::{Map, Value, json};

/// Takes a field over if it was given.
pub(crate) fn set(object: &mut Value, params: &Value, field: &str) {
    if let Some(value) = params.get(field) {
        object[field] = value.clone();
    }
}

/// What was given for a field, or the default where nothing was, or null.
pub(crate) fn given(params: &Value, field: &str, default: Value) -> Value {
    params.get(field).filter(|value| !value.is_null()).cloned().unwrap_or(default)
}

/// The metadata after a change: keys with an empty text go, others come or change, null clears it all.
pub(crate) fn merge_metadata(object: &mut Value, params: &Value) {
    match params.get("metadata") {
        Some(Value::Object(given)) => {
            let mut merged = object["metadata"].as_object().cloned().unwrap_or_default();
            for (key, value) in given {
                if value == "" {
                    merged.remove(key);
                } else {
                    merged.insert(key.clone(), value.clone());
                }
            }
            object["metadata"] = Value::Object(merged);
        }
        Some(_) => object["metadata"] = json!({}),
        None => {}
    }
}

/// The metadata of a new object.
pub(crate) fn new_metadata(params: &Value) -> Value {
    let mut object = json!({"metadata": Map::new()});
    merge_metadata(&mut object, params);
    object["metadata"].take()
}
