//! What discounts and tax rates make of an invoice's lines.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/coupons>, <https://docs.stripe.com/billing/taxes/tax-rates>. A fixed
//! discount is shared over the lines by their amounts, each share rounded down, and the last line gets what is left.

use std::slice;

use serde_json::{Value, json};

/// A discount, as far as sums go.
pub(super) struct Discount {
    pub(super) id: String,
    /// In millionths of a per cent; `None` for a fixed one.
    pub(super) percent: Option<i64>,
    /// In minor units.
    pub(super) amount: i64,
    /// The only products that it is for, if it isn't for all.
    pub(super) products: Option<Vec<String>>,
}

/// A tax rate, as far as sums go.
pub(super) struct Rate {
    pub(super) id: String,
    pub(super) inclusive: bool,
    /// In millionths of a per cent.
    pub(super) percent: i64,
}

const WHOLE: i128 = 100_000_000;

/// A percentage, as JSON or as text, in millionths of a per cent.
pub(super) fn millionths(percent: &Value) -> i64 {
    let text = percent.as_str().map_or_else(|| percent.to_string(), str::to_owned);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits: String = format!("{part:0<6}").chars().take(6).collect();
    format!("{whole}{digits}").parse().unwrap_or_default()
}

/// A share of an amount, rounded half up.
pub(super) fn share(amount: i64, part: i128, whole: i128) -> i64 {
    let whole = whole.max(1);
    i64::try_from((i128::from(amount) * part * 2 + whole).div_euclid(whole * 2)).unwrap_or_default()
}

/// Whether a line is of a proration, which was discounted when it was made.
pub(super) fn is_proration(line: &Value) -> bool {
    let parent = &line["parent"];
    ["invoice_item_details", "subscription_item_details"]
        .iter()
        .any(|details| parent[*details]["proration"] == true)
}

/// Takes discounts, one after the other, off the lines that they are for, and notes how much on each line: first those
/// that a line has itself, then those that are for all.
pub(super) fn take_off(lines: &mut [Value], own: &dyn Fn(&Value) -> Vec<Discount>, general: &[Discount]) {
    for line in lines.iter_mut().filter(|line| !is_proration(line)) {
        line["discount_amounts"] = json!([]);
        for discount in own(line) {
            take_one_off(slice::from_mut(line), &discount);
        }
    }
    for discount in general {
        take_one_off(lines, discount);
    }
}

fn take_one_off(lines: &mut [Value], discount: &Discount) {
    let for_it: Vec<usize> = (0..lines.len()).filter(|index| is_for(discount, &lines[*index])).collect();
    let left: Vec<i64> = for_it.iter().map(|index| net(&lines[*index])).collect();
    for (index, off) in for_it.into_iter().zip(shares(discount, &left)) {
        if let Some(given) = lines[index]["discount_amounts"].as_array_mut() {
            given.push(json!({"amount": off, "discount": discount.id}));
        }
    }
}

/// What a discount takes off each of these amounts.
fn shares(discount: &Discount, left: &[i64]) -> Vec<i64> {
    if let Some(percent) = discount.percent {
        return left.iter().map(|amount| share(*amount, percent.into(), WHOLE)).collect();
    }
    let whole: i64 = left.iter().sum();
    let off = discount.amount.min(whole);
    let mut shares: Vec<i64> = left
        .iter()
        .map(|amount| {
            let share = i128::from(off) * i128::from(*amount) / i128::from(whole.max(1));
            i64::try_from(share).unwrap_or_default()
        })
        .collect();
    let shared: i64 = shares.iter().sum();
    if let Some(last) = shares.last_mut() {
        *last += off - shared;
    }
    shares
}

fn is_for(discount: &Discount, line: &Value) -> bool {
    let product = line["pricing"]["price_details"]["product"].as_str();
    let fits = discount.products.as_ref().is_none_or(|all| all.iter().any(|id| Some(&**id) == product));
    line["discountable"] == true && net(line) > 0 && fits
}

/// What a line comes to after its discounts.
pub(super) fn net(line: &Value) -> i64 {
    let given = line["discount_amounts"].as_array().into_iter().flatten();
    let off: i64 = given.filter_map(|given| given["amount"].as_i64()).sum();
    line["amount"].as_i64().unwrap_or_default() - off
}

/// Notes on a line what its tax rates come to, on what is left after discounts.
pub(super) fn tax(line: &mut Value, rates: &[Rate], exempt: &str) {
    let base = net(line);
    let inclusive: i128 =
        rates.iter().filter(|rate| rate.inclusive).map(|rate| i128::from(rate.percent)).sum();
    let taxable = share(base, WHOLE, WHOLE + inclusive);
    let reason = match exempt {
        "exempt" => "customer_exempt",
        "reverse" => "reverse_charge",
        _ => "not_available",
    };
    let taxes: Vec<Value> = rates
        .iter()
        .map(|rate| {
            let amount =
                if reason == "not_available" { share(taxable, rate.percent.into(), WHOLE) } else { 0 };
            json!({
                "amount": amount,
                "tax_behavior": if rate.inclusive { "inclusive" } else { "exclusive" },
                "tax_rate_details": {"tax_rate": rate.id},
                "taxability_reason": reason,
                "taxable_amount": taxable,
                "type": "tax_rate_details",
            })
        })
        .collect();
    line["taxes"] = json!(taxes);
}

