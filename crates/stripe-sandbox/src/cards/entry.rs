//! A card as it is entered: number, expiry, security code.

use chrono::{DateTime, Datelike};
use serde_json::Value;

use super::table::NOT_A_TEST_CARD;
use super::{TestCard, declined, numbered};
use crate::engine::ApiError;

/// Years ahead that a card's expiry may lie, as Stripe has it.
const MAX_YEARS_AHEAD: i64 = 50;

/// A card that was entered and found in order. Its number is not among what is kept.
pub(crate) struct Entered {
    pub(crate) card: &'static TestCard,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) has_cvc: bool,
}

impl Entered {
    /// As a card comes that is named (`pm_card_visa`) instead of entered: good until next year.
    pub(crate) fn named(card: &'static TestCard, now: i64) -> Self {
        let (year, month) = year_and_month(now);
        Self { card, exp_month: month, exp_year: year + 1, has_cvc: false }
    }
}

/// Reads `{number, exp_month, exp_year, cvc}`, all but the security code required, at `now` in Unix seconds.
///
/// # Errors
/// 402 `incorrect_number`, `invalid_expiry_month`, `invalid_expiry_year`, `invalid_cvc`, or
/// `card_declined` for a number that belongs to no test card.
pub(crate) fn read(card: &Value, now: i64) -> Result<Entered, ApiError> {
    let digits: String = card["number"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .filter(|char| !matches!(char, ' ' | '-'))
        .collect();
    if !(12..=19).contains(&digits.len()) || !passes_luhn(&digits) {
        return Err(ApiError::card("incorrect_number", "Your card number is incorrect.").param("number"));
    }
    let (year, month) = year_and_month(now);
    let exp_month = card["exp_month"].as_i64().unwrap_or_default();
    let exp_year = match card["exp_year"].as_i64().unwrap_or_default() {
        short @ 0..100 => 2000 + short,
        full => full,
    };
    if !(1..=12).contains(&exp_month) || (exp_year == year && exp_month < month) {
        let error = ApiError::card("invalid_expiry_month", "Your card's expiration month is invalid.");
        return Err(error.param("exp_month"));
    }
    if !(year..=year + MAX_YEARS_AHEAD).contains(&exp_year) {
        let error = ApiError::card("invalid_expiry_year", "Your card's expiration year is invalid.");
        return Err(error.param("exp_year"));
    }
    let found = numbered(&digits);
    let cvc = card["cvc"].as_str();
    let lengths = found.map_or(3..=4, |card| card.cvc_length()..=card.cvc_length());
    if cvc.is_some_and(|cvc| !lengths.contains(&cvc.len()) || !cvc.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(ApiError::card("invalid_cvc", "Your card's security code is invalid.").param("cvc"));
    }
    let card = found.ok_or_else(|| declined(&NOT_A_TEST_CARD))?;
    Ok(Entered { card, exp_month, exp_year, has_cvc: cvc.is_some() })
}

fn year_and_month(now: i64) -> (i64, i64) {
    let date = DateTime::from_timestamp(now, 0).unwrap_or_default();
    (i64::from(date.year()), i64::from(date.month()))
}

/// The check digit of a card number. Source: ISO/IEC 7812-1, annex B.
pub(super) fn passes_luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (position, byte) in digits.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let digit = u32::from(byte - b'0') * if position % 2 == 1 { 2 } else { 1 };
        sum += if digit > 9 { digit - 9 } else { digit };
    }
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 15 June 2030.
    const NOW: i64 = 1_907_712_000;

    fn problem(number: &str, month: i64, year: i64, cvc: &str) -> Option<String> {
        let card = json!({"number": number, "exp_month": month, "exp_year": year, "cvc": cvc});
        read(&card, NOW)
            .err()
            .map(|error| error.into_object()["code"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_wrong_is_named_as_stripe_names_it() {
        for (number, month, year, cvc, code) in [
            ("4242424242424241", 6, 2031, "123", "incorrect_number"),
            ("42424242", 6, 2031, "123", "incorrect_number"),
            ("4242x24242424242", 6, 2031, "123", "incorrect_number"),
            ("4242424242424242", 13, 2031, "123", "invalid_expiry_month"),
            ("4242424242424242", 5, 2030, "123", "invalid_expiry_month"),
            ("4242424242424242", 6, 2029, "123", "invalid_expiry_year"),
            ("4242424242424242", 6, 2099, "123", "invalid_expiry_year"),
            ("4242424242424242", 6, 2031, "12", "invalid_cvc"),
            ("378282246310005", 6, 2031, "123", "invalid_cvc"),
            ("4111111111111111", 6, 2031, "123", "card_declined"),
        ] {
            assert_eq!(
                problem(number, month, year, cvc).as_deref(),
                Some(code),
                "{number} {month}/{year} {cvc}"
            );
        }
        assert_eq!(problem("4242 4242-4242 4242", 6, 30, "123"), None);
        assert_eq!(problem("378282246310005", 6, 2031, "1234"), None);
    }
}
