//! An invoice or a credit note as people read it: what an invoice's page and the PDFs of both show.

use serde_json::Value;

use super::format::{day, sum};
use crate::billing::discounts::terms;
use crate::engine::objects::{CreditNote, Invoice, InvoiceStatus};
use crate::engine::{Kind, Tx};

/// An invoice or a credit note in words.
pub(super) struct Document {
    /// What it is.
    pub(super) title: &'static str,
    /// What it is about in a few words, such as `$29.99 due`.
    pub(super) heading: String,
    pub(super) number: String,
    /// Name and value: the dates, and what the business adds.
    pub(super) facts: Vec<(String, String)>,
    /// Who asks for the money, line by line.
    pub(super) from: Vec<String>,
    /// Who is asked.
    pub(super) to: Vec<String>,
    pub(super) lines: Vec<Line>,
    /// Name and amount, from the subtotal down to what is due.
    pub(super) totals: Vec<(String, String)>,
    /// The last of the totals.
    pub(super) due: String,
    /// The whole of it, which is what a paid invoice was of.
    pub(super) total: String,
    pub(super) memo: Option<String>,
    pub(super) footer: Option<String>,
}

/// A line of it.
pub(super) struct Line {
    pub(super) description: String,
    pub(super) period: Option<String>,
    pub(super) quantity: String,
    pub(super) unit: String,
    pub(super) amount: String,
}

impl Document {
    pub(super) fn of(tx: &Tx, invoice: &Value) -> Self {
        let text = |field: &str| invoice[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let view = Invoice(invoice);
        let mut totals = vec![("Subtotal".to_owned(), sum(&invoice["subtotal"], invoice))];
        totals.extend(discounts(tx, &invoice["total_discount_amounts"], invoice));
        totals.extend(taxes(tx, invoice));
        totals.push(("Total".to_owned(), sum(&invoice["total"], invoice)));
        let credited = view.credited_before_payment();
        let balance = view.total() - credited - view.amount_due();
        let given_back = view.credited_after_payment();
        let rows = [
            ("Applied balance", -balance),
            ("Adjusted by credit note", -credited),
            ("Refunded by credit note", given_back),
        ];
        let rows = rows.into_iter().filter(|(_, amount)| *amount != 0);
        totals.extend(rows.map(|(name, amount)| (name.to_owned(), sum(&amount.into(), invoice))));
        let last = match view.status() {
            Some(InvoiceStatus::Paid) => ("Amount paid", &invoice["amount_paid"]),
            _ => ("Amount due", &invoice["amount_remaining"]),
        };
        totals.push((last.0.to_owned(), sum(last.1, invoice)));
        let due = sum(last.1, invoice);
        let words = match view.status() {
            Some(InvoiceStatus::Paid) => "paid",
            Some(InvoiceStatus::Void) => "due; this invoice was voided",
            _ => "due",
        };
        Self {
            title: "Invoice",
            heading: format!("{due} {words}"),
            number: text("number").unwrap_or_else(|| "Draft".to_owned()),
            facts: facts(invoice),
            from: from(invoice),
            to: to(invoice),
            lines: lines(invoice),
            due,
            total: sum(&invoice["total"], invoice),
            totals,
            memo: text("description"),
            footer: text("footer"),
        }
    }
}

impl Document {
    /// Of a credit note, with the invoice that it is for.
    pub(super) fn of_credit_note(tx: &Tx, note: &Value, invoice: &Value) -> Self {
        let total = sum(&note["total"], note);
        let void = CreditNote(note).is_void();
        let mut totals = vec![("Subtotal".to_owned(), sum(&note["subtotal"], note))];
        totals.extend(discounts(tx, &note["discount_amounts"], note));
        totals.extend(taxes(tx, note));
        totals.push(("Total credited".to_owned(), total.clone()));
        let reason = words(&note["reason"]).replace('_', " ");
        let facts = [
            ("Date of issue", day(&note["effective_at"])),
            ("Invoice number", words(&invoice["number"])),
            ("Reason", reason),
        ];
        let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            title: "Credit note",
            heading: format!("{total} credited{}", if void { "; this credit note was voided" } else { "" }),
            number: words(&note["number"]),
            facts: facts.map(|(name, value)| (name.to_owned(), value)).collect(),
            from: from(invoice),
            to: to(invoice),
            lines: lines(note),
            due: total.clone(),
            total,
            totals,
            memo: note["memo"].as_str().map(str::to_owned),
            footer: None,
        }
    }
}

