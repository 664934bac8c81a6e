//! `expand[]`: every path that Stripe publishes, of every object that is served.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use stripe_sandbox as sandbox;

use super::schema::Schema;
use super::support::{Sandbox, id};

/// As `src/dispatch/expand.rs` reads it.
#[derive(Deserialize)]
struct Expandable {
    fields: BTreeSet<String>,
    paths: BTreeMap<String, Vec<String>>,
}

fn published() -> BTreeMap<String, Expandable> {
    serde_json::from_str(include_str!("../../src/dispatch/expandable.json")).unwrap()
}

/// What stands at a path, through lists and hashes.
fn found<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    path.split('.').fold(vec![value], |at, part| {
        let fields = at.into_iter().filter_map(|value| value.get(part));
        fields
            .flat_map(|value| value.as_array().map_or(vec![value], |items| items.iter().collect()))
            .collect()
    })
}

/// A sandbox with one of everything that lists can show, as far as it has it.
async fn filled() -> Sandbox {
    let sandbox = Sandbox::start().await;
    let now = sandbox.clock.now().timestamp().to_string();
    let clock = id(&sandbox.post("/v1/test_helpers/test_clocks", &[("frozen_time", &now)]).await.ok());
    let card = "pm_card_visa";
    let customer = sandbox
        .customer(&[
            ("payment_method", card),
            ("invoice_settings[default_payment_method]", card),
            ("test_clock", &clock),
        ])
        .await;
    // Lists show customers of clocks only where the clock is named.
    let other = sandbox.customer_with(card).await;
    let form = [
        ("name", "Pro"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[unit_amount]", "7999"),
        ("default_price_data[recurring][interval]", "month"),
    ];
    let price = sandbox.post("/v1/products", &form).await.ok()["default_price"].as_str().unwrap().to_owned();
    sandbox.subscribe(&customer, &price, &[]).await.ok();
    let kept = sandbox.get(&format!("/v1/customers/{other}/payment_methods")).await;
    let method = match kept.status {
        200 => id(&kept.body["data"][0]),
        _ => id(&sandbox.get(&format!("/v1/payment_methods?customer={other}")).await.ok()["data"][0]),
    };
    let paid = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("customer", &*other),
        ("payment_method", &method),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    sandbox.post("/v1/payment_intents", &paid).await.ok();
    sandbox.post("/v1/setup_intents", &[&paid[2..], &[("usage", "on_session")]].concat()).await.ok();
    sandbox
}

#[tokio::test]
async fn every_published_path_of_every_object_can_be_expanded() {
    let (sandbox, mut schema, published) = (filled().await, Schema::load(), published());
    let (mut seen, mut replaced, mut problems) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let lists: Vec<_> =
        sandbox::routes().filter(|(method, path)| *method == "GET" && !path.contains('{')).collect();
    for (_, list) in lists {
        let query = match list {
            "/v1/setup_attempts" => {
                let intents = sandbox.get("/v1/setup_intents").await.ok();
                format!("?setup_intent={}&", id(&intents["data"][0]))
            }
            _ => "?".to_owned(),
        };
        let plain = sandbox.get(&format!("{list}{query}limit=1")).await;
        let Some(object) = plain.body["data"].get(0).filter(|_| plain.status == 200).cloned() else {
            continue;
        };
        let owner = object["object"].as_str().unwrap().to_owned();
        let Some(Expandable { fields, paths }) = published.get(&owner) else { continue };
        seen.insert(owner.clone());
        for path in paths.keys().chain(fields) {
            // A field that is a hash with places in it isn't itself one.
            if !paths.contains_key(path) && found(&object, path).iter().any(|value| !value.is_null()) {
                continue;
            }
            let answer = sandbox.get(&format!("{list}{query}limit=1&expand[]=data.{path}")).await;
            let found_problems = schema.problems_of_answer("GET", list, answer.status, &answer.body);
            problems.extend(found_problems.iter().map(|problem| format!("{list} data.{path}: {problem}")));
            if answer.status != 200 {
                problems.push(format!("{list} data.{path}: {}", answer.body["error"]["message"]));
                continue;
            }
            let one = format!("{list}/{}?expand[]={path}", id(&object));
            let has_address =
                sandbox::routes().any(|(method, of)| method == "GET" && of == format!("{list}/{{id}}"));
            if has_address && sandbox.get(&one).await.status != 200 {
                problems.push(format!("{one}: refused"));
            }
            let before = found(&object, path).into_iter().filter(|value| value.is_string()).count();
            let after = found(&answer.body["data"][0], path);
            if let Some(kinds) = paths.get(path) {
                if before > 0 && !after.iter().all(|value| kinds.iter().any(|kind| value["object"] == **kind))
                {
                    problems.push(format!("{list} data.{path}: still {after:?}"));
                } else if before > 0 {
                    replaced.insert(format!("{owner}.{path}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    for owner in ["charge", "customer", "invoice", "payment_intent", "price", "setup_intent", "subscription"]
    {
        assert!(seen.contains(owner), "{owner} was never looked at");
    }
    assert!(replaced.len() > 20, "only {replaced:?}");
}

#[tokio::test]
async fn expansion_goes_four_levels_deep_and_through_lists() {
    let sandbox = filled().await;
    let invoices = "/v1/invoices?limit=1&expand[]=data.payments.data.payment.payment_intent";
    let invoice = sandbox.get(invoices).await.ok()["data"][0].clone();
    assert_eq!(found(&invoice, "payments.data.payment.payment_intent.status")[0], "succeeded");
    let price = "lines.data.pricing.price_details.price.product";
    let too_deep = sandbox.get(&format!("/v1/invoices?expand[]=data.{price}")).await.error(400);
    assert!(too_deep["message"].as_str().unwrap().contains("more than 4 levels"));
    let path = "latest_invoice.customer.invoice_settings.default_payment_method";
    let clocked = sandbox.get(&format!("/v1/subscriptions?expand[]=data.{path}")).await.ok();
    assert_eq!(found(&clocked["data"][0], &format!("{path}.card.last4"))[0], "4242");
}
