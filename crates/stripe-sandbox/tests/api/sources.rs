//! Cards of the old kind: a customer's sources, which pay like payment methods do.

use serde_json::{Value, json};

use super::support::{Sandbox, id};

async fn kept(sandbox: &Sandbox, customer: &str) -> Vec<Value> {
    let list = sandbox.get(&format!("/v1/customers/{customer}/sources")).await.ok();
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_customer_made_with_a_source_pays_with_it() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[("source", "tok_visa")]).await;
    let path = format!("/v1/customers/{customer}");
    let seen = sandbox.get(&format!("{path}?expand[]=default_source&expand[]=sources")).await.ok();
    let card = &seen["default_source"];
    assert_eq!((&card["object"], &card["brand"]), (&json!("card"), &json!("Visa")));
    assert_eq!((&card["customer"], &seen["sources"]["data"][0]["id"]), (&json!(customer), &card["id"]));
    let price = sandbox.price(1000).await;
    let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!((&begun["status"], &begun["latest_invoice"]["amount_paid"]), (&json!("active"), &json!(1000)));
    let charges = sandbox.running.sandbox().list("charges");
    assert_eq!(charges[0]["payment_method"], card["id"]);
}

#[tokio::test]
async fn sources_are_added_changed_preferred_and_taken_away() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let path = format!("/v1/customers/{customer}/sources");
    let first = sandbox.post(&path, &[("source", "tok_visa"), ("metadata[a]", "b")]).await.ok();
    assert_eq!((&first["customer"], &first["metadata"]["a"]), (&json!(customer), &json!("b")));
    let form = [
        ("card[number]", "5555555555554444"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "34"),
        ("card[cvc]", "123"),
    ];
    let token = sandbox.post("/v1/tokens", &form).await.ok();
    let second = sandbox.post(&path, &[("source", token["id"].as_str().unwrap())]).await.ok();
    assert_eq!((&second["id"], &second["brand"]), (&token["card"]["id"], &json!("MasterCard")));
    let used = sandbox.post(&path, &[("source", token["id"].as_str().unwrap())]).await.error(400);
    assert_eq!((&used["code"], &used["param"]), (&json!("token_already_used"), &json!("source")));
    let own = format!("{path}/{}", id(&first));
    let form = [("name", "Ada"), ("address_zip", "12345"), ("exp_year", "2040"), ("metadata[a]", "c")];
    let changed = sandbox.post(&own, &form).await.ok();
    assert_eq!(
        (&changed["name"], &changed["address_zip"], &changed["exp_year"], &changed["metadata"]["a"]),
        (&json!("Ada"), &json!("12345"), &json!(2040), &json!("c"))
    );
    assert_eq!(sandbox.get(&own).await.ok(), changed);
    let of = format!("/v1/customers/{customer}");
    assert_eq!(sandbox.get(&of).await.ok()["default_source"], first["id"]);
    let preferred = sandbox.post(&of, &[("default_source", &id(&second))]).await.ok();
    assert_eq!(preferred["default_source"], second["id"]);
    sandbox.delete(&format!("{path}/{}", id(&second))).await.ok();
    assert_eq!(sandbox.get(&of).await.ok()["default_source"], first["id"]);
    assert_eq!(kept(&sandbox, &customer).await.len(), 1);
    sandbox.delete(&format!("{path}/{}", id(&second))).await.error(404);
    let declined = sandbox.post(&path, &[("source", "tok_chargeDeclined")]).await.error(402);
    assert_eq!(declined["code"], "card_declined");
    let stranger = sandbox.customer(&[]).await;
    sandbox.get(&format!("/v1/customers/{stranger}/sources/{}", id(&first))).await.error(404);
    let types = sandbox.event_types().await;
    let told: Vec<_> = types.iter().filter_map(|kind| kind.strip_prefix("customer.source.")).collect();
    assert_eq!(told, ["created", "created", "updated", "deleted"]);
}
