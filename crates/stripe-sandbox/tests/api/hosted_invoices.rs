//! An invoice's page and its PDF.

use serde_json::{Value, json};

use super::support::{Sandbox, id};

async fn open_invoice(sandbox: &Sandbox) -> Value {
    let customer = sandbox.customer(&[("name", "Ada & Co"), ("address[country]", "DE")]).await;
    let price = sandbox.price(2999).await;
    let form = [("payment_behavior", "default_incomplete")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    sandbox.get(&format!("/v1/invoices/{}", id(&subscription["latest_invoice"]))).await.ok()
}

fn path(sandbox: &Sandbox, address: &Value) -> String {
    address.as_str().unwrap().strip_prefix(&sandbox.origin()).unwrap().to_owned()
}

async fn status(sandbox: &Sandbox, invoice: &Value) -> Value {
    sandbox.get(&format!("/v1/invoices/{}", id(invoice))).await.ok()["status"].clone()
}

#[tokio::test]
async fn an_open_invoice_is_paid_on_its_page() {
    let sandbox = Sandbox::start().await;
    let invoice = open_invoice(&sandbox).await;
    let page = path(&sandbox, &invoice["hosted_invoice_url"]);
    let text = sandbox.page(&page).await;
    for shown in ["Ada &amp; Co", "Pay $29.99", "Amount due", invoice["number"].as_str().unwrap()] {
        assert!(text.contains(shown), "{shown} isn't in {text}");
    }
    let refused = sandbox.page_post(&page, &[("payment_method", "pm_card_chargeDeclined")]).await.ok();
    assert_eq!(refused["error"]["message"], "Your card was declined.");
    let asked = sandbox.page_post(&page, &[("payment_method", "pm_card_authenticationRequired")]).await.ok();
    let secret = asked["client_secret"].as_str().unwrap();
    assert_eq!(status(&sandbox, &invoice).await, "open");
    sandbox.authenticate(secret.split("_secret_").next().unwrap(), true).await;
    assert_eq!(sandbox.page_post(&page, &[]).await.ok()["url"], page);
    assert_eq!(status(&sandbox, &invoice).await, "paid");
    let text = sandbox.page(&page).await;
    assert!(text.contains("This invoice is paid") && !text.contains("data-card"), "{text}");
}

#[tokio::test]
async fn what_can_not_be_paid_says_so_and_what_was_given_up_on_can() {
    let sandbox = Sandbox::start().await;
    let void = open_invoice(&sandbox).await;
    sandbox.post(&format!("/v1/invoices/{}/void", id(&void)), &[]).await.ok();
    let page = path(&sandbox, &void["hosted_invoice_url"]);
    assert!(sandbox.page(&page).await.contains("This invoice was voided"));
    let refused = sandbox.page_post(&page, &[("payment_method", "pm_card_visa")]).await.ok();
    assert!(refused["error"].is_object());

    let given_up = open_invoice(&sandbox).await;
    sandbox.post(&format!("/v1/invoices/{}/mark_uncollectible", id(&given_up)), &[]).await.ok();
    let page = path(&sandbox, &given_up["hosted_invoice_url"]);
    assert!(sandbox.page(&page).await.contains("It can still be paid"));
    sandbox.page_post(&page, &[("payment_method", "pm_card_visa")]).await.ok();
    assert_eq!(status(&sandbox, &given_up).await, "paid");

    let guessed = format!("{}x", &page[..page.len() - 1]);
    assert_eq!(sandbox.request("GET", &guessed).key(None).send().await.status, 404);
}

#[tokio::test]
async fn a_draft_has_no_page() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let price = sandbox.price(2999).await;
    let sent = [("collection_method", "send_invoice"), ("days_until_due", "30")];
    let subscription = sandbox.subscribe(&customer, &price, &sent).await.ok();
    let draft = &subscription["latest_invoice"];
    assert_eq!((&draft["hosted_invoice_url"], &draft["invoice_pdf"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn a_pdf_says_what_the_invoice_says() {
    let sandbox = Sandbox::start().await;
    let invoice = open_invoice(&sandbox).await;
    let address = invoice["invoice_pdf"].as_str().unwrap();
    let response = sandbox.http.get(address).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/pdf");
    let number = invoice["number"].as_str().unwrap();
    let name = format!("attachment; filename=\"Invoice-{number}.pdf\"");
    assert_eq!(response.headers()["content-disposition"], name);
    let file = response.bytes().await.unwrap();
    assert!(file.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(&file);
    for shown in [number, "(Ada & Co)", "($29.99 due)", "Page 1 of 1"] {
        assert!(text.contains(shown), "{shown}");
    }
}
