//! Every endpoint is called, and every answer and event held against Stripe's published schema.

mod credit_notes;

use std::collections::BTreeSet;

use serde_json::Value;
use stripe_sandbox as sandbox;

use super::schema::Schema;
use super::support::{Answer, Sandbox, id, intent_of};

/// Calls the sandbox, notes which endpoint that was, and checks the answer.
struct Checked {
    sandbox: Sandbox,
    schema: Schema,
    called: BTreeSet<(&'static str, &'static str)>,
    refused: BTreeSet<(&'static str, &'static str)>,
    problems: Vec<String>,
}

impl Checked {
    async fn call(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let answer = self.sandbox.request(method, path).form(form).send().await;
        let bare = path.split('?').next().unwrap();
        let route = sandbox::routes().find(|(of, pattern)| *of == method && fits(pattern, bare));
        let template = route.map_or(bare, |(_, pattern)| pattern);
        let found = self.schema.problems_of_answer(method, template, answer.status, &answer.body);
        self.problems
            .extend(found.iter().map(|problem| format!("{method} {path} {}: {problem}", answer.status)));
        if let Some(route) = route {
            if answer.status == 200 {
                self.called.insert(route)
            } else {
                self.refused.insert(route)
            };
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, &[]).await.ok()
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Value {
        self.call("POST", path, form).await.ok()
    }

    async fn declined(&mut self, path: &str, form: &[(&str, &str)]) -> Value {
        self.call("POST", path, form).await.error(402)
    }
}

/// Endpoints that have nothing here that they could be done to.
const NEVER_SUCCEED: [(&str, &str); 1] = [
    // A card's refund is over as soon as it is made.
    ("POST", "/v1/refunds/{id}/cancel"),
];

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
}

const CARD: [(&str, &str); 4] = [
    ("card[number]", "4242424242424242"),
    ("card[exp_month]", "12"),
    ("card[exp_year]", "34"),
    ("card[cvc]", "123"),
];

#[tokio::test]
async fn every_answer_of_every_endpoint_is_as_published() {
    let mut checked = Checked {
        sandbox: Sandbox::start().await,
        schema: Schema::load(),
        called: BTreeSet::new(),
        refused: BTreeSet::new(),
        problems: Vec::new(),
    };
    webhook_endpoints(&mut checked).await;
    let price = catalogue(&mut checked).await;
    let customer = customers(&mut checked).await;
    payment_methods(&mut checked, &customer).await;
    payment_intents(&mut checked, &customer).await;
    setup_intents(&mut checked, &customer).await;
    subscriptions(&mut checked, &customer, &price).await;
    invoices(&mut checked, &price).await;
    portal(&mut checked, &customer, &price).await;
    checkout(&mut checked, &price).await;
    discounts(&mut checked, &price).await;
    test_clocks(&mut checked, &price).await;
    plan_changes(&mut checked, &price).await;
    schedules(&mut checked, &price).await;
    hand_made_invoices(&mut checked).await;
    credit_notes::credit_notes(&mut checked).await;
    lists(&mut checked, &customer).await;
    refusals(&mut checked).await;

    for event in checked.sandbox.running.sandbox().list("events") {
        let what = event["type"].as_str().unwrap().to_owned();
        let found = checked.schema.problems_of_objects(&event);
        checked.problems.extend(found.into_iter().map(|problem| format!("event {what}: {problem}")));
    }
    assert!(checked.problems.is_empty(), "{}", checked.problems.join("\n"));
    let missed: Vec<_> = sandbox::routes()
        .filter(|route| !checked.called.contains(route) && !NEVER_SUCCEED.contains(route))
        .collect();
    assert!(missed.is_empty(), "never called with success: {missed:?}");
    let unrefused: Vec<_> = sandbox::routes().filter(|route| !checked.refused.contains(route)).collect();
    assert!(unrefused.is_empty(), "never refused: {unrefused:?}");
}

async fn test_clocks(checked: &mut Checked, price: &str) {
    let clocks = "/v1/test_helpers/test_clocks";
    let now = checked.sandbox.clock.now().timestamp();
    let clock = id(&checked.post(clocks, &[("frozen_time", &now.to_string()), ("name", "A month")]).await);
    let card =
        [("payment_method", "pm_card_visa"), ("invoice_settings[default_payment_method]", "pm_card_visa")];
    let customer = id(&checked.post("/v1/customers", &[&card[..], &[("test_clock", &clock)]].concat()).await);
    checked.post("/v1/subscriptions", &[("customer", &customer), ("items[0][price]", price)]).await;
    let to = (now + 32 * 86_400).to_string();
    checked.post(&format!("{clocks}/{clock}/advance"), &[("frozen_time", &to)]).await;
    checked.sandbox.running.sandbox().catch_up().await;
    assert_eq!(checked.get(&format!("{clocks}/{clock}")).await["status"], "ready");
    checked.get(clocks).await;
    checked.call("DELETE", &format!("{clocks}/{clock}"), &[]).await.ok();
}

