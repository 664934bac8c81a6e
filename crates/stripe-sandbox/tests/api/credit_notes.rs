//! Finalized invoices made less by credit notes: before they are paid, and after.

use serde_json::{Value, json};

use super::support::{Sandbox, id, intent_of};

/// An open invoice of $20.00, in two lines of $12.00 and $8.00, and its customer.
async fn open_invoice(sandbox: &Sandbox) -> (Value, String) {
    let customer = sandbox.customer_with("pm_card_visa").await;
    for (cents, text) in [("1200", "Work"), ("800", "Travel")] {
        let form = [("customer", &*customer), ("amount", cents), ("currency", "usd"), ("description", text)];
        sandbox.post("/v1/invoiceitems", &form).await.ok();
    }
    let form = [("customer", &*customer), ("pending_invoice_items_behavior", "include")];
    let draft = id(&sandbox.post("/v1/invoices", &form).await.ok());
    (sandbox.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await.ok(), customer)
}

async fn paid_invoice(sandbox: &Sandbox) -> (Value, String) {
    let (invoice, customer) = open_invoice(sandbox).await;
    (sandbox.post(&format!("/v1/invoices/{}/pay", id(&invoice)), &[]).await.ok(), customer)
}

async fn invoice(sandbox: &Sandbox, invoice: &Value) -> Value {
    sandbox.get(&format!("/v1/invoices/{}?expand[]=payments", id(invoice))).await.ok()
}

async fn credit(sandbox: &Sandbox, invoice: &Value, form: &[(&str, &str)]) -> Value {
    let own = [("invoice", invoice["id"].as_str().unwrap())];
    sandbox.post("/v1/credit_notes", &[&own, form].concat()).await.ok()
}

async fn refused(sandbox: &Sandbox, invoice: &Value, form: &[(&str, &str)]) -> Value {
    let own = [("invoice", invoice["id"].as_str().unwrap())];
    sandbox.post("/v1/credit_notes", &[&own, form].concat()).await.error(400)
}

#[tokio::test]
async fn an_open_invoice_is_due_for_less_and_charged_for_less() {
    let sandbox = Sandbox::start().await;
    let (open, _) = open_invoice(&sandbox).await;
    let line = open["lines"]["data"][0]["id"].as_str().unwrap();
    let form = [
        ("lines[0][type]", "invoice_line_item"),
        ("lines[0][invoice_line_item]", line),
        ("lines[0][amount]", "300"),
        ("memo", "Half an hour less"),
    ];
    let note = credit(&sandbox, &open, &form).await;
    assert_eq!((&note["total"], &note["type"]), (&json!(300), &json!("pre_payment")));
    assert_eq!((&note["pre_payment_amount"], &note["post_payment_amount"]), (&json!(300), &json!(0)));
    assert_eq!(note["number"], format!("{}-CN-01", open["number"].as_str().unwrap()));
    assert_eq!(note["lines"]["data"][0]["description"], "Work");
    let less = invoice(&sandbox, &open).await;
    assert_eq!((&less["total"], &less["status"]), (&json!(2000), &json!("open")));
    assert_eq!((&less["amount_due"], &less["amount_remaining"]), (&json!(1700), &json!(1700)));
    assert_eq!(less["pre_payment_credit_notes_amount"], 300);
    assert_eq!(less["payments"]["data"][0]["amount_requested"], 1700);

    let paid = sandbox.post(&format!("/v1/invoices/{}/pay", id(&open)), &[]).await.ok();
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(1700)));
    let charges = sandbox.get("/v1/charges").await.ok();
    assert_eq!(charges["data"][0]["amount"], 1700);
    let types = sandbox.event_types().await;
    let at = types.iter().position(|event| event == "credit_note.created").unwrap();
    assert_eq!(types[at + 1], "invoice.updated");
}