/// The entries of all lines under `field`, with those that agree in `key` added up.
pub(super) fn added_up<'l>(lines: impl Iterator<Item = &'l Value>, field: &str, key: &[&str]) -> Vec<Value> {
    let mut sums: Vec<Value> = Vec::new();
    for entry in lines.flat_map(|line| line[field].as_array().into_iter().flatten()) {
        let same = |sum: &&mut Value| key.iter().all(|key| sum[*key] == entry[*key]);
        match sums.iter_mut().find(same) {
            Some(sum) => {
                for amount in ["amount", "taxable_amount"] {
                    if let (Some(one), Some(other)) = (sum[amount].as_i64(), entry[amount].as_i64()) {
                        sum[amount] = json!(one + other);
                    }
                }
            }
            None => sums.push(entry.clone()),
        }
    }
    sums
}

/// The sum of the entries that have this `tax_behavior`, or of all.
pub(super) fn total(entries: &[Value], behavior: Option<&str>) -> i64 {
    let wanted = entries.iter().filter(|entry| behavior.is_none_or(|of| entry["tax_behavior"] == of));
    wanted.filter_map(|entry| entry["amount"].as_i64()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(amounts: &[i64]) -> Vec<Value> {
        amounts
            .iter()
            .map(|amount| json!({"amount": amount, "discountable": *amount != 7, "discounts": []}))
            .collect()
    }

    fn discount(percent: Option<&str>, amount: i64) -> Discount {
        let percent = percent.map(|text| millionths(&json!(text)));
        Discount { id: "di_1".to_owned(), percent, amount, products: None }
    }

    fn off(amounts: &[i64], discounts: &[Discount]) -> Vec<i64> {
        let mut lines = lines(amounts);
        take_off(&mut lines, &|_| Vec::new(), discounts);
        lines.iter().map(|line| line["amount"].as_i64().unwrap() - net(line)).collect()
    }

    #[test]
    fn a_fixed_discount_is_shared_and_the_last_line_gets_the_rest() {
        assert_eq!(off(&[1000, 1000, 1000], &[discount(None, 100)]), [33, 33, 34]);
        assert_eq!(off(&[100, 300], &[discount(None, 1000)]), [100, 300], "no more than there is");
        assert_eq!(
            off(&[7, 100, -50], &[discount(None, 10)]),
            [0, 10, 0],
            "not off credits, nor where it mustn't"
        );
    }

    #[test]
    fn a_line_s_own_discount_comes_before_those_for_all_and_a_proration_keeps_its_own() {
        let mut lines = lines(&[1000, 3000, 1000]);
        lines[2]["parent"]["subscription_item_details"]["proration"] = json!(true);
        lines[2]["discountable"] = json!(false);
        lines[2]["discount_amounts"] = json!([{"amount": 10, "discount": "di_1"}]);
        let own = |line: &Value| {
            let half = discount(Some("50"), 0);
            if line["amount"] == 3000 { vec![half] } else { Vec::new() }
        };
        take_off(&mut lines, &own, &[discount(None, 500)]);
        let net: Vec<i64> = lines.iter().map(net).collect();
        assert_eq!(net, [800, 1200, 990]);
    }

    #[test]
    fn percentages_are_of_what_is_left_and_rounded_line_by_line() {
        assert_eq!(off(&[2999, 5], &[discount(Some("10"), 0)]), [300, 1]);
        assert_eq!(off(&[1000], &[discount(Some("50"), 0), discount(Some("12.5"), 0)]), [563]);
        assert_eq!(millionths(&json!(33.333)), 33_333_000);
        assert_eq!(millionths(&json!(100)), 100_000_000);
    }

    #[test]
    fn taxes_are_on_top_or_inside() {
        let rate = |inclusive, percent| Rate {
            id: "txr_1".to_owned(),
            inclusive,
            percent: millionths(&json!(percent)),
        };
        let amounts = |rates: &[Rate], exempt| {
            let mut line = json!({"amount": 1190, "discount_amounts": []});
            tax(&mut line, rates, exempt);
            let taxes = line["taxes"].as_array().unwrap().clone();
            taxes.iter().map(|tax| tax["amount"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(amounts(&[rate(true, "19")], "none"), [190]);
        assert_eq!(amounts(&[rate(false, "19")], "none"), [226]);
        assert_eq!(amounts(&[rate(false, "8.875"), rate(false, "1")], "none"), [106, 12]);
        assert_eq!(amounts(&[rate(false, "19")], "reverse"), [0]);
    }
}
