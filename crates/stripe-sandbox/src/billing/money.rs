//! Amounts: of a price and a quantity, and in words.

use serde_json::Value;

const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];
const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];
/// Decimals that a `unit_amount_decimal` may have.
const PRECISION: u32 = 12;

/// What `quantity` of a price cost, in the currency's smallest unit, fractions of it rounded half up.
pub(super) fn amount(price: &Value, quantity: i64) -> i64 {
    if let Some(unit) = price["unit_amount"].as_i64() {
        return unit * quantity;
    }
    let text = price["unit_amount_decimal"].as_str().unwrap_or("0");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<width$}", width = PRECISION as usize);
    let unit: i128 = digits.parse().unwrap_or_default();
    let one = 10_i128.pow(PRECISION);
    i64::try_from((unit * i128::from(quantity) + one / 2).div_euclid(one)).unwrap_or(i64::MAX)
}

/// As a person reads it: `$29.99`, `¥500`, `KWD 1.250`.
pub(super) fn shown(amount: i64, currency: &str) -> String {
    let decimals = match currency {
        zero if ZERO_DECIMAL.contains(&zero) => 0,
        three if THREE_DECIMAL.contains(&three) => 3,
        _ => 2,
    };
    let unit = 10_i64.pow(decimals);
    let (sign, whole, part) =
        (if amount < 0 { "-" } else { "" }, (amount / unit).abs(), (amount % unit).abs());
    let number = match decimals {
        0 => whole.to_string(),
        width => format!("{whole}.{part:0width$}", width = width as usize),
    };
    match currency {
        "usd" => format!("{sign}${number}"),
        "eur" => format!("{sign}€{number}"),
        "gbp" => format!("{sign}£{number}"),
        "jpy" => format!("{sign}¥{number}"),
        other => format!("{sign}{} {number}", other.to_uppercase()),
    }
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

    #[test]
    fn currencies_have_their_decimals() {
        assert_eq!(shown(2999, "usd"), "$29.99");
        assert_eq!(shown(500, "jpy"), "¥500");
        assert_eq!(shown(1250, "kwd"), "KWD 1.250");
        assert_eq!(shown(-5, "eur"), "-€0.05");
    }
}