async fn webhook_endpoints(checked: &mut Checked) {
    // Nothing listens there; what matters here is how it looks.
    let form = [("url", "http://127.0.0.1:9/hook"), ("enabled_events[]", "*"), ("description", "Mine")];
    let endpoint = id(&checked.post("/v1/webhook_endpoints", &form).await);
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    checked.get(&path).await;
    checked.post(&path, &[("disabled", "true"), ("metadata[a]", "b")]).await;
    checked.get("/v1/webhook_endpoints").await;
    checked.call("DELETE", &path, &[]).await.ok();
    checked.get("/v1/account").await;
    checked.get("/v1/accounts").await;
    checked.get("/v1/accounts/acct_1StripeSandbox0").await;
}

async fn catalogue(checked: &mut Checked) -> String {
    let form = [
        ("name", "Pro"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[unit_amount]", "7999"),
        ("default_price_data[recurring][interval]", "month"),
        ("marketing_features[0][name]", "More"),
        ("images[]", "https://example.test/a.png"),
        ("package_dimensions[height]", "1.5"),
        ("package_dimensions[length]", "2"),
        ("package_dimensions[weight]", "3"),
        ("package_dimensions[width]", "4"),
        ("expand[]", "default_price"),
    ];
    let product = checked.post("/v1/products", &form).await;
    let (product, price) = (id(&product), id(&product["default_price"]));
    let path = format!("/v1/products/{product}");
    checked.get(&path).await;
    checked.post(&path, &[("description", "For teams"), ("metadata[a]", "b")]).await;
    let bare = id(&checked.post("/v1/products", &[("name", "Bare")]).await);
    checked.call("DELETE", &format!("/v1/products/{bare}"), &[]).await.ok();
    checked.get("/v1/products?active=true&limit=3").await;
    checked.get(&format!("/v1/products/{product}/features")).await;

    let form = [("product[name]", "Old"), ("currency", "eur"), ("amount", "900"), ("interval", "year")];
    let plan = format!("/v1/plans/{}", id(&checked.post("/v1/plans", &form).await));
    checked.get(&format!("{plan}?expand[]=product")).await;
    checked.post(&plan, &[("nickname", "Yearly"), ("trial_period_days", "7")]).await;
    checked.get("/v1/plans?active=true&expand[]=data.product").await;
    checked.call("DELETE", &plan, &[]).await.ok();

    let form = [("product", &*product), ("currency", "jpy"), ("unit_amount", "500"), ("lookup_key", "yen")];
    let once = id(&checked.post("/v1/prices", &form).await);
    let form =
        [("product", &*product), ("currency", "usd"), ("unit_amount_decimal", "12.5"), ("nickname", "half")];
    checked.post("/v1/prices", &form).await;
    checked.get(&format!("/v1/prices/{once}?expand[]=product")).await;
    checked.post(&format!("/v1/prices/{once}"), &[("nickname", "Yen"), ("active", "false")]).await;
    checked.get("/v1/prices?expand[]=data.product").await;
    price
}

async fn customers(checked: &mut Checked) -> String {
    let form = [
        ("email", "a@example.test"),
        ("name", "A"),
        ("address[line1]", "1 Way"),
        ("shipping[name]", "A"),
        ("shipping[address][city]", "Town"),
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
        ("business_name", "A Ltd"),
        ("preferred_locales[]", "en"),
        ("expand[]", "subscriptions"),
        ("expand[]", "sources"),
        ("expand[]", "tax_ids"),
        ("expand[]", "invoice_settings.default_payment_method"),
    ];
    let customer = id(&checked.post("/v1/customers", &form).await);
    checked.get(&format!("/v1/customers/{customer}")).await;
    checked.post(&format!("/v1/customers/{customer}"), &[("description", "x"), ("business_name", "")]).await;
    checked.get("/v1/customers?email=a@example.test").await;
    let path = format!("/v1/customers/{customer}/tax_ids");
    let tax_id = checked.post(&path, &[("type", "eu_vat"), ("value", "DE000000000")]).await;
    checked.get(&path).await;
    checked.get(&format!("{path}/{}", id(&tax_id))).await;
    let spare = checked.post(&path, &[("type", "us_ein"), ("value", "12-3456789")]).await;
    checked.call("DELETE", &format!("{path}/{}", id(&spare)), &[]).await.ok();
    checked.get(&format!("/v1/customers/{customer}?expand[]=tax_ids")).await;
    let form = [
        ("type", "gb_vat"),
        ("value", "GB000000000"),
        ("owner[type]", "customer"),
        ("owner[customer]", &*customer),
    ];
    let path = format!("/v1/tax_ids/{}", id(&checked.post("/v1/tax_ids", &form).await));
    checked.get(&path).await;
    checked.get(&format!("/v1/tax_ids?owner[type]=customer&owner[customer]={customer}")).await;
    checked.call("DELETE", &path, &[]).await.ok();
    checked.get(&format!("/v1/customers/{customer}/sources?object=card")).await;
    let gone = id(&checked.post("/v1/customers", &[("payment_method", "pm_card_visa")]).await);
    checked.call("DELETE", &format!("/v1/customers/{gone}"), &[]).await.ok();
    assert_eq!(checked.get(&format!("/v1/customers/{gone}")).await["deleted"], true);
    customer
}

async fn payment_methods(checked: &mut Checked, customer: &str) {
    let token = checked
        .post("/v1/tokens", &[&CARD[..], &[("card[name]", "A"), ("card[address_zip]", "1")]].concat())
        .await;
    checked.get(&format!("/v1/tokens/{}", id(&token))).await;
    let form = [
        ("type", "card"),
        ("card[token]", token["id"].as_str().unwrap()),
        ("billing_details[email]", "a@b.test"),
    ];
    let method = id(&checked.post("/v1/payment_methods", &form).await);
    let path = format!("/v1/payment_methods/{method}");
    checked.get(&path).await;
    checked.post(&format!("{path}/attach"), &[("customer", customer), ("expand[]", "customer")]).await;
    checked.post(&path, &[("card[exp_year]", "2035"), ("billing_details[name]", "B")]).await;
    checked.get(&format!("/v1/payment_methods?customer={customer}&type=card")).await;
    checked.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    checked.get(&format!("/v1/customers/{customer}/payment_methods/{method}")).await;
    checked.post(&format!("{path}/detach"), &[]).await;
    checked
        .declined("/v1/payment_methods/pm_card_visa_chargeDeclined/attach", &[("customer", customer)])
        .await;
}

async fn payment_intents(checked: &mut Checked, customer: &str) {
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

async fn setup_intents(checked: &mut Checked, customer: &str) {
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

async fn subscriptions(checked: &mut Checked, customer: &str, price: &str) {
    let form = [
        ("customer", customer),
        ("items[0][price]", price),
        ("items[0][quantity]", "2"),
        ("payment_settings[payment_method_types][]", "card"),
        ("metadata[group]", "1"),
        ("expand[]", "customer"),
        ("expand[]", "default_payment_method"),
        ("expand[]", "items.data.price.product"),
        ("expand[]", "latest_invoice.confirmation_secret"),
        ("expand[]", "latest_invoice.payments.data.payment.payment_intent"),
    ];
    let active = checked.post("/v1/subscriptions", &form).await;
    assert_eq!(active["status"], "active");
    let path = format!("/v1/subscriptions/{}", id(&active));
    checked.get(&path).await;
    checked.post(&path, &[("cancel_at_period_end", "true"), ("cancellation_details[comment]", "Bye")]).await;
    let items = checked.get(&format!("/v1/subscription_items?subscription={}", id(&active))).await;
    checked.get(&format!("/v1/subscription_items/{}", id(&items["data"][0]))).await;
    checked.call("DELETE", &path, &[]).await.ok();

    let other = checked.sandbox.customer(&[]).await;
    let form = [
        ("customer", &*other),
        ("items[0][price_data][currency]", "usd"),
        (
            "items[0][price_data][product]",
            active["items"]["data"][0]["price"]["product"]["id"].as_str().unwrap(),
        ),
        ("items[0][price_data][unit_amount]", "100"),
        ("items[0][price_data][recurring][interval]", "week"),
        ("trial_period_days", "7"),
        ("expand[]", "pending_setup_intent"),
    ];
    checked.post("/v1/subscriptions", &form).await;
    checked.get("/v1/subscriptions?status=all&expand[]=data.latest_invoice&expand[]=data.customer").await;
}

async fn invoices(checked: &mut Checked, price: &str) {
    let incomplete = [("payment_behavior", "default_incomplete")];
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let customer = checked.sandbox.customer(&[]).await;
        let subscription = checked.sandbox.subscribe(&customer, price, &incomplete).await.ok();
        assert_eq!(intent_of(&subscription)["object"], "payment_intent");
        numbers.push(id(&subscription["latest_invoice"]));
    }
    let [paid, void, given_up] = &numbers[..] else { unreachable!() };
    let path = format!("/v1/invoices/{paid}");
    checked
        .get(&format!("{path}?expand[]=payments.data.payment.payment_intent&expand[]=confirmation_secret"))
        .await;
    checked.declined(&format!("{path}/pay"), &[("payment_method", "pm_card_chargeDeclined")]).await;
    checked.post(&format!("{path}/pay"), &[("payment_method", "pm_card_visa")]).await;
    checked.get(&format!("{path}/lines")).await;
    checked.post(&format!("/v1/invoices/{void}/void"), &[]).await;
    checked.post(&format!("/v1/invoices/{given_up}/mark_uncollectible"), &[]).await;

    let customer = checked.sandbox.customer(&[]).await;
    let sent = [("collection_method", "send_invoice"), ("days_until_due", "30")];
    let subscription = checked.sandbox.subscribe(&customer, price, &sent).await.ok();
    let draft = id(&subscription["latest_invoice"]);
    assert_eq!(checked.get(&format!("/v1/invoices/{draft}")).await["status"], "draft");
    checked.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await;
    let payments = checked.get(&format!("/v1/invoice_payments?invoice={paid}")).await;
    checked.get(&format!("/v1/invoice_payments/{}?expand[]=invoice", id(&payments["data"][0]))).await;
}

async fn plan_changes(checked: &mut Checked, price: &str) {
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let begun = checked.sandbox.subscribe(&customer, price, &[]).await.ok();
    let dearer = checked.sandbox.price(20_000).await;
    let (of, item) = (id(&begun), id(&begun["items"]["data"][0]));
    let form = [
        ("subscription", &*of),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", &dearer),
        ("subscription_details[proration_behavior]", "always_invoice"),
    ];
    checked.post("/v1/invoices/create_preview", &form).await;
    checked.post("/v1/invoices/create_preview", &[("customer", &customer)]).await;
    let form = [("price", &*dearer), ("proration_behavior", "always_invoice")];
    checked.post(&format!("/v1/subscription_items/{item}"), &form).await;
    let seats = checked.sandbox.price(100).await;
    let added = checked.post("/v1/subscription_items", &[("subscription", &of), ("price", &seats)]).await;
    checked.call("DELETE", &format!("/v1/subscription_items/{}", id(&added)), &[]).await.ok();
    let failing = id(&checked
        .post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)])
        .await);
    checked
        .post(&format!("/v1/customers/{customer}"), &[("invoice_settings[default_payment_method]", &failing)])
        .await;
    let form = [
        ("items[0][id]", &*item),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", "pending_if_incomplete"),
        ("expand[]", "latest_invoice"),
    ];
    let waiting = checked.post(&format!("/v1/subscriptions/{of}"), &form).await;
    assert!(waiting["pending_update"].is_object());

    let trial =
        [("trial_period_days", "5"), ("trial_settings[end_behavior][missing_payment_method]", "pause")];
    let other = checked.sandbox.customer(&[]).await;
    let trial = checked.sandbox.subscribe(&other, price, &trial).await.ok();
    checked.post(&format!("/v1/subscriptions/{}", id(&trial)), &[("trial_end", "now")]).await;
    checked.post(&format!("/v1/subscriptions/{}/resume", id(&trial)), &[]).await;
}

