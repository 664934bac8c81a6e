//! What moves the account's balance.

use serde_json::{Value, json};

use crate::engine::{Kind, Tx, new_id};

const KIND: Kind = Kind::BalanceTransaction;

/// A movement of the balance.
pub(super) struct Entry<'a> {
    /// `charge`, `refund`, `adjustment`.
    pub(super) kind: &'static str,
    /// What reports count it as. Source: <https://docs.stripe.com/reports/reporting-categories>
    pub(super) category: &'static str,
    /// In minor units, negative where money leaves.
    pub(super) amount: i64,
    /// What Stripe keeps of it, in minor units; negative where it is given back.
    pub(super) fee: i64,
    pub(super) fee_description: &'static str,
    pub(super) source: (Kind, &'a str),
    /// In the place of the source's own.
    pub(super) description: Option<String>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(kind: &'static str, amount: i64, source: (Kind, &'a str)) -> Self {
        Self {
            kind,
            category: kind,
            amount,
            fee: 0,
            fee_description: "Stripe processing fees",
            source,
            description: None,
        }
    }
}

/// Notes a movement, in the currency of its source. It is available at once: there is no payout to wait for. Returns its id.
pub(super) fn add(tx: &mut Tx, entry: Entry) -> String {
    let id = new_id(KIND);
    let Entry { kind, category, amount, fee, fee_description, source, description } = entry;
    let of = tx.get(source.0, source.1).map(|doc| doc.object.clone()).unwrap_or_default();
    let fee_details = json!([{
        "amount": fee, "application": null, "currency": of["currency"], "description": fee_description,
        "type": "stripe_fee",
    }]);
    let object = json!({
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": tx.now(),
        "balance_type": "payments",
        "created": tx.now(),
        "currency": of["currency"],
        "description": description.map_or(of["description"].clone(), Value::String),
        "exchange_rate": null,
        "fee": fee,
        "fee_details": if fee == 0 { json!([]) } else { fee_details },
        "net": amount - fee,
        "reporting_category": category,
        "source": source.1,
        "status": "available",
        "type": kind,
    });
    let total = total(tx, of["currency"].as_str().unwrap_or_default()) + amount - fee;
    tx.insert(KIND, object, json!({"total": total}));
    id
}

/// What the balance has in a currency, in minor units. The newest movement knows it; of those that were made before it was
/// noted with them, each is looked at.
pub(crate) fn total(tx: &Tx, currency: &str) -> i64 {
    let mut newer = 0;
    for doc in tx.all_with(KIND, "currency", currency) {
        if let Some(total) = doc.hidden["total"].as_i64() {
            return total + newer;
        }
        newer += doc.object["net"].as_i64().unwrap_or_default();
    }
    newer
}