fn from(invoice: &Value) -> Vec<String> {
    vec![words(&invoice["account_name"]), "United States".to_owned()]
}

fn facts(invoice: &Value) -> Vec<(String, String)> {
    let mut facts = vec![("Date of issue".to_owned(), day(&invoice["effective_at"]))];
    let dates = [("Date due", &invoice["due_date"]), ("Paid on", &invoice["status_transitions"]["paid_at"])];
    facts
        .extend(dates.into_iter().filter(|(_, at)| at.is_i64()).map(|(name, at)| (name.to_owned(), day(at))));
    let own = invoice["custom_fields"].as_array().into_iter().flatten();
    facts.extend(own.map(|field| (words(&field["name"]), words(&field["value"]))));
    facts
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn to(invoice: &Value) -> Vec<String> {
    let address = &invoice["customer_address"];
    let city: Vec<&str> =
        ["postal_code", "city", "state"].iter().filter_map(|field| address[*field].as_str()).collect();
    let mut to = vec![words(&invoice["customer_name"]), words(&address["line1"]), words(&address["line2"])];
    to.extend([city.join(" "), words(&address["country"]), words(&invoice["customer_email"])]);
    let numbers = invoice["customer_tax_ids"].as_array().into_iter().flatten();
    to.extend(numbers.map(|number| format!("Tax id {}", words(&number["value"]))));
    to.retain(|line| !line.is_empty());
    to
}

/// The lines of an invoice or a credit note, whose own lines have no currency and no period.
fn lines(of: &Value) -> Vec<Line> {
    let lines = of["lines"]["data"].as_array().into_iter().flatten();
    lines
        .map(|line| {
            let (start, end) = (&line["period"]["start"], &line["period"]["end"]);
            let quantity = line["quantity"].as_i64();
            let amount = line["amount"].as_i64().unwrap_or_default();
            // Where the amount isn't the unit's times the quantity, there is no price of one to show.
            let unit = quantity.filter(|quantity| *quantity != 0 && amount % quantity == 0);
            Line {
                description: words(&line["description"]),
                period: (start != end).then(|| format!("{} – {}", day(start), day(end))),
                quantity: quantity.map(|quantity| quantity.to_string()).unwrap_or_default(),
                unit: unit.map(|quantity| sum(&(amount / quantity).into(), of)).unwrap_or_default(),
                amount: sum(&line["amount"], of),
            }
        })
        .collect()
}

fn discounts(tx: &Tx, given: &Value, of: &Value) -> Vec<(String, String)> {
    let given = given.as_array().into_iter().flatten();
    given
        .map(|given| {
            let name = discount_name(tx, &given["discount"]).unwrap_or_else(|| "Discount".to_owned());
            let amount = given["amount"].as_i64().unwrap_or_default();
            (name, sum(&(-amount).into(), of))
        })
        .collect()
}

fn discount_name(tx: &Tx, discount: &Value) -> Option<String> {
    let coupon = terms(tx, discount.as_str()?)?;
    coupon["name"].as_str().or(coupon["id"].as_str()).map(str::to_owned)
}

fn taxes(tx: &Tx, of: &Value) -> Vec<(String, String)> {
    let taken = of["total_taxes"].as_array().into_iter().flatten();
    taken
        .map(|tax| {
            let name = tax_name(tx, &tax["tax_rate_details"]["tax_rate"]).unwrap_or_else(|| "Tax".to_owned());
            let inclusive = tax["tax_behavior"] == "inclusive";
            let name = if inclusive { format!("{name}, included") } else { name };
            (name, sum(&tax["amount"], of))
        })
        .collect()
}

fn tax_name(tx: &Tx, rate: &Value) -> Option<String> {
    let doc = tx.get(Kind::TaxRate, rate.as_str()?)?;
    let name = doc.object["display_name"].as_str()?;
    let percentage = doc.object["percentage"].as_f64()?;
    Some(format!("{name} ({percentage} %)"))
}