#[tokio::test]
async fn voiding_a_credit_note_makes_the_invoice_due_again() {
    let sandbox = Sandbox::start().await;
    let (open, _) = open_invoice(&sandbox).await;
    let note = credit(&sandbox, &open, &[("amount", "500")]).await;
    let path = format!("/v1/credit_notes/{}", id(&note));
    let void = sandbox.post(&format!("{path}/void"), &[]).await.ok();
    assert_eq!(void["status"], "void");
    assert!(void["voided_at"].is_i64());
    let again = invoice(&sandbox, &open).await;
    assert_eq!((&again["amount_due"], &again["amount_remaining"]), (&json!(2000), &json!(2000)));
    assert_eq!(again["pre_payment_credit_notes_amount"], 0);
    sandbox.post(&format!("{path}/void"), &[]).await.error(400);
    assert!(sandbox.event_types().await.contains(&"credit_note.voided".to_owned()));

    // Its number isn't given twice; and once the invoice is paid, nothing is taken back.
    let other = credit(&sandbox, &open, &[("amount", "500")]).await;
    assert!(other["number"].as_str().unwrap().ends_with("-CN-02"));
    let path = format!("/v1/credit_notes/{}", id(&other));
    let changed = sandbox.post(&path, &[("memo", "Sorry"), ("metadata[a]", "b")]).await.ok();
    assert_eq!((&changed["memo"], &changed["metadata"]), (&json!("Sorry"), &json!({"a": "b"})));
    sandbox.post(&format!("/v1/invoices/{}/pay", id(&open)), &[]).await.ok();
    sandbox.post(&format!("{path}/void"), &[]).await.error(400);
}

#[tokio::test]
async fn an_invoice_with_nothing_left_is_paid_and_its_subscription_begins() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer(&[]).await, sandbox.price(2999).await);
    let form = [("payment_behavior", "default_incomplete")];
    let begun = sandbox.subscribe(&customer, &price, &form).await.ok();
    assert_eq!(begun["status"], "incomplete");
    let first = &begun["latest_invoice"];
    let note = credit(&sandbox, first, &[("amount", "2999")]).await;
    assert_eq!((&note["type"], &note["pre_payment_amount"]), (&json!("pre_payment"), &json!(2999)));
    let paid = invoice(&sandbox, first).await;
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(0)));
    assert_eq!(paid["payments"]["data"][0]["status"], "canceled");
    let intent = format!("/v1/payment_intents/{}", id(intent_of(&begun)));
    assert_eq!(sandbox.get(&intent).await.ok()["status"], "canceled");
    let subscription = sandbox.get(&format!("/v1/subscriptions/{}", id(&begun))).await.ok();
    assert_eq!(subscription["status"], "active");
    assert!(sandbox.event_types().await.contains(&"invoice.paid".to_owned()));
}

#[tokio::test]
async fn what_a_paid_invoice_is_credited_is_refunded_or_kept_for_the_customer() {
    let sandbox = Sandbox::start().await;
    let (paid, customer) = paid_invoice(&sandbox).await;
    let form = [
        ("amount", "1000"),
        ("refund_amount", "600"),
        ("credit_amount", "300"),
        ("out_of_band_amount", "100"),
        ("reason", "product_unsatisfactory"),
    ];
    let note = credit(&sandbox, &paid, &form).await;
    assert_eq!((&note["type"], &note["post_payment_amount"]), (&json!("post_payment"), &json!(1000)));
    assert_eq!((&note["out_of_band_amount"], &note["pre_payment_amount"]), (&json!(100), &json!(0)));
    assert_eq!(note["refunds"][0]["amount_refunded"], 600);
    let refund = format!("/v1/refunds/{}", note["refunds"][0]["refund"].as_str().unwrap());
    assert_eq!(sandbox.get(&refund).await.ok()["amount"], 600);
    assert_eq!(sandbox.get(&format!("/v1/customers/{customer}")).await.ok()["balance"], -300);
    let entry = note["customer_balance_transaction"].as_str().unwrap();
    let entry = sandbox.get(&format!("/v1/customers/{customer}/balance_transactions/{entry}")).await.ok();
    assert_eq!((&entry["type"], &entry["amount"]), (&json!("credit_note"), &json!(-300)));
    assert_eq!(entry["credit_note"], note["id"]);
    let after = invoice(&sandbox, &paid).await;
    assert_eq!((&after["status"], &after["amount_paid"]), (&json!("paid"), &json!(2000)));
    assert_eq!(after["post_payment_credit_notes_amount"], 1000);

    // A refund that was made before can be written down, and only once.
    let form = [("charge", note_charge(&sandbox).await), ("amount", "400".to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, &**value)).collect();
    let made = id(&sandbox.post("/v1/refunds", &form).await.ok());
    let form = [("amount", "400"), ("refunds[0][refund]", &*made)];
    assert_eq!(credit(&sandbox, &paid, &form).await["refunds"][0]["refund"], json!(made));
    assert_eq!(refused(&sandbox, &paid, &form).await["param"], "refunds[0][amount_refunded]");
}

async fn note_charge(sandbox: &Sandbox) -> String {
    id(&sandbox.get("/v1/charges").await.ok()["data"][0])
}

