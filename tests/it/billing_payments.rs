//! What a group pays with and has paid: recovering by a new card, keeping a plan, invoices as Stripe has them.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_stage::{Gate, Stage, Trouble, at, updated};
use crate::support::app::{Answer, MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::each_database;

const INVOICES: &str = "/api/subscriptions/invoices/";

/// A group with a subscription, and what it is at Stripe.
pub struct Payer<'a> {
    stage: &'a Stage,
    pub admin: Person<'a>,
    /// Here.
    pub id: String,
    /// At Stripe.
    subscription: String,
    pub customer: String,
}

impl<'a> Payer<'a> {
    pub async fn new(stage: &'a Stage) -> Self {
        Self::of(stage, "Basic").await
    }

    /// With a plan of this name.
    pub async fn of(stage: &'a Stage, plan: &str) -> Self {
        let plan = stage.app.plan(plan, "29.99", None).await;
        let (admin, subscription) = stage.subscribed(&plan).await;
        // A session wouldn't last.
        let admin = admin.by_key().await;
        let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let found = stage.stripe(Method::GET, &format!("/subscriptions/{subscription}"), &[]).await;
        let customer = found["customer"].as_str().expect("a customer").to_owned();
        Self { stage, admin, id, subscription, customer }
    }

    pub async fn post(&self, action: &str, body: Value) -> Answer {
        self.admin.post(&format!("/api/subscriptions/subscriptions/{}/{action}/", self.id), body).await
    }

    pub async fn at_stripe(&self) -> Value {
        self.stage.stripe(Method::GET, &format!("/subscriptions/{}", self.subscription), &[]).await
    }

    /// The payment methods of the subscription and of its customer.
    pub async fn defaults(&self) -> (Value, Value) {
        let customer = self.stage.stripe(Method::GET, &format!("/customers/{}", self.customer), &[]).await;
        let subscription = self.at_stripe().await;
        (
            subscription["default_payment_method"].clone(),
            customer["invoice_settings"]["default_payment_method"].clone(),
        )
    }

