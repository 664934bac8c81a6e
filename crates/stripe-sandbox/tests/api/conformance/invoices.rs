//! Invoices: of subscriptions, and made by hand.

use super::Checked;
use crate::support::{id, intent_of};

pub(super) async fn invoices(checked: &mut Checked, price: &str) {
    let incomplete = [("payment_behavior", "default_incomplete")];
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let customer = checked.sandbox.customer(&[]).await;
        let subscription = checked.sandbox.subscribe(&customer, price, &incomplete).await.ok();
        assert_eq!(intent_of(&subscription)["object"], "payment_intent");
        numbers.push(id(&subscription["latest_invoice"]));
    }
    let [paid, void, given_up] = &numbers[..] else { unreachable!() };
    let path = format!("/v1/invoices/{paid}");
    checked
        .get(&format!("{path}?expand[]=payments.data.payment.payment_intent&expand[]=confirmation_secret"))
        .await;
    checked.declined(&format!("{path}/pay"), &[("payment_method", "pm_card_chargeDeclined")]).await;
    checked.post(&format!("{path}/pay"), &[("payment_method", "pm_card_visa")]).await;
    checked.get(&format!("{path}/lines")).await;
    checked.post(&format!("/v1/invoices/{void}/void"), &[]).await;
    checked.post(&format!("/v1/invoices/{given_up}/mark_uncollectible"), &[]).await;

    let customer = checked.sandbox.customer(&[]).await;
    let sent = [("collection_method", "send_invoice"), ("days_until_due", "30")];
    let subscription = checked.sandbox.subscribe(&customer, price, &sent).await.ok();
    let draft = id(&subscription["latest_invoice"]);
    assert_eq!(checked.get(&format!("/v1/invoices/{draft}")).await["status"], "draft");
    checked.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await;
    let payments = checked.get(&format!("/v1/invoice_payments?invoice={paid}")).await;
    checked.get(&format!("/v1/invoice_payments/{}?expand[]=invoice", id(&payments["data"][0]))).await;
}

pub(super) async fn hand_made_invoices(checked: &mut Checked) {
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [("customer", &*customer), ("amount", "900"), ("currency", "usd"), ("description", "Work")];
    let item = id(&checked.post("/v1/invoiceitems", &form).await);
    checked.post(&format!("/v1/invoiceitems/{item}"), &[("amount", "1000"), ("metadata[a]", "b")]).await;
    checked.get(&format!("/v1/invoiceitems/{item}?expand[]=customer")).await;
    checked.get("/v1/invoiceitems?pending=true").await;
    let spare = id(&checked.post("/v1/invoiceitems", &form).await);
    checked.call("DELETE", &format!("/v1/invoiceitems/{spare}"), &[]).await.ok();
    let form = [
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
        ("collection_method", "send_invoice"),
        ("days_until_due", "3"),
        ("custom_fields[0][name]", "Order"),
        ("custom_fields[0][value]", "7"),
    ];
    let draft = id(&checked.post("/v1/invoices", &form).await);
    checked.post(&format!("/v1/invoices/{draft}"), &[("description", "For work")]).await;
    checked.post(&format!("/v1/invoices/{draft}/send"), &[]).await;
    let other = id(&checked.post("/v1/invoices", &[("customer", &customer)]).await);
    checked.call("DELETE", &format!("/v1/invoices/{other}"), &[]).await.ok();

    let path = format!("/v1/customers/{customer}/balance_transactions");
    let entry = id(&checked.post(&path, &[("amount", "-500"), ("currency", "usd")]).await);
    checked.get(&path).await;
    checked.post(&format!("{path}/{entry}"), &[("description", "Sorry")]).await;
    checked.get(&format!("{path}/{entry}")).await;
}