async fn schedules(checked: &mut Checked, price: &str) {
    let (path, cheaper) = ("/v1/subscription_schedules", checked.sandbox.price(100).await);
    for end in ["cancel", "release"] {
        let customer = checked.sandbox.customer_with("pm_card_visa").await;
        let begun = checked.sandbox.subscribe(&customer, price, &[]).await.ok();
        let schedule = id(&checked.post(path, &[("from_subscription", &id(&begun))]).await);
        let form = [("phases[0][items][0][price]", price), ("phases[1][items][0][price]", &*cheaper)];
        checked.post(&format!("{path}/{schedule}"), &form).await;
        checked.get(&format!("{path}/{schedule}?expand[]=subscription")).await;
        checked.get(&format!("/v1/subscriptions/{}?expand[]=schedule", id(&begun))).await;
        checked.post(&format!("{path}/{schedule}/{end}"), &[]).await;
    }
    checked.get(&format!("{path}?scheduled=false")).await;
}

async fn hand_made_invoices(checked: &mut Checked) {
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [("customer", &*customer), ("amount", "900"), ("currency", "usd"), ("description", "Work")];
    let item = id(&checked.post("/v1/invoiceitems", &form).await);
    checked.post(&format!("/v1/invoiceitems/{item}"), &[("amount", "1000"), ("metadata[a]", "b")]).await;
    checked.get(&format!("/v1/invoiceitems/{item}?expand[]=customer")).await;
    checked.get("/v1/invoiceitems?pending=true").await;
    let spare = id(&checked.post("/v1/invoiceitems", &form).await);
    checked.call("DELETE", &format!("/v1/invoiceitems/{spare}"), &[]).await.ok();
    let form = [
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
        ("collection_method", "send_invoice"),
        ("days_until_due", "3"),
        ("custom_fields[0][name]", "Order"),
        ("custom_fields[0][value]", "7"),
    ];
    let draft = id(&checked.post("/v1/invoices", &form).await);
    checked.post(&format!("/v1/invoices/{draft}"), &[("description", "For work")]).await;
    checked.post(&format!("/v1/invoices/{draft}/send"), &[]).await;
    let other = id(&checked.post("/v1/invoices", &[("customer", &customer)]).await);
    checked.call("DELETE", &format!("/v1/invoices/{other}"), &[]).await.ok();

    let path = format!("/v1/customers/{customer}/balance_transactions");
    let entry = id(&checked.post(&path, &[("amount", "-500"), ("currency", "usd")]).await);
    checked.get(&path).await;
    checked.post(&format!("{path}/{entry}"), &[("description", "Sorry")]).await;
    checked.get(&format!("{path}/{entry}")).await;
}

