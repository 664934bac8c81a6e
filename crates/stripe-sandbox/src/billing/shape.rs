//! New subscriptions and invoices, with every field that Stripe shows.

use serde_json::{Value, json};

use super::timing::Timing;
use crate::engine::objects::{InvoiceStatus, Subscription, SubscriptionStatus};
use crate::engine::{Kind, Tx, join};
use crate::http::given;

/// How long a draft that finalizes itself may still be changed, in seconds.
pub(super) const DRAFT_SECONDS: i64 = 3600;

/// A subscription as it starts: incomplete, and without its items, which are documents of their own.
pub(super) fn subscription(tx: &Tx, id: &str, params: &Value, currency: &str, timing: &Timing) -> Value {
    let settings = &params["payment_settings"];
    let customer = tx.shown(Kind::Customer, params["customer"].as_str().unwrap_or_default());
    let test_clock = &customer["test_clock"];
    let ending = &params["trial_settings"]["end_behavior"]["missing_payment_method"];
    join([
        json!({
            "id": id,
            "object": "subscription",
            "application": null,
            "application_fee_percent": null,
            "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
            "billing_cycle_anchor": timing.anchor,
            "billing_cycle_anchor_config": null,
            "billing_mode": {
                "type": "flexible",
                "flexible": {
                    "proration_discounts":
                        params["billing_mode"]["flexible"]["proration_discounts"].as_str().unwrap_or("included"),
                },
                "updated_at": tx.now(),
            },
            "billing_schedules": [],
            "billing_thresholds": null,
            "cancel_at": null,
            "cancel_at_period_end": false,
            "canceled_at": null,
            "cancellation_details": {"comment": null, "feedback": null, "feedback_option": null, "reason": null},
            "collection_method": given(params, "collection_method", json!("charge_automatically")),
            "created": tx.now(),
            "currency": currency,
            "customer": params["customer"],
            "customer_account": null,
            "days_until_due": params["days_until_due"],
            "default_payment_method": params["default_payment_method"],
            "default_source": null,
            "default_tax_rates": [],
        }),
        json!({
            "description": params["description"],
            "discounts": [],
            "ended_at": null,
            "invoice_settings": {
                "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
                "issuer": {"type": "self"},
            },
            "latest_invoice": null,
            "livemode": false,
            "managed_payments": {"enabled": false},
            "metadata": given(params, "metadata", json!({})),
            "next_pending_invoice_item_invoice": null,
            "on_behalf_of": null,
            "pause_collection": null,
            "payment_settings": {
                "payment_method_options": settings["payment_method_options"],
                "payment_method_types": settings["payment_method_types"],
                "save_default_payment_method":
                    settings["save_default_payment_method"].as_str().unwrap_or("off"),
            },
            "pending_invoice_item_interval": null,
            "pending_setup_intent": null,
            "pending_update": null,
            "schedule": null,
            "start_date": timing.start_date,
            "status": SubscriptionStatus::Incomplete,
            "test_clock": test_clock,
            "transfer_data": null,
            "trial_end": timing.trial.map(|(_, end)| end),
            "trial_settings": {"end_behavior": {
                "billing_cycle_anchor": "now",
                "missing_payment_method": ending.as_str().unwrap_or("create_invoice"),
            }},
            "trial_start": timing.trial.map(|(start, _)| start),
        }),
    ])
}

/// A customer's tax ids, as invoices show them.
fn tax_ids(tx: &Tx, customer: &str) -> Vec<Value> {
    let mine = tx.all(Kind::TaxId).filter(|doc| doc.object["customer"] == customer);
    mine.map(|doc| json!({"type": doc.object["type"], "value": doc.object["value"]})).collect()
}

/// What a new invoice is of.
pub(super) struct NewInvoice<'a> {
    pub(super) customer: &'a str,
    pub(super) currency: &'a str,
    pub(super) collection_method: &'a str,
    pub(super) reason: &'a str,
    /// Unix seconds.
    pub(super) period: (i64, i64),
    /// The subscription as the API shows it, or null.
    pub(super) subscription: &'a Value,
}

impl<'a> NewInvoice<'a> {
    pub(super) fn of_subscription(subscription: &'a Value, reason: &'a str, period: (i64, i64)) -> Self {
        Self {
            customer: Subscription(subscription).customer(),
            currency: subscription["currency"].as_str().unwrap_or_default(),
            collection_method: subscription["collection_method"].as_str().unwrap_or_default(),
            reason,
            period,
            subscription,
        }
    }

    fn parent(&self) -> Value {
        let subscription = self.subscription;
        if subscription.is_null() {
            return Value::Null;
        }
        json!({
            "quote_details": null,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
            "type": "subscription_details",
        })
    }
}

/// A draft with these lines, which are still to be summed up.
pub(super) fn invoice(tx: &Tx, id: &str, new: &NewInvoice, rows: Vec<Value>) -> Value {
    let now = tx.now();
    let (customer_id, subscription) = (new.customer, new.subscription);
    let customer = tx.shown(Kind::Customer, customer_id);
    join([
        json!({
            "id": id,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Stripe sandbox",
            "account_tax_ids": null,
            "amount_due": 0,
            "amount_overpaid": 0,
            "amount_paid": 0,
            "amount_paid_off_stripe": 0,
            "amount_remaining": 0,
            "amount_shipping": 0,
            "application": null,
            "attempt_count": 0,
            "attempted": false,
            "auto_advance": true,
            "automatic_tax": {
                "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null,
            },
            "automatically_finalizes_at": now + DRAFT_SECONDS,
            "billing_reason": new.reason,
            "collection_method": new.collection_method,
            "created": now,
            "currency": new.currency,
            "custom_fields": null,
            "customer": customer_id,
            "customer_account": null,
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_phone": customer["phone"],
        }),
        json!({
            "customer_shipping": customer["shipping"],
            "customer_tax_exempt": customer["tax_exempt"],
            "customer_tax_ids": tax_ids(tx, customer_id),
            "default_payment_method": null,
            "default_source": null,
            "default_tax_rates": [],
            "description": null,
            "discounts": [],
            "due_date": null,
            "effective_at": null,
            "ending_balance": null,
            "footer": null,
            "from_invoice": null,
            "hosted_invoice_url": null,
            "invoice_pdf": null,
            "issuer": {"type": "self"},
            "last_finalization_error": null,
            "latest_revision": null,
            "lines": {
                "object": "list", "data": rows, "has_more": false, "total_count": rows.len(),
                "url": format!("/v1/invoices/{id}/lines"),
            },
        }),
        json!({
            "livemode": false,
            "metadata": {},
            "next_payment_attempt": null,
            "number": null,
            "on_behalf_of": null,
            "parent": new.parent(),
            "payment_settings": {
                "default_mandate": null,
                "payment_method_options": null,
                "payment_method_types": subscription["payment_settings"]["payment_method_types"],
            },
            "period_end": new.period.1,
            "period_start": new.period.0,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "receipt_number": null,
            "rendering": null,
            "shipping_cost": null,
            "shipping_details": null,
            "starting_balance": 0,
            "statement_descriptor": null,
            "status": InvoiceStatus::Draft,
            "status_transitions": {
                "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
            },
            "subtotal": 0,
            "subtotal_excluding_tax": 0,
            "test_clock": customer["test_clock"],
            "total": 0,
            "total_discount_amounts": [],
            "total_excluding_tax": 0,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": now,
        }),
    ])
}