#[tokio::test]
async fn a_line_is_credited_with_its_part_of_discounts_and_taxes() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let form = [("display_name", "VAT"), ("inclusive", "false"), ("percentage", "10")];
    let rate = id(&sandbox.post("/v1/tax_rates", &form).await.ok());
    let coupon = id(&sandbox.post("/v1/coupons", &[("percent_off", "50"), ("duration", "once")]).await.ok());
    let form = [
        ("customer", &*customer),
        ("unit_amount_decimal", "333"),
        ("quantity", "3"),
        ("currency", "usd"),
        ("tax_rates[]", &rate),
    ];
    sandbox.post("/v1/invoiceitems", &form).await.ok();
    let form = [
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
        ("discounts[0][coupon]", &coupon),
    ];
    let draft = id(&sandbox.post("/v1/invoices", &form).await.ok());
    let open = sandbox.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await.ok();
    // 999, less 500, and 50 of tax.
    assert_eq!(open["total"], 549);
    let line = open["lines"]["data"][0]["id"].as_str().unwrap();
    let form = [
        ("lines[0][type]", "invoice_line_item"),
        ("lines[0][invoice_line_item]", line),
        ("lines[0][quantity]", "1"),
    ];
    let mut parts = Vec::new();
    for _ in 0..3 {
        let note = credit(&sandbox, &open, &form).await;
        let field = |name: &str| note[name].as_i64().unwrap();
        let tax = note["total_taxes"][0]["amount"].as_i64().unwrap();
        parts.push((field("subtotal"), field("discount_amount"), tax, field("total")));
        assert_eq!(note["lines"]["data"][0]["tax_rates"][0]["id"], json!(rate));
    }
    let sum = parts
        .iter()
        .fold((0, 0, 0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1, sum.2 + part.2, sum.3 + part.3));
    assert_eq!(sum, (999, 500, 50, 549), "all parts come to the whole: {parts:?}");
    assert!(parts.iter().all(|part| part.3 == part.0 - part.1 + part.2), "{parts:?}");
    assert_eq!(invoice(&sandbox, &open).await["status"], "paid");
}

#[tokio::test]
async fn a_custom_line_has_a_price_a_quantity_and_taxes_of_its_own() {
    let sandbox = Sandbox::start().await;
    let (open, _) = open_invoice(&sandbox).await;
    let form = [("display_name", "VAT"), ("inclusive", "false"), ("percentage", "10")];
    let rate = id(&sandbox.post("/v1/tax_rates", &form).await.ok());
    let line = [
        ("lines[0][type]", "custom_line_item"),
        ("lines[0][description]", "Goodwill"),
        ("lines[0][unit_amount]", "250"),
        ("lines[0][quantity]", "2"),
    ];
    let by_rate = credit(&sandbox, &open, &[&line[..], &[("lines[0][tax_rates][0]", &rate)]].concat()).await;
    assert_eq!((&by_rate["subtotal"], &by_rate["total"]), (&json!(500), &json!(550)));
    assert_eq!(by_rate["total_excluding_tax"], 500);
    let told = [
        ("lines[0][tax_amounts][0][amount]", "7"),
        ("lines[0][tax_amounts][0][taxable_amount]", "500"),
        ("lines[0][tax_amounts][0][tax_rate]", &rate),
    ];
    let as_told = credit(&sandbox, &open, &[&line[..], &told].concat()).await;
    assert_eq!(as_told["total"], 507);
    let lines = sandbox.get(&format!("/v1/credit_notes/{}/lines", id(&as_told))).await.ok();
    let line = &lines["data"][0];
    assert_eq!((&line["description"], &line["unit_amount"]), (&json!("Goodwill"), &json!(250)));
    assert_eq!(invoice(&sandbox, &open).await["amount_due"], 2000 - 550 - 507);
}

#[tokio::test]
async fn a_preview_leaves_everything_as_it_was() {
    let sandbox = Sandbox::start().await;
    let (paid, customer) = paid_invoice(&sandbox).await;
    let events = sandbox.event_types().await.len();
    let query = format!("invoice={}&amount=700&refund_amount=500&credit_amount=200", id(&paid));
    let preview = sandbox.get(&format!("/v1/credit_notes/preview?{query}")).await.ok();
    assert_eq!((&preview["total"], &preview["post_payment_amount"]), (&json!(700), &json!(700)));
    let lines = sandbox.get(&format!("/v1/credit_notes/preview/lines?{query}")).await.ok();
    assert_eq!(lines["data"][0]["amount"], 700);
    assert_eq!(sandbox.event_types().await.len(), events);
    assert_eq!(sandbox.get("/v1/credit_notes").await.ok()["data"], json!([]));
    assert_eq!(sandbox.get("/v1/refunds").await.ok()["data"], json!([]));
    assert_eq!(sandbox.get(&format!("/v1/customers/{customer}")).await.ok()["balance"], 0);
}