async fn discounts(checked: &mut Checked, price: &str) {
    let form =
        [("percent_off", "12.5"), ("duration", "repeating"), ("duration_in_months", "3"), ("name", "Autumn")];
    let coupon = id(&checked.post("/v1/coupons", &form).await);
    checked.post(&format!("/v1/coupons/{coupon}"), &[("name", "Fall"), ("metadata[a]", "b")]).await;
    checked.get(&format!("/v1/coupons/{coupon}")).await;
    checked.get("/v1/coupons").await;
    let form =
        [("promotion[type]", "coupon"), ("promotion[coupon]", &*coupon), ("expand[]", "promotion.coupon")];
    let code = id(&checked.post("/v1/promotion_codes", &form).await);
    checked.get(&format!("/v1/promotion_codes/{code}")).await;
    checked.get("/v1/promotion_codes?active=true").await;
    let form = [("display_name", "VAT"), ("inclusive", "false"), ("percentage", "8.875"), ("country", "DE")];
    let rate = id(&checked.post("/v1/tax_rates", &form).await);
    checked.post(&format!("/v1/tax_rates/{rate}"), &[("description", "VAT Germany")]).await;
    checked.get(&format!("/v1/tax_rates/{rate}")).await;
    checked.get("/v1/tax_rates").await;
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [
        ("customer", &*customer),
        ("items[0][price]", price),
        ("discounts[0][promotion_code]", &code),
        ("default_tax_rates[]", &rate),
        ("expand[]", "discounts.source.coupon"),
        ("expand[]", "latest_invoice.total_discount_amounts.discount"),
    ];
    let begun = checked.post("/v1/subscriptions", &form).await;
    assert_eq!(begun["discounts"][0]["object"], "discount");
    let item = id(&begun["items"]["data"][0]);
    let form = [
        ("items[0][id]", &*item),
        ("items[0][quantity]", "2"),
        ("items[0][discounts][0][coupon]", &coupon),
        ("expand[]", "items.data.discounts"),
    ];
    checked.post(&format!("/v1/subscriptions/{}", id(&begun)), &form).await;
    let form = [("customer", &*customer), ("amount", "500"), ("discounts[0][coupon]", &coupon)];
    checked.post("/v1/invoiceitems", &form).await;
    checked.get(&format!("/v1/invoiceitems?customer={customer}&expand[]=data.discounts")).await;
    let path = format!("/v1/customers/{customer}");
    checked.post(&path, &[("coupon", &coupon)]).await;
    checked.get(&path).await;
    checked.get(&format!("{path}/discount")).await;
    checked.call("DELETE", &format!("{path}/discount"), &[]).await.ok();
    checked.call("DELETE", &format!("/v1/subscriptions/{}/discount", id(&begun)), &[]).await.ok();
    checked.post(&format!("/v1/promotion_codes/{code}"), &[("active", "false")]).await;
    checked.call("DELETE", &format!("/v1/coupons/{coupon}"), &[]).await.ok();
}

