//! Payments that a cardholder's bank disputes: what it takes, what it is answered, and how that ends.

use chrono::Duration as Span;
use serde_json::{Value, json};

use super::support::{Sandbox, id};

/// A payment of $29.99 with a card, and the dispute that comes of it, if one does.
async fn pay(sandbox: &Sandbox, card: &str) -> (Value, Option<Value>) {
    let form = [
        ("amount", "2999"),
        ("currency", "usd"),
        ("payment_method", card),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    let intent = sandbox.post("/v1/payment_intents", &form).await.ok();
    let list = sandbox.get(&format!("/v1/disputes?payment_intent={}", id(&intent))).await.ok();
    (intent, list["data"].as_array().unwrap().first().cloned())
}

async fn disputed(sandbox: &Sandbox, card: &str) -> Value {
    pay(sandbox, card).await.1.unwrap()
}

async fn answer(sandbox: &Sandbox, dispute: &Value, form: &[(&str, &str)]) -> Value {
    sandbox.post(&format!("/v1/disputes/{}", id(dispute)), form).await.ok()
}

async fn seen(sandbox: &Sandbox, dispute: &Value) -> Value {
    sandbox.get(&format!("/v1/disputes/{}", id(dispute))).await.ok()
}

/// What is in the balance, in cents.
async fn balance(sandbox: &Sandbox) -> Value {
    sandbox.get("/v1/balance").await.ok()["available"][0]["amount"].clone()
}

async fn dispute_events(sandbox: &Sandbox) -> Vec<String> {
    let all = sandbox.event_types().await;
    let ours = all.iter().filter_map(|event| event.strip_prefix("charge.dispute."));
    ours.map(str::to_owned).collect()
}

/// $29.99 less Stripe's fee.
const NET: i64 = 2999 - 117;

#[tokio::test]
async fn a_bank_takes_the_money_and_gives_it_back_for_evidence_that_wins() {
    let sandbox = Sandbox::start().await;
    let dispute = disputed(&sandbox, "pm_card_createDispute").await;
    assert_eq!((&dispute["status"], &dispute["reason"]), (&json!("needs_response"), &json!("fraudulent")));
    assert_eq!((&dispute["amount"], &dispute["is_charge_refundable"]), (&json!(2999), &json!(false)));
    let taken = &dispute["balance_transactions"][0];
    assert_eq!(
        (&taken["amount"], &taken["fee"], &taken["type"]),
        (&json!(-2999), &json!(1500), &json!("adjustment"))
    );
    assert_eq!(balance(&sandbox).await, NET - 2999 - 1500);
    let charge = dispute["charge"].as_str().unwrap();
    let shown = sandbox.get(&format!("/v1/charges/{charge}?expand[]=dispute")).await.ok();
    assert_eq!((&shown["disputed"], &shown["dispute"]["id"]), (&json!(true), &dispute["id"]));
    let error = sandbox.post("/v1/refunds", &[("charge", charge)]).await.error(400);
    assert_eq!(error["code"], "charge_disputed");
    assert_eq!(dispute_events(&sandbox).await, ["created", "funds_withdrawn"]);

    let form = [("evidence[uncategorized_text]", "winning_evidence"), ("evidence[customer_name]", "Ada")];
    let answered = answer(&sandbox, &dispute, &form).await;
    assert_eq!(
        (&answered["status"], &answered["evidence"]["customer_name"]),
        (&json!("under_review"), &json!("Ada"))
    );
    assert_eq!(answered["evidence_details"]["submission_count"], 1);
    assert_eq!(seen(&sandbox, &dispute).await["status"], "won");
    assert_eq!(balance(&sandbox).await, NET);
    let events = ["created", "funds_withdrawn", "updated", "funds_reinstated", "closed"];
    assert_eq!(dispute_events(&sandbox).await, events);
    sandbox.post(&format!("/v1/disputes/{}/close", id(&dispute)), &[]).await.error(400);
    sandbox.post("/v1/refunds", &[("charge", charge)]).await.ok();
}

#[tokio::test]
async fn evidence_that_loses_none_in_time_and_giving_up_lose_the_money() {
    let sandbox = Sandbox::start().await;
    let card = "pm_card_createDisputeProductNotReceived";
    let (lost, late, given_up) =
        (disputed(&sandbox, card).await, disputed(&sandbox, card).await, disputed(&sandbox, card).await);
    assert_eq!(lost["reason"], "product_not_received");
    answer(&sandbox, &lost, &[("evidence[uncategorized_text]", "losing_evidence")]).await;
    let closed = sandbox.post(&format!("/v1/disputes/{}/close", id(&given_up)), &[]).await.ok();
    assert_eq!(closed["status"], "lost");
    assert_eq!(seen(&sandbox, &lost).await["status"], "lost");
    let due = late["evidence_details"]["due_by"].as_i64().unwrap();
    assert_eq!(due % 86_400, 86_399, "the end of a day");
    sandbox.clock.advance(Span::seconds(due - sandbox.clock.now().timestamp()));
    assert_eq!(seen(&sandbox, &late).await["status"], "needs_response", "the last second counts");
    sandbox.clock.advance(Span::seconds(1));
    let after = seen(&sandbox, &late).await;
    assert_eq!((&after["status"], &after["evidence_details"]["past_due"]), (&json!("lost"), &json!(true)));
    assert_eq!(balance(&sandbox).await, 3 * (NET - 2999 - 1500));
    let error = sandbox
        .post(&format!("/v1/disputes/{}", id(&late)), &[("evidence[uncategorized_text]", "winning_evidence")])
        .await
        .error(400);
    assert_eq!(error["param"], "evidence");
}

#[tokio::test]
async fn an_inquiry_takes_nothing_until_it_is_escalated() {
    let sandbox = Sandbox::start().await;
    let asked = disputed(&sandbox, "pm_card_createDisputeInquiry").await;
    assert_eq!(asked["status"], "warning_needs_response");
    assert_eq!(asked["payment_method_details"]["card"]["case_type"], "inquiry");
    assert_eq!((&asked["is_charge_refundable"], &asked["balance_transactions"]), (&json!(true), &json!([])));
    assert_eq!(balance(&sandbox).await, NET);
    let form = [("charge", asked["charge"].as_str().unwrap()), ("amount", "999")];
    sandbox.post("/v1/refunds", &form).await.ok();

    let form = [("evidence[uncategorized_text]", "escalate_inquiry_evidence")];
    assert_eq!(answer(&sandbox, &asked, &form).await["status"], "warning_under_review");
    let now = seen(&sandbox, &asked).await;
    assert_eq!((&now["status"], &now["is_charge_refundable"]), (&json!("needs_response"), &json!(false)));
    assert_eq!(now["balance_transactions"][0]["amount"], -2000, "what was refunded isn't taken again");
    assert_eq!(balance(&sandbox).await, NET - 999 - 2000 - 1500);

    let other = disputed(&sandbox, "pm_card_createDisputeInquiry").await;
    sandbox.clock.advance(Span::days(120));
    assert_eq!(seen(&sandbox, &other).await["status"], "warning_closed");
}

#[tokio::test]
async fn evidence_is_kept_until_it_is_to_be_submitted() {
    let sandbox = Sandbox::start().await;
    let dispute = disputed(&sandbox, "pm_card_createDispute").await;
    let form = [("evidence[uncategorized_text]", "winning_evidence"), ("submit", "false")];
    let kept = answer(&sandbox, &dispute, &form).await;
    let details = &kept["evidence_details"];
    assert_eq!((&details["has_evidence"], &details["submission_count"]), (&json!(true), &json!(0)));
    let noted = answer(&sandbox, &dispute, &[("metadata[a]", "b")]).await;
    assert_eq!((&noted["status"], &noted["metadata"]), (&json!("needs_response"), &json!({"a": "b"})));
    assert_eq!(answer(&sandbox, &dispute, &[("submit", "true")]).await["status"], "under_review");
    assert_eq!(seen(&sandbox, &dispute).await["status"], "won");
}

#[tokio::test]
async fn fraud_is_the_banks_matter_after_3d_secure() {
    let sandbox = Sandbox::start().await;
    for (card, expected) in
        [("pm_card_createDispute", false), ("pm_card_createDisputeProductNotReceived", true)]
    {
        let form = [
            ("amount", "2999"),
            ("currency", "usd"),
            ("payment_method", card),
            ("payment_method_types[]", "card"),
            ("payment_method_options[card][request_three_d_secure]", "any"),
            ("return_url", "https://app.test"),
            ("confirm", "true"),
        ];
        let intent = id(&sandbox.post("/v1/payment_intents", &form).await.ok());
        sandbox.authenticate(&intent, true).await;
        let list = sandbox.get(&format!("/v1/disputes?payment_intent={intent}")).await.ok();
        assert_eq!(!list["data"].as_array().unwrap().is_empty(), expected, "{card}");
    }
}

#[tokio::test]
async fn other_cards_are_not_disputed_and_a_held_payment_is_once_it_is_captured() {
    let sandbox = Sandbox::start().await;
    assert_eq!(pay(&sandbox, "pm_card_visa").await.1, None);
    let form = [
        ("amount", "2999"),
        ("currency", "usd"),
        ("payment_method", "pm_card_createDispute"),
        ("payment_method_types[]", "card"),
        ("capture_method", "manual"),
        ("confirm", "true"),
    ];
    let held = id(&sandbox.post("/v1/payment_intents", &form).await.ok());
    assert_eq!(sandbox.get("/v1/disputes").await.ok()["data"], json!([]));
    sandbox.post(&format!("/v1/payment_intents/{held}/capture"), &[("amount_to_capture", "1000")]).await.ok();
    assert_eq!(sandbox.get("/v1/disputes").await.ok()["data"][0]["amount"], 1000);
}
