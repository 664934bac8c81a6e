//! Keys, errors, expansion, lists, idempotency: what holds for every endpoint.

use serde_json::{Value, json};
use stripe_sandbox::PUBLISHABLE_KEY;

use super::support::{Sandbox, id};

#[tokio::test]
async fn keys_are_test_keys() {
    let sandbox = Sandbox::start().await;
    let get = async |key: Option<&str>| sandbox.request("GET", "/v1/customers").key(key).send().await;
    assert!(get(None).await.error(401)["message"].as_str().unwrap().contains("did not provide an API key"));
    assert!(
        get(Some("sk_live_abcdefgh")).await.error(401)["message"].as_str().unwrap().contains("live API key")
    );
    get(Some("sk_test_1")).await.error(401);
    get(Some("sk_test_anything")).await.ok();
    get(Some("rk_test_anything")).await.ok();
    let basic = sandbox.request("GET", "/v1/customers").key(None);
    basic.header("authorization", "Basic c2tfdGVzdF9hbnl0aGluZzo=").send().await.ok();
}

#[tokio::test]
async fn a_browser_may_do_little_and_only_with_the_client_secret() {
    let sandbox = Sandbox::start().await;
    let refused = sandbox.request("GET", "/v1/customers").key(Some(PUBLISHABLE_KEY)).send().await;
    assert_eq!(refused.error(403)["code"], "secret_key_required");
    sandbox.browser_post("/v1/payment_intents", &[("amount", "1"), ("currency", "usd")]).await.error(403);

    let intent = sandbox.post("/v1/payment_intents", &[("amount", "100"), ("currency", "usd")]).await.ok();
    let path = format!("/v1/payment_intents/{}", id(&intent));
    let secret = intent["client_secret"].as_str().unwrap();
    let seen = async |query: &str| {
        // As the key in the query, which a browser may prefer to a header.
        let path = format!("{path}?key={PUBLISHABLE_KEY}{query}");
        sandbox.request("GET", &path).key(None).send().await
    };
    assert_eq!(seen("").await.error(400)["param"], "client_secret");
    assert_eq!(
        seen("&client_secret=pi_x_secret_y").await.error(400)["code"],
        "payment_intent_invalid_parameter"
    );
    let answer = seen(&format!("&client_secret={secret}")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.ok()["amount"], 100);
    let form = [("client_secret", secret), ("payment_method", "pm_card_visa"), ("off_session", "true")];
    sandbox.browser_post(&format!("{path}/confirm"), &form).await.error(400);
    let error = sandbox
        .browser_post(
            &format!("{path}/confirm"),
            &[("client_secret", secret), ("payment_method", "pm_card_chargeDeclined")],
        )
        .await
        .error(402);
    assert!(error["payment_intent"].get("metadata").is_none(), "not in errors either");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_stripes_words() {
    let sandbox = Sandbox::start().await;
    let error = sandbox.get("/v1/nonsense").await.error(404);
    assert!(error["message"].as_str().unwrap().starts_with("Unrecognized request URL (GET: /v1/nonsense)."));
    assert_eq!(error["type"], "invalid_request_error");
    let error = sandbox.get("/v1/customers/cus_nope").await.error(404);
    assert_eq!(error["message"], "No such customer: 'cus_nope'");
    assert_eq!((&error["code"], &error["param"]), (&json!("resource_missing"), &json!("id")));
    assert_eq!(error["doc_url"], "https://stripe.com/docs/error-codes/resource-missing");
    assert_eq!(sandbox.get("/v1/payment_intents/pi_nope").await.error(404)["param"], "intent");
    let error = sandbox.post("/v1/customers", &[("nonsense", "1"), ("more", "2")]).await.error(400);
    assert_eq!(error["code"], "parameter_unknown");
    assert!(error["message"].as_str().unwrap().starts_with("Received unknown parameters: "));
    let json = sandbox.request("POST", "/v1/customers").header("content-type", "application/json");
    json.form(&[("a", "b")]).send().await.error(400);
    let long = "x".repeat(3 << 20);
    sandbox.post("/v1/customers", &[("name", &long)]).await.error(413);
}

#[tokio::test]
async fn every_answer_has_its_request_id_and_version() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.get("/v1/balance").await;
    assert!(answer.header("request-id").unwrap().starts_with("req_"));
    assert_eq!(answer.header("stripe-version"), Some("2026-09-30.endive"));
    let answer = sandbox.request("GET", "/v1/nope").header("stripe-version", "2024-06-20").send().await;
    assert_eq!(
        answer.header("stripe-version"),
        Some("2026-09-30.endive"),
        "what it is, not what was asked for"
    );
    assert!(answer.header("request-id").is_some());
}

