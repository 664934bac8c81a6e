//! The balance of a customer: credits that reduce the next invoices, debts that they add.
//!
//! Source: <https://docs.stripe.com/billing/customer/balance>

use serde_json::{Value, json};

use crate::engine::objects::Customer;
use crate::engine::{Kind, Tx, new_id};

const KIND: Kind = Kind::CustomerBalanceTransaction;

/// What a transaction is, and what it stands for.
pub(crate) struct Entry<'a> {
    pub(crate) kind: &'a str,
    /// In minor units; negative in the customer's favour.
    pub(crate) amount: i64,
    pub(crate) currency: &'a str,
    pub(crate) invoice: Option<&'a str>,
    pub(crate) credit_note: Option<&'a str>,
    pub(crate) description: Value,
    pub(crate) metadata: Value,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(kind: &'a str, amount: i64, currency: &'a str) -> Self {
        Self {
            kind,
            amount,
            currency,
            invoice: None,
            credit_note: None,
            description: Value::Null,
            metadata: json!({}),
        }
    }
}

/// The balance in minor units; negative in the customer's favour.
pub(crate) fn of(tx: &Tx, customer: &str) -> i64 {
    tx.get(Kind::Customer, customer).map(|doc| Customer(&doc.object).balance()).unwrap_or_default()
}

/// Changes the balance, and keeps why. Returns the transaction's id.
pub(crate) fn post(tx: &mut Tx, customer: &str, entry: Entry) -> String {
    let id = new_id(KIND);
    let ending = of(tx, customer) + entry.amount;
    tx.update(Kind::Customer, customer, "customer.updated", |doc| {
        doc.object["balance"] = json!(ending);
        if Customer(&doc.object).currency().is_none() {
            doc.object["currency"] = json!(entry.currency);
        }
    });
    let object = json!({
        "id": id,
        "object": KIND.object(),
        "amount": entry.amount,
        "checkout_session": null,
        "created": tx.now(),
        "credit_note": entry.credit_note,
        "currency": entry.currency,
        "customer": customer,
        "customer_account": null,
        "description": entry.description,
        "ending_balance": ending,
        "invoice": entry.invoice,
        "livemode": false,
        "metadata": entry.metadata,
        "type": entry.kind,
    });
    tx.insert(KIND, object, Value::Null);
    id
}
