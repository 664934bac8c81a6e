//! Payments, refunds, and cards set up for later.

use super::Checked;
use crate::support::id;

pub(super) async fn payment_intents(checked: &mut Checked, customer: &str) {
    let money = [("amount", "1099"), ("currency", "usd")];
    let intent = id(&checked.post("/v1/payment_intents", &money).await);
    let path = format!("/v1/payment_intents/{intent}");
    checked.post(&path, &[("metadata[a]", "b"), ("payment_method", "pm_card_authenticationRequired")]).await;
    checked.post(&format!("{path}/confirm"), &[("return_url", "https://example.test/back")]).await;
    checked.sandbox.authenticate(&intent, true).await;
    checked.get(&format!("{path}?expand[]=latest_charge.balance_transaction&expand[]=payment_method")).await;

    let cards = ("payment_method_types[]", "card");
    let form = [&money[..], &[("payment_method", "pm_card_chargeCustomerFail"), ("confirm", "true"), cards]]
        .concat();
    checked.declined("/v1/payment_intents", &form).await;
    let form = [("customer", customer), ("payment_method", "pm_card_visa"), ("confirm", "true"), cards];
    let form =
        [&money[..], &form, &[("capture_method", "manual"), ("setup_future_usage", "off_session")]].concat();
    let held = id(&checked.post("/v1/payment_intents", &form).await);
    checked.post(&format!("/v1/payment_intents/{held}/capture"), &[("amount_to_capture", "1000")]).await;
    let idle = id(&checked.post("/v1/payment_intents", &money).await);
    checked
        .post(&format!("/v1/payment_intents/{idle}/cancel"), &[("cancellation_reason", "abandoned")])
        .await;
    checked.get("/v1/payment_intents?expand[]=data.customer").await;
    let charges = checked.get("/v1/charges?expand[]=data.refunds&expand[]=data.payment_intent").await;
    checked.get(&format!("/v1/charges/{}", id(&charges["data"][0]))).await;
    refunds(checked, charges["data"][0]["id"].as_str().unwrap()).await;
    let money = checked.get("/v1/balance_transactions?expand[]=data.source").await;
    checked.get(&format!("/v1/balance_transactions/{}", id(&money["data"][0]))).await;
    checked.get("/v1/balance").await;
}

async fn refunds(checked: &mut Checked, charge: &str) {
    let form = [("charge", charge), ("amount", "100"), ("expand[]", "balance_transaction.source")];
    let refund = id(&checked.post("/v1/refunds", &form).await);
    let path = format!("/v1/refunds/{refund}");
    checked.get(&format!("{path}?expand[]=charge&expand[]=payment_intent")).await;
    checked.post(&path, &[("metadata[a]", "b")]).await;
    checked.call("POST", &format!("{path}/cancel"), &[]).await.error(400);
    checked.get("/v1/refunds").await;
    let form = [("reason", "requested_by_customer")];
    checked.post(&format!("/v1/charges/{charge}/refunds"), &form).await;
    checked.get(&format!("/v1/charges/{charge}/refunds")).await;
    checked.get(&format!("/v1/charges/{charge}?expand[]=refunds")).await;
    let form = [("description", "x"), ("fraud_details[user_report]", "safe"), ("shipping[name]", "A")];
    let form = [&form[..], &[("shipping[address][line1]", "1 Way")]].concat();
    checked.post(&format!("/v1/charges/{charge}"), &form).await;
    let form = [
        ("amount", "700"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("capture_method", "manual"),
        ("confirm", "true"),
    ];
    let held = checked.post("/v1/payment_intents", &form).await;
    checked.post(&format!("/v1/charges/{}/capture", held["latest_charge"].as_str().unwrap()), &[]).await;
}

pub(super) async fn setup_intents(checked: &mut Checked, customer: &str) {
    let form = [
        ("customer", customer),
        ("payment_method", "pm_card_authenticationRequiredOnSetup"),
        ("confirm", "true"),
        ("payment_method_types[]", "card"),
    ];
    let intent = id(&checked.post("/v1/setup_intents", &form).await);
    checked.sandbox.authenticate(&intent, false).await;
    let path = format!("/v1/setup_intents/{intent}");
    checked.get(&path).await;
    checked.post(&path, &[("payment_method", "pm_card_visa"), ("description", "again")]).await;
    checked.post(&format!("{path}/confirm"), &[("expand[]", "latest_attempt.payment_method")]).await;
    checked.get(&format!("/v1/setup_attempts?setup_intent={intent}")).await;
    let idle = id(&checked
        .post("/v1/setup_intents", &[("usage", "on_session"), ("payment_method_types[]", "card")])
        .await);
    checked
        .declined(
            &format!("/v1/setup_intents/{idle}/confirm"),
            &[("payment_method", "pm_card_chargeDeclined")],
        )
        .await;
    checked.post(&format!("/v1/setup_intents/{idle}/cancel"), &[]).await;
    checked.get("/v1/setup_intents?expand[]=data.payment_method").await;
}