#[tokio::test]
async fn expansion_goes_where_there_is_something_to_expand() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    let subscription = id(&sandbox.subscribe(&customer, &price, &[]).await.ok());
    let path = format!("/v1/subscriptions/{subscription}");
    let plain = sandbox.get(&path).await.ok();
    assert!(plain["latest_invoice"].is_string() && plain["customer"].is_string());
    let deep = format!("{path}?expand[]=latest_invoice.payments.data.payment.payment_intent.latest_charge");
    assert!(sandbox.get(&deep).await.error(400)["message"].as_str().unwrap().contains("more than 4 levels"));
    let deep = "/v1/subscriptions?expand[]=data.customer.invoice_settings.default_payment_method";
    let list = sandbox.get(deep).await.ok();
    assert_eq!(
        list["data"][0]["customer"]["invoice_settings"]["default_payment_method"]["card"]["last4"],
        "4242"
    );
    let nothing = format!("{path}?expand[]=pending_setup_intent&expand[]=default_payment_method");
    assert_eq!(sandbox.get(&nothing).await.ok()["pending_setup_intent"], json!(null));
    for wrong in ["nonsense", "status", "metadata", "latest_invoice.number"] {
        let error = sandbox.get(&format!("{path}?expand[]={wrong}")).await.error(400);
        assert!(error["message"].as_str().unwrap().contains(wrong), "{wrong}");
    }
    let before = sandbox.running.sandbox().list("customers").len();
    sandbox.post("/v1/customers", &[("expand[]", "nonsense")]).await.error(400);
    assert_eq!(
        sandbox.running.sandbox().list("customers").len(),
        before,
        "a refused request changes nothing"
    );
}

#[tokio::test]
async fn lists_are_walked_by_cursor_in_both_directions() {
    let sandbox = Sandbox::start().await;
    let mut all = Vec::new();
    for index in 0..7 {
        all.insert(0, sandbox.customer(&[("email", &format!("{index}@example.test"))]).await);
    }
    let ids = |list: &Value| -> Vec<String> { list["data"].as_array().unwrap().iter().map(id).collect() };
    let first = sandbox.get("/v1/customers?limit=3").await.ok();
    assert_eq!((ids(&first), &first["has_more"]), (all[..3].to_vec(), &json!(true)));
    assert_eq!((&first["object"], &first["url"]), (&json!("list"), &json!("/v1/customers")));
    let next = sandbox.get(&format!("/v1/customers?limit=4&starting_after={}", all[2])).await.ok();
    assert_eq!((ids(&next), &next["has_more"]), (all[3..].to_vec(), &json!(false)));
    let back = sandbox.get(&format!("/v1/customers?limit=2&ending_before={}", all[3])).await.ok();
    assert_eq!((ids(&back), &back["has_more"]), (all[1..3].to_vec(), &json!(true)));
    for (query, param) in
        [("limit=0", "limit"), ("limit=101", "limit"), ("starting_after=cus_x", "starting_after")]
    {
        assert_eq!(sandbox.get(&format!("/v1/customers?{query}")).await.error(400)["param"], param);
    }
    let both = format!("/v1/customers?starting_after={}&ending_before={}", all[0], all[1]);
    sandbox.get(&both).await.error(400);
    assert_eq!(ids(&sandbox.get("/v1/customers?email=0@example.test").await.ok()), all[6..]);
    let now = sandbox.clock.now().timestamp();
    assert_eq!(ids(&sandbox.get(&format!("/v1/customers?created[gt]={now}")).await.ok()), [""; 0]);
    assert_eq!(ids(&sandbox.get(&format!("/v1/customers?created[gte]={now}")).await.ok()), all);
}