async fn portal(checked: &mut Checked, customer: &str, price: &str) {
    let form = [
        ("features[customer_update][enabled]", "true"),
        ("features[customer_update][allowed_updates][]", "email"),
        ("features[payment_method_update][enabled]", "true"),
        ("features[subscription_cancel][enabled]", "true"),
        ("business_profile[headline]", "Hello"),
        ("default_return_url", "https://app.test/billing"),
    ];
    let path = "/v1/billing_portal/configurations";
    let made = id(&checked.post(path, &form).await);
    let price = checked.get(&format!("/v1/prices/{price}")).await;
    let form = [
        ("features[subscription_update][enabled]", "true"),
        ("features[subscription_update][products][0][product]", price["product"].as_str().unwrap()),
        ("features[subscription_update][products][0][prices][]", price["id"].as_str().unwrap()),
        ("metadata[a]", "b"),
    ];
    checked.post(&format!("{path}/{made}"), &form).await;
    checked.get(&format!("{path}/{made}")).await;
    checked.get(path).await;
    let form = [
        ("customer", customer),
        ("return_url", "https://app.test/billing"),
        ("flow_data[type]", "payment_method_update"),
        ("flow_data[after_completion][type]", "redirect"),
        ("flow_data[after_completion][redirect][return_url]", "https://app.test/done"),
        ("expand[]", "configuration"),
    ];
    checked.post("/v1/billing_portal/sessions", &form).await;
}

