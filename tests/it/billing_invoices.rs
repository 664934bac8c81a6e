//! Invoices, credit notes and refunds, kept as Stripe has them: by its events, by comparing, and never by an older answer.

use chrono::{DateTime, Duration};
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::{Currency, Invoice, InvoiceStatus, Money, ReportFormat};
use tollgate::storage::{Fetched, InvoiceWritten, PageRequest};

use crate::billing_payments::Payer;
use crate::billing_stage::{Stage, failure};
use crate::reports::Table;
use crate::support::app::{Person, eventually};
use crate::support::databases::{each_database, each_store};
use crate::support::seed::Seed;

const INVOICES: &str = "/api/subscriptions/invoices/";
const REPORT: &str = "/api/reports/invoices/";

async fn newest(admin: &Person<'_>) -> Value {
    admin.get(INVOICES).await.body["results"][0].clone()
}

/// What Stripe tells when it has done something, delivered.
async fn deliver(stage: &Stage, event_type: &str, object: &Value) {
    let id = format!("evt_{}", object["id"].as_str().expect("an id"));
    let event = json!({"id": id, "object": "event", "type": event_type, "data": {"object": object}});
    assert_eq!(stage.app.deliver_event(&event).await, 200);
}

/// Gives a part of the newest invoice's payment back, at Stripe.
async fn refund(stage: &Stage, invoice: &str, amount: &str) -> Value {
    let payments = stage.stripe(Method::GET, &format!("/invoice_payments?invoice={invoice}"), &[]).await;
    let intent = payments["data"][0]["payment"]["payment_intent"].as_str().expect("an id").to_owned();
    let form = [("payment_intent", &*intent), ("amount", amount), ("reason", "requested_by_customer")];
    stage.stripe(Method::POST, "/refunds", &form).await
}

