//! What a quantity of a price costs.

use serde_json::Value;

use crate::engine::objects::Price;

/// Decimals that a `unit_amount_decimal` may have.
const PRECISION: u32 = 12;

/// What `quantity` of a price cost, in the currency's smallest unit, fractions of it rounded half up.
pub(crate) fn amount(price: &Value, quantity: i64) -> i64 {
    let price = Price(price);
    if let Some(unit) = price.unit_amount() {
        return unit * quantity;
    }
    let text = price.unit_amount_decimal();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<width$}", width = PRECISION as usize);
    let unit: i128 = digits.parse().unwrap_or_default();
    let one = 10_i128.pow(PRECISION);
    i64::try_from((unit * i128::from(quantity) + one / 2).div_euclid(one)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fractions_are_rounded_on_the_whole_amount() {
        assert_eq!(amount(&json!({"unit_amount": 2999, "unit_amount_decimal": "2999"}), 3), 8997);
        let half = json!({"unit_amount": null, "unit_amount_decimal": "0.5"});
        assert_eq!(amount(&half, 1), 1);
        assert_eq!(amount(&half, 4), 2);
        assert_eq!(amount(&json!({"unit_amount": null, "unit_amount_decimal": "12.005"}), 100), 1201);
    }
}
