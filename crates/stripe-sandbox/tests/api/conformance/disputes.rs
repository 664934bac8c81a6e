//! Disputes, each by the test card that brings it about.

use super::Checked;
use crate::support::id;

pub(super) async fn disputes(checked: &mut Checked) {
    for (card, evidence) in [
        ("pm_card_createDispute", "winning_evidence"),
        ("pm_card_createDisputeProductNotReceived", "losing_evidence"),
        ("pm_card_createDisputeInquiry", "escalate_inquiry_evidence"),
    ] {
        let form = [
            ("amount", "2500"),
            ("currency", "usd"),
            ("payment_method", card),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
        ];
        let intent = id(&checked.post("/v1/payment_intents", &form).await);
        let list = checked.get(&format!("/v1/disputes?payment_intent={intent}&expand[]=data.charge")).await;
        let path = format!("/v1/disputes/{}", id(&list["data"][0]));
        let form = [("evidence[uncategorized_text]", evidence), ("metadata[a]", "b")];
        checked.post(&path, &form).await;
        checked.get(&format!("{path}?expand[]=payment_intent")).await;
    }
    let escalated = id(&checked.get("/v1/disputes?limit=1").await["data"][0]);
    checked.post(&format!("/v1/disputes/{escalated}/close"), &[]).await;
    checked.get("/v1/balance_transactions?type=adjustment&expand[]=data.source").await;
    checked.get("/v1/charges?expand[]=data.dispute").await;
}
