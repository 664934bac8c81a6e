//! Amounts as people read them.

/// Currencies without minor units, and those with a thousand of them to one.
/// Source: <https://docs.stripe.com/currencies#zero-decimal>
const ZERO_DECIMAL: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// The currencies that Stripe takes payments in. Source: <https://docs.stripe.com/currencies#presentment-currencies>
#[rustfmt::skip]
pub(crate) const CURRENCIES: [&str; 144] = [
    "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt",
    "bgn", "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf",
    "clp", "cny", "cop", "crc", "cve", "czk", "djf", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd",
    "fkp", "gbp", "gel", "gip", "gmd", "gnf", "gtq", "gyd", "hkd", "hnl", "hrk", "htg", "huf", "idr",
    "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs", "khr", "kmf", "krw", "kwd", "kyd", "kzt",
    "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd", "mmk", "mnt", "mop", "mro", "mur",
    "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "omr", "pab", "pen",
    "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub", "rwf", "sar", "sbd", "scr", "sek",
    "sgd", "shp", "sle", "sll", "sos", "srd", "std", "svc", "szl", "thb", "tjs", "tnd", "top", "try",
    "ttd", "twd", "tzs", "uah", "ugx", "uyu", "uzs", "vnd", "vuv", "wst", "xaf", "xcd", "xcg", "xof",
    "xpf", "yer", "zar", "zmw",
];

/// The smallest amounts that Stripe charges, in minor units; a currency that isn't named has none here.
/// Source: <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>
const MINIMUM_CHARGES: [(&str, i64); 24] = [
    ("aed", 200),
    ("aud", 50),
    ("bgn", 100),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1_500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17_500),
    ("inr", 50),
    ("jpy", 50),
    ("mxn", 1_000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1_000),
    ("usd", 50),
];

/// The smallest amount of a currency that is charged, in minor units.
pub(crate) fn minimum_charge(currency: &str) -> i64 {
    MINIMUM_CHARGES.iter().find(|(code, _)| *code == currency).map_or(0, |(_, minor)| *minor)
}

/// With the currency's sign, as Stripe writes it into the lines of invoices: `$29.99`, `¥500`, `KWD 1.250`.
pub(crate) fn with_sign(minor: i64, currency: &str) -> String {
    let (whole, part) = parts(minor, currency);
    let sign = minus(minor);
    match currency {
        "usd" => format!("{sign}${whole}{part}"),
        "eur" => format!("{sign}€{whole}{part}"),
        "gbp" => format!("{sign}£{whole}{part}"),
        "jpy" => format!("{sign}¥{whole}{part}"),
        other => format!("{sign}{} {whole}{part}", other.to_uppercase()),
    }
}

/// With the currency's code and the thousands apart: `1,234.50 USD`.
pub(crate) fn with_code(minor: i64, currency: &str) -> String {
    let (whole, part) = parts(minor, currency);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{}{grouped}{part} {}", minus(minor), currency.to_uppercase())
}

fn minus(minor: i64) -> &'static str {
    if minor < 0 { "-" } else { "" }
}

/// The major units, and the minor ones with the point before them; nothing for a currency that has none.
fn parts(minor: i64, currency: &str) -> (u64, String) {
    let decimals = match currency {
        zero if ZERO_DECIMAL.contains(&zero) => return (minor.unsigned_abs(), String::new()),
        three if THREE_DECIMAL.contains(&three) => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(decimals);
    let (whole, part) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    (whole, format!(".{part:0width$}", width = decimals as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currency_s_decimals() {
        for (minor, currency, signed, coded) in [
            (2_999, "usd", "$29.99", "29.99 USD"),
            (123_456_705, "eur", "€1234567.05", "1,234,567.05 EUR"),
            (1_500, "jpy", "¥1500", "1,500 JPY"),
            (1_250, "kwd", "KWD 1.250", "1.250 KWD"),
            (-5, "eur", "-€0.05", "-0.05 EUR"),
        ] {
            assert_eq!((&*with_sign(minor, currency), &*with_code(minor, currency)), (signed, coded));
        }
        assert_eq!(with_code(i64::MIN, "jpy"), "-9,223,372,036,854,775,808 JPY");
    }
}
