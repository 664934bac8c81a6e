//! Money: an amount in the smallest unit of its currency.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest amount Stripe charges: eight digits of minor units.
/// Source: <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>.
pub const MAX_MINOR: i64 = 99_999_999;

/// Currencies Stripe charges in. Source: <https://docs.stripe.com/currencies>.
const CODES: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp \
    byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd \
    hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga \
    mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd \
    rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv \
    wst xaf xcd xof xpf yer zar zmw";

/// Currencies without a minor unit. ISK and UGX have none either, but Stripe takes them with two decimals.
/// Source: <https://docs.stripe.com/currencies#zero-decimal>.
const ZERO_DECIMAL: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";

/// Currencies with three decimals. Source: <https://docs.stripe.com/currencies#three-decimal>.
const THREE_DECIMAL: &str = "bhd jod kwd omr tnd";

/// A currency Stripe can charge in, by its lower-case ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Self = Self(*b"usd");

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("usd")
    }

    /// How many decimals an amount has when written.
    pub fn decimals(self) -> u32 {
        let listed = |list: &str| list.split_whitespace().any(|code| code == self.code());
        if listed(ZERO_DECIMAL) {
            0
        } else if listed(THREE_DECIMAL) {
            3
        } else {
            2
        }
    }

    fn symbol(&self) -> Option<&'static str> {
        match self.code() {
            "usd" => Some("$"),
            "eur" => Some("€"),
            "gbp" => Some("£"),
            "jpy" => Some("¥"),
            "inr" => Some("₹"),
            "krw" => Some("₩"),
            _ => None,
        }
    }
}

impl FromStr for Currency {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        let lower = code.trim().to_ascii_lowercase();
        match <[u8; 3]>::try_from(lower.as_bytes()) {
            Ok(bytes) if CODES.split_whitespace().any(|known| known == lower) => Ok(Self(bytes)),
            _ => Err("Currency must be a three-letter code that Stripe charges in, such as usd.".into()),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money in minor units (cents for USD, yen for JPY, thousandths for KWD). Below zero for a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads a decimal string such as `29.99`.
    ///
    /// # Errors
    /// A sentence: not a plain decimal, negative, more decimals than the currency has, or above [`MAX_MINOR`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Price is required.".into());
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err("Price must be a decimal number such as 29.99.".into());
        }
        let decimals = currency.decimals() as usize;
        if fraction.len() > decimals {
            return Err(match decimals {
                0 => format!("Price must be a whole number in {}.", currency.code().to_uppercase()),
                n => format!("Price must have at most {n} decimals in {}.", currency.code().to_uppercase()),
            });
        }
        let too_much = || {
            let max = Self::new(MAX_MINOR, currency);
            format!("Price must be at most {}.", max.decimal())
        };
        let minor: i64 = format!("{whole}{fraction:0<decimals$}").parse().map_err(|_| too_much())?;
        if minor > MAX_MINOR {
            return Err(too_much());
        }
        if decimals == 3 && minor % 10 != 0 {
            return Err("Price must end in 0 in a currency with three decimals.".into());
        }
        Ok(Self { minor, currency })
    }

    /// The amount as the API writes it: `29.99`, `1200`, `4.500`, `-6.67`.
    pub fn decimal(self) -> String {
        let decimals = self.currency.decimals();
        if decimals == 0 {
            return self.minor.to_string();
        }
        let (sign, minor, unit) = (self.sign(), self.minor.unsigned_abs(), 10_u64.pow(decimals));
        format!("{sign}{}.{:0width$}", minor / unit, minor % unit, width = decimals as usize)
    }

    fn sign(self) -> &'static str {
        if self.minor < 0 { "-" } else { "" }
    }
}

/// The amount as a person reads it: `$1,299.00`, `AED 29.99`, `-$6.67`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = Self { minor: self.minor.saturating_abs(), ..*self }.decimal();
        f.write_str(self.sign())?;
        let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
        match self.currency.symbol() {
            Some(symbol) => f.write_str(symbol)?,
            None => write!(f, "{}\u{a0}", self.currency.code().to_uppercase())?,
        }
        f.write_str(&group_digits(whole.parse().unwrap_or(0)))?;
        if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
    }
}

/// A count with its thousands set apart: `75,234`.
pub fn group_digits(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if count < 0 {
        grouped.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn an_amount_is_read_and_written_in_its_currencys_decimals() {
        for (text, code, minor, decimal) in [
            ("29.99", "usd", 2999, "29.99"),
            ("29.9", "usd", 2990, "29.90"),
            ("30", "eur", 3000, "30.00"),
            ("1200", "jpy", 1200, "1200"),
            ("4.5", "kwd", 4500, "4.500"),
            ("0", "usd", 0, "0.00"),
        ] {
            let money = Money::parse(text, currency(code)).unwrap();
            assert_eq!((money.minor, money.decimal().as_str()), (minor, decimal), "{text} {code}");
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for (text, code) in [
            ("", "usd"),
            ("-1", "usd"),
            ("+1", "usd"),
            ("1e3", "usd"),
            ("29.999", "usd"),
            ("1.", "usd"),
            (".5", "usd"),
            ("1,000", "usd"),
            ("12.5", "jpy"),
            ("1.234", "kwd"),
            ("1000000.00", "usd"),
            ("99999999999999999999", "usd"),
            ("NaN", "usd"),
        ] {
            assert!(Money::parse(text, currency(code)).is_err(), "{text:?} {code}");
        }
    }

    #[test]
    fn an_amount_is_shown_as_people_write_it() {
        assert_eq!(Money::new(2999, Currency::USD).to_string(), "$29.99");
        assert_eq!(Money::new(99_999_999, Currency::USD).to_string(), "$999,999.99");
        assert_eq!(Money::new(1200, currency("jpy")).to_string(), "¥1,200");
        assert_eq!(Money::new(2999, currency("aed")).to_string(), "AED\u{a0}29.99");
    }

    #[test]
    fn a_credit_has_its_sign_once() {
        for (minor, code, decimal, shown) in [
            (-667, "usd", "-6.67", "-$6.67"),
            (-7, "usd", "-0.07", "-$0.07"),
            (-1200, "jpy", "-1200", "-¥1,200"),
        ] {
            let credit = Money::new(minor, currency(code));
            assert_eq!((credit.decimal().as_str(), credit.to_string().as_str()), (decimal, shown));
        }
    }

    #[test]
    fn only_codes_stripe_charges_in_are_currencies() {
        assert!("USD".parse::<Currency>().is_ok());
        for code in ["", "us", "usdd", "xxx", "日本円"] {
            assert!(code.parse::<Currency>().is_err(), "{code}");
        }
    }
}