#[tokio::test]
async fn what_does_not_add_up_is_refused_and_changes_nothing() {
    let sandbox = Sandbox::start().await;
    let (open, customer) = open_invoice(&sandbox).await;
    let line = open["lines"]["data"][1]["id"].as_str().unwrap();
    let of_line = |amount| {
        [
            ("lines[0][type]", "invoice_line_item"),
            ("lines[0][invoice_line_item]", line),
            ("lines[0][amount]", amount),
        ]
    };
    let custom = [("lines[0][type]", "custom_line_item"), ("lines[0][unit_amount]", "5")];
    for (form, param) in [
        (vec![], json!("amount")),
        (vec![("amount", "0")], json!("amount")),
        (vec![("amount", "2001")], json!("amount")),
        ([&of_line("5")[..], &[("amount", "5")]].concat(), json!("lines")),
        (of_line("801").to_vec(), json!("lines[0][amount]")),
        ([&of_line("5")[..], &[("lines[0][quantity]", "1")]].concat(), json!("lines[0][quantity]")),
        ([&of_line("5")[..], &[("lines[0][unit_amount]", "1")]].concat(), json!("lines[0][unit_amount]")),
        (custom.to_vec(), json!("lines[0][quantity]")),
        // What is open isn't given back.
        (vec![("amount", "500"), ("credit_amount", "500")], Value::Null),
        (vec![("amount", "5"), ("shipping_cost[shipping_rate]", "shr_1")], json!("shipping_cost")),
    ] {
        assert_eq!(refused(&sandbox, &open, &form).await["param"], param, "{form:?}");
    }
    let form = [("customer", &*customer)];
    let draft = sandbox.post("/v1/invoices", &form).await.ok();
    assert_eq!(refused(&sandbox, &draft, &[("amount", "5")]).await["param"], "invoice");

    sandbox.post(&format!("/v1/invoices/{}/pay", id(&open)), &[]).await.ok();
    let error = refused(&sandbox, &open, &[("amount", "1500")]).await;
    assert_eq!(
        error["message"],
        "The sum of refunds, credit amount, and out of band amount ($0.00) must equal the credit note \
         post_payment_amount ($15.00)."
    );
    sandbox.post("/v1/refunds", &[("charge", &*note_charge(&sandbox).await), ("amount", "1000")]).await.ok();
    let error = refused(&sandbox, &open, &[("amount", "1500"), ("refund_amount", "1500")]).await;
    assert_eq!(error["param"], "refund_amount", "more than is left of the charge");
    credit(&sandbox, &open, &[("amount", "1500"), ("credit_amount", "1500")]).await;
    let error = refused(&sandbox, &open, &[("amount", "501"), ("credit_amount", "501")]).await;
    assert_eq!(error["param"], "amount", "all credit notes together are no more than the invoice");
    assert_eq!(sandbox.get("/v1/credit_notes").await.ok()["data"].as_array().unwrap().len(), 1);
    assert_eq!(sandbox.get("/v1/refunds").await.ok()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn it_has_a_pdf_and_the_invoice_tells_of_it() {
    let sandbox = Sandbox::start().await;
    let (open, _) = open_invoice(&sandbox).await;
    let note = credit(&sandbox, &open, &[("amount", "500")]).await;
    let address = note["pdf"].as_str().unwrap();
    let file = reqwest::get(address).await.unwrap();
    assert_eq!(file.headers()["content-type"], "application/pdf");
    let name = format!("attachment; filename=\"Credit-note-{}.pdf\"", note["number"].as_str().unwrap());
    assert_eq!(file.headers()["content-disposition"], name);
    assert!(file.bytes().await.unwrap().starts_with(b"%PDF"));
    let other = if address.ends_with('x') { "y" } else { "x" };
    let forged = format!("{}{other}", &address[..address.len() - 1]);
    assert_eq!(reqwest::get(forged).await.unwrap().status(), 404);
    let page = open["hosted_invoice_url"].as_str().unwrap().strip_prefix(&sandbox.origin()).unwrap();
    let text = sandbox.page(page).await;
    assert!(text.contains("Adjusted by credit note") && text.contains("Pay $15.00"), "{text}");
}