#[tokio::test]
async fn events_are_found_by_type_and_time() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    sandbox.clock.advance(chrono::Duration::hours(1));
    sandbox.price(100).await;
    let kinds = async |query: &str| -> Vec<String> {
        let list = sandbox.get(&format!("/v1/events?{query}")).await.ok();
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds("type=customer.created").await, ["customer.created"]);
    assert_eq!(kinds("type=customer.*").await, ["customer.created"]);
    assert_eq!(
        kinds("types[]=price.created&types[]=product.created").await,
        ["price.created", "product.created"]
    );
    let now = sandbox.clock.now().timestamp();
    assert!(!kinds(&format!("created[gte]={now}")).await.contains(&"customer.created".to_owned()));
    let event = sandbox.get("/v1/events?type=customer.created").await.ok()["data"][0].clone();
    assert_eq!(event["data"]["object"]["id"], customer);
    assert!(event["request"]["id"].as_str().unwrap().starts_with("req_"));
}

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_request() {
    let sandbox = Sandbox::start().await;
    let create = async |email: &str| {
        let request = sandbox.request("POST", "/v1/customers").header("idempotency-key", "once");
        request.form(&[("email", email), ("name", "A")]).send().await
    };
    let first = create("a@example.test").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let original = first.header("request-id").unwrap().to_owned();
    let customer = id(&first.ok());
    let again = create("a@example.test").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), Some(&*original));
    assert_eq!(id(&again.ok()), customer);
    assert_eq!(create("b@example.test").await.error(400)["type"], "idempotency_error");
    let other = sandbox.request("POST", "/v1/customers").key(Some("sk_test_another_account"));
    assert_ne!(id(&other.header("idempotency-key", "once").send().await.ok()), customer);

    sandbox.clock.advance(chrono::Duration::hours(25));
    assert_ne!(id(&create("a@example.test").await.ok()), customer, "after a day a key is new again");
}

#[tokio::test]
async fn a_declined_payment_is_remembered_and_a_refused_request_is_not() {
    let sandbox = Sandbox::start().await;
    let pay = async |amount: &str| {
        let request = sandbox.request("POST", "/v1/payment_intents").header("idempotency-key", "pay");
        let form = [
            ("amount", amount),
            ("currency", "usd"),
            ("payment_method", "pm_card_chargeDeclined"),
            ("confirm", "true"),
            ("payment_method_types[]", "card"),
        ];
        request.form(&form).send().await
    };
    pay("0").await.error(400);
    let intent = id(&pay("100").await.error(402)["payment_intent"]);
    assert_eq!(id(&pay("100").await.error(402)["payment_intent"]), intent);
    assert_eq!(sandbox.running.sandbox().list("charges").len(), 1);
}

#[tokio::test]
async fn two_requests_at_once_with_one_key_make_one_object() {
    let sandbox = Sandbox::start().await;
    let create = || {
        let request = sandbox.request("POST", "/v1/customers").header("idempotency-key", "once");
        async { id(&request.form(&[("email", "a@example.test")]).send().await.ok()) }
    };
    let ids = futures::future::join_all((0..10).map(|_| create())).await;
    assert!(ids.iter().all(|one| *one == ids[0]), "{ids:?}");
    assert_eq!(sandbox.running.sandbox().list("customers").len(), 1);
}

#[tokio::test]
async fn a_version_or_an_account_that_there_is_not_is_refused() {
    let sandbox = Sandbox::start().await;
    let get = async |name: &'static str, value: &str| {
        sandbox.request("GET", "/v1/customers").header(name, value).send().await
    };
    for version in ["2011-01-01", "2024-06-20", "2025-03-31.basil", "2026-08-26.dahlia", "2026-12-30.endive"]
    {
        get("stripe-version", version).await.ok();
    }
    for version in ["2024-06-21", "2026-08-26", "2026-08-26.basil", "2026-13-30.endive", "latest", ""] {
        let error = get("stripe-version", version).await.error(400);
        assert_eq!(error["message"], format!("Invalid Stripe API version: {version}"));
    }
    let error = get("stripe-version", "2025-03-31.basil; thing_beta=v1").await.error(400);
    assert!(error["message"].as_str().unwrap().contains("thing_beta=v1"));

    let own = sandbox.get("/v1/account").await.ok();
    get("stripe-account", &id(&own)).await.ok();
    let error = get("stripe-account", "acct_another").await.error(403);
    assert_eq!(error["code"], "account_invalid");
    assert!(error["message"].as_str().unwrap().contains("'acct_another'"), "{error}");
}
