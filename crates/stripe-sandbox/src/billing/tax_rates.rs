//! Tax rates, as what they are on shows them.

use serde_json::Value;

use crate::engine::{ApiError, Kind, Tx};

/// The tax rates with these ids, as the API shows them.
///
/// # Errors
/// If one of them isn't there, or is archived.
pub(crate) fn of(tx: &Tx, ids: &Value, param: &str) -> Result<Vec<Value>, ApiError> {
    let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
    ids.enumerate()
        .map(|(index, id)| {
            let at = format!("{param}[{index}]");
            let doc = tx.find(Kind::TaxRate, id, &at)?;
            if doc.object["active"] == true {
                return Ok(doc.object.clone());
            }
            Err(ApiError::invalid(format!("The tax rate {id} is archived, and can't be used any more."))
                .param(&at))
        })
        .collect()
}
