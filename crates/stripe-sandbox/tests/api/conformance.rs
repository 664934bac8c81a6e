//! Every endpoint is called, and every answer and event held against Stripe's published schema.

mod catalogue;
mod credit_notes;
mod customers;
mod disputes;
mod invoices;
mod pages;
mod payments;
mod subscriptions;

use std::collections::BTreeSet;

use serde_json::Value;
use stripe_sandbox as sandbox;

use super::schema::Schema;
use super::support::{Answer, Sandbox, id};

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
    let price = catalogue::catalogue(&mut checked).await;
    let customer = customers::customers(&mut checked).await;
    customers::payment_methods(&mut checked, &customer).await;
    customers::sources(&mut checked).await;
    payments::payment_intents(&mut checked, &customer).await;
    payments::setup_intents(&mut checked, &customer).await;
    subscriptions::subscriptions(&mut checked, &customer, &price).await;
    invoices::invoices(&mut checked, &price).await;
    pages::portal(&mut checked, &customer, &price).await;
    pages::checkout(&mut checked, &price).await;
    catalogue::discounts(&mut checked, &price).await;
    subscriptions::test_clocks(&mut checked, &price).await;
    subscriptions::plan_changes(&mut checked, &price).await;
    subscriptions::schedules(&mut checked, &price).await;
    invoices::hand_made_invoices(&mut checked).await;
    credit_notes::credit_notes(&mut checked).await;
    disputes::disputes(&mut checked).await;
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
