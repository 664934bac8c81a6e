//! Invoices and invoice items that a request makes itself, and the customer's balance.

use serde_json::{Value, json};

use super::support::{Sandbox, id};

async fn item(sandbox: &Sandbox, customer: &str, form: &[(&str, &str)]) -> Value {
    let own = [("customer", customer)];
    sandbox.post("/v1/invoiceitems", &[&own, form].concat()).await.ok()
}

#[tokio::test]
async fn items_wait_until_an_invoice_takes_them() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let waiting =
        item(&sandbox, &customer, &[("amount", "1500"), ("currency", "usd"), ("description", "Setup")]).await;
    assert_eq!((&waiting["invoice"], &waiting["amount"]), (&json!(null), &json!(1500)));

    let without = sandbox.post("/v1/invoices", &[("customer", &customer)]).await.ok();
    assert_eq!((&without["amount_due"], &without["auto_advance"]), (&json!(0), &json!(false)));
    let form =
        [("customer", &*customer), ("pending_invoice_items_behavior", "include"), ("description", "By hand")];
    let draft = sandbox.post("/v1/invoices", &form).await.ok();
    assert_eq!((&draft["amount_due"], &draft["billing_reason"]), (&json!(1500), &json!("manual")));
    let line = &draft["lines"]["data"][0];
    assert_eq!(line["parent"]["invoice_item_details"]["invoice_item"], waiting["id"]);
    assert_eq!(line["description"], "Setup");
    let taken = sandbox.get(&format!("/v1/invoiceitems/{}", id(&waiting))).await.ok();
    assert_eq!(taken["invoice"], draft["id"]);

    // What is on a draft can still be changed, and the draft follows.
    let path = format!("/v1/invoiceitems/{}", id(&waiting));
    sandbox.post(&path, &[("amount", "1600")]).await.ok();
    let more = item(
        &sandbox,
        &customer,
        &[("amount", "400"), ("currency", "usd"), ("invoice", draft["id"].as_str().unwrap())],
    )
    .await;
    let now = sandbox.get(&format!("/v1/invoices/{}", id(&draft))).await.ok();
    assert_eq!((&now["total"], &now["lines"]["total_count"]), (&json!(2000), &json!(2)));
    assert_eq!(now["lines"]["data"][0]["id"], line["id"], "a line keeps its id");
    sandbox.delete(&format!("/v1/invoiceitems/{}", id(&more))).await.ok();

    // To pay a draft is to finalize it first.
    let paid = sandbox.post(&format!("/v1/invoices/{}/pay", id(&draft)), &[]).await.ok();
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(1600)));
    let error = sandbox.post(&path, &[("amount", "1")]).await.error(400);
    assert_eq!((&error["code"], &error["param"]), (&json!("invoice_not_editable"), &json!("invoice")));
    let error = sandbox.delete(&format!("/v1/invoices/{}", id(&draft))).await.error(400);
    assert_eq!(error["code"], "invoice_not_editable");
    assert_eq!(sandbox.delete(&format!("/v1/invoices/{}", id(&without))).await.ok()["deleted"], true);
}

#[tokio::test]
async fn an_item_costs_a_price_times_its_quantity() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let form = [("currency", "usd"), ("unit_amount", "250"), ("product_data[name]", "Hour")];
    let price = id(&sandbox.post("/v1/prices", &form).await.ok());
    let hours = item(&sandbox, &customer, &[("pricing[price]", &price), ("quantity", "3")]).await;
    assert_eq!((&hours["amount"], &hours["description"]), (&json!(750), &json!("Hour")));
    let path = format!("/v1/invoiceitems/{}", id(&hours));
    assert_eq!(sandbox.post(&path, &[("quantity", "4")]).await.ok()["amount"], 1000);
    let part =
        item(&sandbox, &customer, &[("unit_amount_decimal", "0.5"), ("quantity", "5"), ("currency", "usd")])
            .await;
    assert_eq!(part["amount"], 3, "fractions are rounded on the whole amount");

    let monthly = sandbox.price(500).await;
    for (form, param) in [
        (vec![], "amount"),
        (vec![("pricing[price]", &*monthly)], "pricing[price]"),
        (vec![("amount", "5"), ("unit_amount_decimal", "1")], "unit_amount_decimal"),
        (vec![("amount", "5"), ("period[start]", "2"), ("period[end]", "1")], "period[end]"),
    ] {
        let own = [("customer", &*customer)];
        let error = sandbox.post("/v1/invoiceitems", &[&own, &form[..]].concat()).await.error(400);
        assert_eq!(error["param"], param, "{form:?}");
    }
}

