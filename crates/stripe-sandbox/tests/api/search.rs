//! Stripe's query language, over every collection that can be searched.

use serde_json::{Value, json};

use super::support::{Sandbox, id};

async fn found(sandbox: &Sandbox, collection: &str, query: &str) -> Vec<Value> {
    let query = url::form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>();
    let answer = sandbox.get(&format!("/v1/{collection}/search?query={query}")).await.ok();
    assert_eq!(answer["object"], "search_result");
    answer["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn objects_are_found_by_what_is_known_of_them() {
    let sandbox = Sandbox::start().await;
    let form = [
        ("email", "ada@example.test"),
        ("name", "Ada"),
        ("metadata[group]", "1"),
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
    ];
    let customer = sandbox.customer(&form).await;
    sandbox.customer(&[("email", "bo@example.test")]).await;
    let price = sandbox.price(2999).await;
    let subscription = sandbox.subscribe(&customer, &price, &[]).await.ok();
    let invoice = &subscription["latest_invoice"];
    let number = format!("number:'{}'", invoice["number"].as_str().unwrap());
    let of_subscription = format!("subscription:'{}' AND total>2998", id(&subscription));
    for (collection, query) in [
        ("customers", "email~'ada@' AND metadata['group']:'1'"),
        ("subscriptions", "status:'active' AND created>0"),
        ("invoices", &number),
        ("invoices", &of_subscription),
        ("prices", "active:'true' AND type:'recurring'"),
        ("products", "name:'basic'"),
        ("payment_intents", "status:'succeeded' AND amount:2999"),
        ("charges", "payment_method_details.card.last4:4242 AND -refunded:'true'"),
    ] {
        assert_eq!(found(&sandbox, collection, query).await.len(), 1, "{collection} {query}");
    }
    assert!(found(&sandbox, "subscriptions", "status:'canceled'").await.is_empty());
    let refused = sandbox.get("/v1/customers/search?query=colour:%27red%27").await.error(400);
    assert_eq!(refused["param"], "query");
    sandbox.get("/v1/customers/search").await.error(400);
}

#[tokio::test]
async fn a_search_goes_on_page_by_page_whatever_is_made_meanwhile() {
    let sandbox = Sandbox::start().await;
    for index in 0..5 {
        sandbox.customer(&[("name", "Ada"), ("metadata[index]", &index.to_string())]).await;
    }
    let mut seen = Vec::new();
    let mut page = String::new();
    loop {
        let path = format!("/v1/customers/search?query=name:%22Ada%22&limit=2{page}");
        let answer = sandbox.get(&path).await.ok();
        seen.extend(answer["data"].as_array().unwrap().iter().map(|one| one["metadata"]["index"].clone()));
        if answer["has_more"] == false {
            assert_eq!(answer["next_page"], json!(null));
            break;
        }
        page = format!("&page={}", answer["next_page"].as_str().unwrap());
        sandbox.customer(&[("name", "Ada"), ("metadata[index]", "later")]).await;
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
    let refused = sandbox.get("/v1/customers/search?query=name:%22Ada%22&page=nonsense").await.error(400);
    assert_eq!(refused["param"], "page");
}
