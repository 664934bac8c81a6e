//! Credit notes, of an open and of a paid invoice.

use serde_json::Value;

use super::Checked;
use crate::support::id;

/// A finalized invoice with a line, a discount and a tax.
async fn invoice(checked: &mut Checked) -> Value {
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [("display_name", "VAT"), ("inclusive", "false"), ("percentage", "10")];
    let rate = id(&checked.post("/v1/tax_rates", &form).await);
    let coupon = id(&checked.post("/v1/coupons", &[("percent_off", "50"), ("duration", "once")]).await);
    let form = [("customer", &*customer), ("amount", "4000"), ("currency", "usd"), ("tax_rates[]", &rate)];
    checked.post("/v1/invoiceitems", &form).await;
    let form = [
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
        ("discounts[0][coupon]", &coupon),
    ];
    let draft = id(&checked.post("/v1/invoices", &form).await);
    checked.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await
}

pub(super) async fn credit_notes(checked: &mut Checked) {
    let open = invoice(checked).await;
    let (invoice_id, line) = (id(&open), id(&open["lines"]["data"][0]));
    let of_line = [
        ("invoice", &*invoice_id),
        ("lines[0][type]", "invoice_line_item"),
        ("lines[0][invoice_line_item]", &line),
        ("lines[0][amount]", "1000"),
        ("lines[0][metadata][a]", "b"),
        ("reason", "order_change"),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(of_line).finish();
    checked.get(&format!("/v1/credit_notes/preview?{query}")).await;
    checked.get(&format!("/v1/credit_notes/preview/lines?{query}&limit=1")).await;
    let note = id(&checked.post("/v1/credit_notes", &of_line).await);
    let expand = "expand[]=invoice&expand[]=customer&expand[]=discount_amounts.discount\
                  &expand[]=total_taxes.tax_rate_details.tax_rate";
    checked.get(&format!("/v1/credit_notes/{note}?{expand}")).await;
    checked.get(&format!("/v1/credit_notes/{note}/lines")).await;
    checked.post(&format!("/v1/credit_notes/{note}"), &[("memo", "Sorry"), ("metadata[a]", "b")]).await;
    checked.post(&format!("/v1/credit_notes/{note}/void"), &[]).await;

    checked.post(&format!("/v1/invoices/{invoice_id}/pay"), &[]).await;
    let form = [
        ("invoice", &*invoice_id),
        ("lines[0][type]", "custom_line_item"),
        ("lines[0][unit_amount_decimal]", "100.5"),
        ("lines[0][quantity]", "2"),
        ("lines[0][description]", "Goodwill"),
        ("refund_amount", "100"),
        ("credit_amount", "60"),
        ("out_of_band_amount", "41"),
        ("expand[]", "refunds.refund"),
        ("expand[]", "customer_balance_transaction"),
    ];
    checked.post("/v1/credit_notes", &form).await;
    checked.get(&format!("/v1/credit_notes?invoice={invoice_id}")).await;
}
