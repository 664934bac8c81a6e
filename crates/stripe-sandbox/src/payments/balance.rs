//! What moves the account's balance.

use serde_json::{Value, json};

use crate::engine::{Kind, Tx, new_id};

/// A movement of the balance.
pub(super) struct Entry<'a> {
    /// `charge`, `refund`.
    pub(super) kind: &'static str,
    /// In minor units, negative where money leaves.
    pub(super) amount: i64,
    /// What Stripe keeps of it, in minor units.
    pub(super) fee: i64,
    pub(super) source: (Kind, &'a str),
}

/// Notes a movement, in the currency of its source. It is available at once: there is no payout to wait for. Returns its id.
pub(super) fn add(tx: &mut Tx, entry: &Entry) -> String {
    let id = new_id(Kind::BalanceTransaction);
    let Entry { kind, amount, fee, source } = *entry;
    let of = tx.get(source.0, source.1).map(|doc| doc.object.clone()).unwrap_or_default();
    let fee_details = json!([{
        "amount": fee, "application": null, "currency": of["currency"], "description": "Stripe processing fees",
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
        "description": of["description"],
        "exchange_rate": null,
        "fee": fee,
        "fee_details": if fee == 0 { json!([]) } else { fee_details },
        "net": amount - fee,
        "reporting_category": kind,
        "source": source.1,
        "status": "available",
        "type": kind,
    });
    tx.insert(Kind::BalanceTransaction, object, Value::Null);
    id
}