    /// Renews with a card that pays nothing, so that the renewal is past due.
    pub async fn fall_behind(&self) {
        let answer =
            self.post("payment_method", json!({"payment_method": "pm_card_chargeCustomerFail"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let end: DateTime<Utc> =
            at(self.admin.subscription().await["current_period_end"].as_str().expect("a time"));
        self.stage.clock.advance(end - self.stage.clock.now() + Duration::hours(2));
        self.stage.catch_up().await;
        self.status("past_due").await;
    }

    /// Waits until the application has seen that the status is this at Stripe.
    async fn status(&self, expected: &str) {
        assert_eq!(self.at_stripe().await["status"], expected);
        let event =
            updated(&format!("evt_{expected}_{}", self.stage.clock.now().timestamp()), &self.subscription);
        assert_eq!(self.stage.app.deliver_event(&event).await, 200);
        eventually(expected, || async {
            (self.admin.get(MY_SUBSCRIPTION).await.body["status"] == expected).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_past_due_subscription_is_recovered_by_a_new_card_and_a_declined_one_changes_nothing() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        payer.fall_behind().await;
        let shown = payer.admin.subscription().await;
        let until = at(shown["access_until"].as_str().expect("a time"));
        assert_eq!((&shown["access"], until - stage.clock.now()), (&json!(true), Duration::days(7)));
        let before = payer.defaults().await;
        assert_eq!(before.0, before.1, "the subscription's own and its customer's");

        let declined = json!({"payment_method": "pm_card_chargeCustomerFail"});
        let answer = payer.post("payment_method", declined).await;
        assert_eq!((answer.status, &answer.body["code"]), (402, &json!("card_declined")));
        assert_eq!(payer.defaults().await, before);
        assert_eq!(payer.at_stripe().await["status"], "past_due");

        let answer = payer.post("payment_method", json!({"payment_method": "pm_card_mastercard"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["subscription"]["status"], "active");
        assert_eq!(
            (&answer.body["subscription"]["access_until"], &answer.body["client_secret"]),
            (&Value::Null, &Value::Null)
        );
        let after = payer.defaults().await;
        assert_eq!(after.0, after.1);
        assert_ne!(after, before);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_recovery_that_the_bank_asks_about_is_left_to_confirm() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        payer.fall_behind().await;
        let card = json!({"payment_method": "pm_card_threeDSecure2Required"});
        let answer = payer.post("payment_method", card).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["subscription"]["status"], "past_due");
        assert_eq!(answer.body["intent"], "payment");
        let secret = answer.text("client_secret");
        let intent = secret.split("_secret_").next().expect("an id");
        let found = stage.stripe(Method::GET, &format!("/payment_intents/{intent}"), &[]).await;
        assert_eq!(found["status"], "requires_action");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invoice_that_was_paid_meanwhile_counts_as_paid_and_is_charged_once() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        payer.fall_behind().await;
        let invoice = payer.at_stripe().await["latest_invoice"].as_str().expect("an invoice").to_owned();
        let pay = format!("/invoices/{invoice}/pay");
        let gate = Gate::closed();
        stage.when(Method::POST, &format!("/v1{pay}"), Trouble::Gate(gate.clone()));
        // By its page at Stripe, after it was seen to be open here.
        let elsewhere = async {
            gate.reached().await;
            stage.stripe(Method::POST, &pay, &[("payment_method", "pm_card_visa")]).await;
            gate.open();
        };
        let card = json!({"payment_method": "pm_card_mastercard"});
        let (paid, ()) = tokio::join!(payer.post("payment_method", card), elsewhere);
        assert_eq!(
            (paid.status, &paid.body["subscription"]["status"], &paid.body["client_secret"]),
            (200, &json!("active"), &Value::Null),
            "{}",
            paid.body
        );
        assert_eq!(stage.charges(&payer.subscription).await, [2_999, 2_999]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_payment_method_a_card_form_is_given_what_it_confirms() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let begun = payer.post("payment_method", Value::Null).await;
        assert_eq!((begun.status, &begun.body["intent"]), (200, &json!("setup")), "{}", begun.body);
        let secret = begun.text("client_secret");
        let intent = secret.split("_secret_").next().expect("an id");
        let path = format!("/setup_intents/{intent}/confirm");
        let form = [("payment_method", "pm_card_mastercard"), ("return_url", "https://example.com")];
        let confirmed = stage.stripe(Method::POST, &path, &form).await;
        assert_eq!(
            (&confirmed["status"], &confirmed["customer"]),
            (&json!("succeeded"), &json!(payer.customer))
        );
        let method = confirmed["payment_method"].clone();
        let answer = payer.post("payment_method", json!({"payment_method": method})).await;
        assert_eq!((answer.status, &answer.body["client_secret"]), (200, &Value::Null), "{}", answer.body);
        assert_eq!(payer.defaults().await, (method.clone(), method));
        for wrong in ["pm_none", "../customers", ""] {
            let answer = payer.post("payment_method", json!({"payment_method": wrong})).await;
            assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!("payment_method")));
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_says_why_and_is_taken_back_until_the_period_ends() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        for (field, wrong) in [
            ("reason", json!({"reason": "boredom"})),
            ("comment", json!({"comment": "x".repeat(1_001)})),
            ("comment", json!({"comment": "a\u{1}b"})),
        ] {
            let answer = payer.post("cancel", wrong).await;
            assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!(field)));
        }
        let reason = json!({"at_period_end": true, "reason": "too_expensive", "comment": "Half would do."});
        let answer = payer.post("cancel", reason).await;
        assert_eq!((answer.status, &answer.body["cancel_at_period_end"]), (200, &json!(true)));
        let details = payer.at_stripe().await["cancellation_details"].clone();
        assert_eq!(
            (&details["feedback"], &details["comment"]),
            (&json!("too_expensive"), &json!("Half would do."))
        );

        for _ in ["once", "again"] {
            let answer = payer.post("resume", Value::Null).await;
            assert_eq!((answer.status, &answer.body["cancel_at_period_end"]), (200, &json!(false)));
        }
        assert_eq!(payer.at_stripe().await["cancel_at_period_end"], false);

        let now = json!({"at_period_end": false, "reason": "unused"});
        assert_eq!(payer.post("cancel", now).await.body["status"], "canceled");
        assert_eq!(payer.at_stripe().await["cancellation_details"]["feedback"], "unused");
        for action in ["resume", "payment_method"] {
            let answer = payer.post(action, Value::Null).await;
            assert_eq!((answer.status, &answer.body["code"]), (409, &json!("conflict")), "{action}");
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn invoices_are_stripes_in_stripes_order_and_in_pages() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        for _ in 0..3 {
            let end = at(payer.admin.subscription().await["current_period_end"].as_str().expect("a time"));
            stage.clock.advance(end - stage.clock.now() + Duration::hours(2));
            stage.catch_up().await;
            payer.status("active").await;
            eventually("renewed", || async {
                let now = payer.admin.subscription().await;
                (at(now["current_period_end"].as_str().expect("a time")) > end).then_some(())
            })
            .await;
        }
        let path = format!("/invoices?limit=100&customer={}", payer.customer);
        let theirs = stage.stripe(Method::GET, &path, &[]).await["data"].as_array().expect("a list").clone();
        assert_eq!(theirs.len(), 4);

        let (mut ours, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = payer.admin.get(&format!("{INVOICES}?limit=3{cursor}")).await;
            assert_eq!(page.status, 200, "{}", page.body);
            ours.extend(page.body["results"].as_array().expect("a list").clone());
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        for (ours, theirs) in ours.iter().zip(&theirs) {
            for field in ["id", "number", "status", "hosted_invoice_url", "invoice_pdf", "currency"] {
                assert_eq!(ours[field], theirs[field], "{field}");
            }
            for field in ["total", "amount_paid", "amount_due"] {
                let minor = theirs[field].as_i64().expect("an amount");
                assert_eq!(ours[field], format!("{}.{:02}", minor / 100, minor % 100), "{field}");
            }
            for field in ["created", "period_start", "period_end"] {
                let ours = &ours[if field == "created" { "created_at" } else { field }];
                assert_eq!(
                    at(ours.as_str().expect("a time")).timestamp(),
                    theirs[field].as_i64().expect("a time")
                );
            }
            let line = &theirs["lines"]["data"][0];
            assert_eq!(ours["lines"][0]["description"], line["description"]);
            assert_eq!(ours["lines"][0]["quantity"], line["quantity"]);
            assert_eq!(
                ours["lines"].as_array().map(Vec::len),
                theirs["lines"]["data"].as_array().map(Vec::len)
            );
        }
        assert_eq!(ours.len(), theirs.len());

        let nobody = stage.app.admin().await;
        let none = nobody.get(INVOICES).await;
        assert_eq!((none.status, &none.body["results"]), (200, &json!([])));
        for wrong in ["cursor=aW5fMQ", "cursor=Li4v"] {
            let answer = payer.admin.get(&format!("{INVOICES}?{wrong}")).await;
            assert_eq!(
                (answer.status, &answer.body["errors"][0]["field"]),
                (422, &json!("cursor")),
                "{wrong}"
            );
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_invoice_has_all_of_its_lines_however_many_they_are() {
    /// More than an invoice carries itself and than Stripe lists at a time together.
    const HOURS: usize = 115;
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        stage.clock.advance(Duration::seconds(1));
        for hour in 0..HOURS {
            let description = format!("Hour {hour}");
            let item = [
                ("customer", &*payer.customer),
                ("amount", "100"),
                ("currency", "usd"),
                ("description", &description),
            ];
            stage.stripe(Method::POST, "/invoiceitems", &item).await;
        }
        let form = [("customer", &*payer.customer), ("pending_invoice_items_behavior", "include")];
        let made = stage.stripe(Method::POST, "/invoices", &form).await;
        assert_eq!(made["lines"]["data"].as_array().map(Vec::len), Some(10));
        let event =
            json!({"id": "evt_made", "object": "event", "type": "invoice.created", "data": {"object": made}});
        assert_eq!(stage.app.deliver_event(&event).await, 200);

        let listed = eventually("the invoice is there", || async {
            let newest = payer.admin.get(INVOICES).await.body["results"][0].clone();
            Some(newest).filter(|newest| newest["id"] == made["id"])
        })
        .await;
        assert_eq!(listed["total"], "115.00");
        let mut hours: Vec<usize> = listed["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["description"].as_str().expect("text").trim_start_matches("Hour "))
            .map(|hour| hour.parse().expect("a number"))
            .collect();
        hours.sort_unstable();
        assert_eq!(hours, (0..HOURS).collect::<Vec<_>>(), "each of them once");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_billing_page_stands_without_stripe_and_says_so() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (admin, _) = stage.subscribed(&plan).await;
        let page = async || {
            let request = admin.request(Method::GET, "/billing").header("accept", "text/html");
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.text().await.expect("a page"))
        };
        let (status, html) = page().await;
        assert!(
            status == 200 && html.contains("Visa •••• 4242") && !html.contains("can't be reached"),
            "{html}"
        );
        stage.when(Method::GET, "/v1/*", crate::billing_stage::failure(500, "api_error"));
        let (status, html) = page().await;
        assert_eq!(status, 200);
        assert!(html.contains("Basic") && html.contains("Stripe can't be reached"), "{html}");
        assert!(html.contains("Payment history") && html.contains("$29.99"), "what is known stays: {html}");
        stage.stop().await;
    })
    .await;
}