#[tokio::test]
async fn a_sent_invoice_has_its_day_and_is_sent_on_demand() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    item(&sandbox, &customer, &[("amount", "1500"), ("currency", "usd")]).await;
    let form = [
        ("customer", &*customer),
        ("collection_method", "send_invoice"),
        ("days_until_due", "14"),
        ("pending_invoice_items_behavior", "include"),
    ];
    let draft = id(&sandbox.post("/v1/invoices", &form).await.ok());
    let sent = sandbox.post(&format!("/v1/invoices/{draft}/send"), &[]).await.ok();
    assert_eq!(sent["status"], "open");
    assert_eq!(sent["due_date"], sandbox.clock.now().timestamp() + 14 * 86_400);
    assert!(sandbox.event_types().await.contains(&"invoice.sent".to_owned()));
    let error =
        sandbox.post("/v1/invoices", &[("customer", &*customer), ("days_until_due", "3")]).await.error(400);
    assert_eq!(error["param"], "days_until_due");
}

#[tokio::test]
async fn the_balance_pays_first_and_a_void_invoice_gives_it_back() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let path = format!("/v1/customers/{customer}/balance_transactions");
    let form = [("amount", "-1000"), ("currency", "usd"), ("description", "Sorry")];
    let credit = sandbox.post(&path, &form).await.ok();
    assert_eq!((&credit["type"], &credit["ending_balance"]), (&json!("adjustment"), &json!(-1000)));
    item(&sandbox, &customer, &[("amount", "1500"), ("currency", "usd")]).await;
    let form = [("customer", &*customer), ("pending_invoice_items_behavior", "include")];
    let draft = id(&sandbox.post("/v1/invoices", &form).await.ok());
    let open = sandbox.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await.ok();
    assert_eq!((&open["total"], &open["amount_due"]), (&json!(1500), &json!(500)));
    let balance = async || sandbox.get(&format!("/v1/customers/{customer}")).await.ok()["balance"].clone();
    assert_eq!(balance().await, 0);
    sandbox.post(&format!("/v1/invoices/{draft}/void"), &[]).await.ok();
    assert_eq!(balance().await, -1000);
    let entries = sandbox.get(&format!("{path}?invoice={draft}")).await.ok();
    let types: Vec<&str> =
        entries["data"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["unapplied_from_invoice", "applied_to_invoice"]);
    let error = sandbox.post(&path, &[("amount", "5"), ("currency", "eur")]).await.error(400);
    assert_eq!(error["param"], "currency");
}

#[tokio::test]
async fn what_is_too_little_to_be_charged_goes_on_to_the_next_invoice() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(49).await);
    let subscription = sandbox.subscribe(&customer, &price, &[]).await.ok();
    let first = &subscription["latest_invoice"];
    assert_eq!((&subscription["status"], &first["status"]), (&json!("active"), &json!("paid")));
    assert_eq!((&first["amount_due"], &first["attempt_count"]), (&json!(0), &json!(0)));
    item(&sandbox, &customer, &[("amount", "100"), ("currency", "usd")]).await;
    let form = [("customer", &*customer), ("pending_invoice_items_behavior", "include")];
    let draft = id(&sandbox.post("/v1/invoices", &form).await.ok());
    let paid = sandbox.post(&format!("/v1/invoices/{draft}/pay"), &[]).await.ok();
    assert_eq!(
        (&paid["total"], &paid["amount_paid"], &paid["ending_balance"]),
        (&json!(100), &json!(149), &json!(0))
    );
}

#[tokio::test]
async fn an_invoice_carries_its_first_lines_and_lists_all_of_them() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    for _ in 0..12 {
        item(&sandbox, &customer, &[("amount", "100"), ("currency", "usd")]).await;
    }
    let form = [("customer", &*customer), ("pending_invoice_items_behavior", "include")];
    let made = sandbox.post("/v1/invoices", &form).await.ok();
    let path = format!("/v1/invoices/{}", id(&made));
    let listed = sandbox.get("/v1/invoices").await.ok()["data"][0].clone();
    for carried in [&made, &sandbox.get(&path).await.ok(), &listed] {
        let lines = &carried["lines"];
        assert_eq!((&lines["has_more"], &lines["total_count"]), (&json!(true), &json!(12)));
        assert_eq!(lines["data"].as_array().unwrap().len(), 10);
    }
    let last = id(&made["lines"]["data"][9]);
    let rest = sandbox.get(&format!("{path}/lines?starting_after={last}")).await.ok();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (2, &json!(false)));
    assert_eq!(
        (&made["total"], made["lines"]["url"].as_str()),
        (&json!(1200), Some(&*format!("{path}/lines")))
    );
}