async fn checkout(checked: &mut Checked, price: &str) {
    let path = "/v1/checkout/sessions";
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://app.test/done?id={CHECKOUT_SESSION_ID}"),
        ("customer_email", "ada@example.test"),
        ("expand[]", "line_items"),
    ];
    let session = id(&checked.post(path, &form).await);
    checked.get(&format!("{path}/{session}/line_items")).await;
    checked.post(&format!("{path}/{session}"), &[("metadata[a]", "b")]).await;
    checked.sandbox.check_out(&session, &[("payment_method", "pm_card_visa"), ("name", "Ada")]).await.ok();
    checked.get(&format!("{path}?expand[]=data.total_details.breakdown")).await;
    let expand = "expand[]=customer&expand[]=subscription&expand[]=invoice&expand[]=line_items";
    assert_eq!(checked.get(&format!("{path}/{session}?{expand}")).await["status"], "complete");
    let form = [("mode", "setup"), ("success_url", "https://app.test/done"), ("currency", "usd")];
    let other = id(&checked.post(path, &form).await);
    checked.post(&format!("{path}/{other}/expire"), &[]).await;
    checked.get(&format!("{path}?status=complete")).await;
}

async fn lists(checked: &mut Checked, customer: &str) {
    for collection in
        ["charges", "customers", "invoices", "payment_intents", "prices", "products", "subscriptions"]
    {
        checked.get(&format!("/v1/{collection}/search?query=created%3E0&limit=2")).await;
    }
    checked.get(&format!("/v1/invoices?customer={customer}&status=paid&expand[]=data.payments")).await;
    checked.get("/v1/invoice_payments").await;
    let events = checked.get("/v1/events?limit=100").await;
    let event = id(&events["data"][0]);
    checked.get(&format!("/v1/events/{event}")).await;
    checked.post(&format!("/v1/events/{event}/retry"), &[]).await;
}

/// What each endpoint answers to something that isn't there, or that it doesn't know.
async fn refusals(checked: &mut Checked) {
    for (method, pattern) in sandbox::routes() {
        let path: Vec<&str> =
            pattern.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part }).collect();
        let path = path.join("/");
        let answer = if method == "GET" {
            checked.call(method, &format!("{path}?nonsense=1"), &[]).await
        } else {
            checked.call(method, &path, &[("nonsense", "1")]).await
        };
        assert_eq!(answer.error(400)["code"], "parameter_unknown", "{method} {path}");
        if pattern.contains('{') && method == "GET" {
            checked.call(method, &path, &[]).await.error(404);
        }
    }
}