#[tokio::test]
async fn credits_and_refunds_are_kept_by_events_and_put_right_by_comparing() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let first = newest(&payer.admin).await;
        let invoice = first["id"].as_str().expect("an id").to_owned();
        assert_eq!((&first["status"], &first["total"]), (&json!("paid"), &json!("29.99")));
        assert_eq!((&first["amount_refunded"], &first["refunds"]), (&json!("0.00"), &json!([])));

        let back = refund(&stage, &invoice, "500").await;
        deliver(&stage, "refund.created", &back).await;
        let refunded = eventually("the refund is there", || async {
            Some(newest(&payer.admin).await).filter(|newest| newest["amount_refunded"] == "5.00")
        })
        .await;
        assert_eq!(
            (&refunded["refunds"][0]["id"], &refunded["refunds"][0]["reason"]),
            (&back["id"], &json!("requested_by_customer"))
        );

        let form =
            [("invoice", &*invoice), ("amount", "300"), ("credit_amount", "300"), ("reason", "order_change")];
        let note = stage.stripe(Method::POST, "/credit_notes", &form).await;
        deliver(&stage, "credit_note.created", &note).await;
        let credited = eventually("the credit note is there", || async {
            Some(newest(&payer.admin).await).filter(|newest| newest["amount_credited"] == "3.00")
        })
        .await;
        assert_eq!(
            (&credited["credit_notes"][0]["number"], &credited["credit_notes"][0]["pdf"]),
            (&note["number"], &note["pdf"])
        );

        // Nothing tells of these.
        stage.clock.advance(Duration::seconds(1));
        refund(&stage, &invoice, "200").await;
        let item = [
            ("customer", &*payer.customer),
            ("amount", "1000"),
            ("currency", "usd"),
            ("description", "Used: 5 × 1,000 tokens"),
            ("metadata[tollgate_overage_charge]", "charge_1"),
        ];
        stage.stripe(Method::POST, "/invoiceitems", &item).await;
        let form = [("customer", &*payer.customer), ("pending_invoice_items_behavior", "include")];
        let draft = stage.stripe(Method::POST, "/invoices", &form).await;
        let billing = stage.app.running.services.billing.clone();
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.invoices_compared, sum.invoices_repaired, sum.failed), (2, 2, 0));
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.invoices_compared, sum.invoices_repaired), (2, 0));
        let all = payer.admin.get(INVOICES).await.body["results"].clone();
        assert_eq!(all[1]["amount_refunded"], "7.00");
        assert_eq!((&all[0]["id"], &all[0]["status"]), (&draft["id"], &json!("draft")));
        let group = crate::billing_stage::group(&payer.admin).await;
        let page = PageRequest { after: None, limit: 1 };
        let kept = stage.app.running.services.store.invoices_page(group, &page).await.expect("a page");
        assert_eq!(kept.rows[0].lines[0].metadata["tollgate_overage_charge"], "charge_1");

        // Only drafts can be deleted.
        let path = format!("/invoices/{}", draft["id"].as_str().expect("an id"));
        stage.stripe(Method::DELETE, &path, &[]).await;
        let sum = billing.reconcile().await.expect("it compares");
        assert_eq!((sum.invoices_compared, sum.invoices_repaired), (1, 1));

        // What is kept is shown while Stripe doesn't answer, on the pages too.
        stage.when(Method::GET, "/v1/*", failure(500, "api_error"));
        let kept = payer.admin.get(INVOICES).await;
        assert_eq!((kept.status, &kept.body["results"][0]["id"]), (200, &json!(invoice)));
        for page in ["/billing", "/reports"] {
            let request = payer.admin.request(Method::GET, page).header("accept", "text/html");
            let html = request.send().await.expect("an answer").text().await.expect("a page");
            for text in
                ["$29.99", "$7.00 refunded", "$3.00 credited", note["number"].as_str().expect("a number")]
            {
                assert!(html.contains(text), "{page}: {text}");
            }
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_customer_of_before_is_read_by_itself() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let form = [("customer", &*payer.customer), ("description", "Of before")];
        let made = stage.stripe(Method::POST, "/invoices", &form).await;
        let billing = stage.app.running.services.billing.clone();
        stage.when(Method::GET, "/v1/invoices", failure(500, "api_error"));
        billing.read_new_customers_invoices().await.expect("trouble of Stripe's is none of the others'");
        stage.heal();
        billing.read_new_customers_invoices().await.expect("they are read");
        let ids = |list: &Value| {
            list.as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
        };
        assert!(ids(&payer.admin.get(INVOICES).await.body["results"]).contains(&made["id"]));
        // Once: from then on, events keep them.
        let unheard_of = stage.stripe(Method::POST, "/invoices", &form).await;
        billing.read_new_customers_invoices().await.expect("nothing is left");
        assert!(!ids(&payer.admin.get(INVOICES).await.body["results"]).contains(&unheard_of["id"]));
        deliver(&stage, "invoice.created", &unheard_of).await;
        eventually("it is heard of", || async {
            ids(&payer.admin.get(INVOICES).await.body["results"]).contains(&unheard_of["id"]).then_some(())
        })
        .await;
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_report_of_invoices_says_what_stripe_does() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let end = payer.admin.subscription().await["current_period_end"].as_str().expect("a time").to_owned();
        let end: DateTime<chrono::Utc> = end.parse().expect("a time");
        stage.clock.advance(end - stage.clock.now() + Duration::hours(2));
        stage.catch_up().await;
        let invoice = newest(&payer.admin).await["id"].as_str().expect("an id").to_owned();
        refund(&stage, &invoice, "250").await;
        stage.app.running.services.billing.reconcile().await.expect("it compares");
        let path = format!("/invoices?limit=100&customer={}", payer.customer);
        let theirs = stage.stripe(Method::GET, &path, &[]).await["data"].as_array().expect("a list").clone();
        assert_eq!(theirs.len(), 2);
        for format in ReportFormat::ALL {
            let request = payer.admin.request(Method::GET, &format!("{REPORT}?format={format}"));
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            let table = Table::read(format, &answer.bytes().await.expect("a file"));
            // The oldest first.
            let ids: Vec<_> = theirs.iter().rev().map(|one| one["id"].as_str().expect("an id")).collect();
            assert_eq!(table.column("id"), ids, "{format}");
            for (column, field) in [
                ("subtotal_minor", "subtotal"),
                ("total_minor", "total"),
                ("amount_due_minor", "amount_due"),
                ("amount_paid_minor", "amount_paid"),
            ] {
                let sum: i64 = theirs.iter().map(|one| one[field].as_i64().expect("an amount")).sum();
                assert_eq!((table.sum(column), table.total(column)), (sum, sum), "{column} {format}");
            }
            assert_eq!((table.total("refunded_minor"), table.total("number")), (250, 2), "{format}");
            assert_eq!(table.column("amount_paid"), ["29.99", "29.99"], "{format}");
        }
        let later = payer.admin.get(&format!("{REPORT}?from={}", end.format("%Y-%m-%d"))).await;
        let later = Table::read(ReportFormat::Csv, later.body.as_str().expect("a file").as_bytes());
        assert_eq!(later.column("id"), [theirs[0]["id"].as_str().expect("an id")]);
        let nobody = stage.app.admin().await.get(REPORT).await;
        let nothing = Table::read(ReportFormat::Csv, nobody.body.as_str().expect("a file").as_bytes());
        assert_eq!((nothing.column("id").len(), nothing.total("number")), (0, 0));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_was_asked_for_earlier_than_the_last_one_written_is_dropped() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let group = seed.group();
        let (start, usd) = (seed.period.start, |minor| Money::new(minor, Currency::USD));
        let open = Invoice {
            id: "in_1".into(),
            number: None,
            status: InvoiceStatus::Open,
            subtotal: usd(100),
            tax: usd(0),
            total: usd(100),
            amount_paid: usd(0),
            amount_due: usd(100),
            credited: usd(0),
            billing_reason: None,
            subscription: None,
            created_at: start,
            period_start: start,
            period_end: start,
            paid_at: None,
            hosted_invoice_url: Some("https://stripe.test/1".into()),
            invoice_pdf: None,
            lines: Vec::new(),
            credit_notes: Vec::new(),
            refunds: Vec::new(),
        };
        let paid = Invoice { status: InvoiceStatus::Paid, amount_paid: usd(100), ..open.clone() };
        let write = async |ticket: i64, invoice: &Invoice| {
            let mut tx = store.begin().await.expect("a transaction");
            tx.lock_group(group).await.expect("a lock");
            let written =
                tx.apply_invoice(group, ticket, invoice, Fetched::Whole).await.expect("it is written");
            tx.commit().await.expect("a commit");
            written
        };
        let draw = async || store.draw_group_sync_ticket(group).await.expect("a ticket");
        let (slow, fast) = (draw().await, draw().await);
        assert_eq!(write(fast, &paid).await, InvoiceWritten::Changed);
        assert_eq!(write(slow, &open).await, InvoiceWritten::Outdated);
        let again = Invoice { hosted_invoice_url: Some("https://stripe.test/2".into()), ..paid.clone() };
        assert_eq!(write(draw().await, &again).await, InvoiceWritten::Same);
        let kept = store.invoices_page(group, &PageRequest::all()).await.expect("a page").rows;
        assert_eq!(kept, [again], "with the address that was given last");
    })
    .await;
}
