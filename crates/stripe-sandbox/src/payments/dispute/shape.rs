//! A new dispute, with every field that Stripe shows.

use serde_json::{Map, Value, json};

use crate::cards::Disputing;
use crate::engine::Kind;
use crate::engine::objects::{Charge, DisputeStatus};

/// What evidence there can be.
const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// The dispute of a charge, of what is left of it.
pub(super) fn dispute(id: &str, charge: &Value, disputing: Disputing, now: i64, due_by: i64) -> Value {
    let of = Charge(charge);
    let is_inquiry = disputing == Disputing::Inquiry;
    // The network's codes are Visa's: 10.4 is other fraud without the card, 13.1 goods or services that never came.
    let (reason, code) = match disputing {
        Disputing::Fraudulent => ("fraudulent", "10.4"),
        Disputing::ProductNotReceived => ("product_not_received", "13.1"),
        // As in the samples of Stripe's reference.
        Disputing::Inquiry => ("general", "10.4"),
    };
    let status = if is_inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse };
    let card = &charge["payment_method_details"]["card"];
    let mut evidence: Map<String, Value> =
        EVIDENCE.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    for (name, known) in [
        ("customer_email_address", &charge["billing_details"]["email"]),
        ("customer_name", &charge["billing_details"]["name"]),
    ] {
        evidence.insert(name.to_owned(), known.clone());
    }
    evidence.insert("enhanced_evidence".to_owned(), json!({}));
    json!({
        "id": id,
        "object": Kind::Dispute.object(),
        "amount": of.amount_captured() - of.amount_refunded(),
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": of.currency(),
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": due_by, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": false,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": card["brand"],
                "case_type": if is_inquiry { "inquiry" } else { "chargeback" },
                "network": card["network"],
                "network_reason_code": code,
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    })
}
