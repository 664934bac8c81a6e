//! What discounts make of prorations: in the default mode their amounts are shown after discounts, in the other before.
//!
//! Source: <https://docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts>

use serde_json::{Value, json};

use super::on_a_clock::{Subscribed, advance, at, invoices, subscribed};
use super::support::{Sandbox, id};

/// A month of thirty days, and the moment at which a third of it is left.
const START: &str = "2030-04-01T00:00:00Z";
const LATER: &str = "2030-04-21T00:00:00Z";
const ITEMIZED: [(&str, &str); 2] =
    [("billing_mode[type]", "flexible"), ("billing_mode[flexible][proration_discounts]", "itemized")];

async fn coupon(sandbox: &Sandbox, form: &[(&str, &str)]) -> String {
    id(&sandbox.post("/v1/coupons", form).await.ok())
}

/// Subscribed to a plan of $10 with what the form says, a third of its month being left.
async fn with_a_third_left(form: &[(&str, &str)]) -> Subscribed {
    let begun = subscribed(START, "pm_card_visa", &[]).await;
    let price = begun.begun["items"]["data"][0]["price"]["id"].as_str().unwrap();
    let other = begun.sandbox.subscribe(&begun.customer, price, form).await.ok();
    advance(&begun.sandbox, &begun.clock, at(LATER)).await;
    Subscribed { begun: other, ..begun }
}

/// The same with one coupon on the subscription.
async fn discounted(terms: &[(&str, &str)], form: &[(&str, &str)]) -> Subscribed {
    let begun = subscribed(START, "pm_card_visa", &[]).await;
    let price = begun.begun["items"]["data"][0]["price"]["id"].as_str().unwrap();
    let coupon = coupon(&begun.sandbox, terms).await;
    let form = [form, &[("discounts[0][coupon]", &*coupon)]].concat();
    let other = begun.sandbox.subscribe(&begun.customer, price, &form).await.ok();
    advance(&begun.sandbox, &begun.clock, at(LATER)).await;
    Subscribed { begun: other, ..begun }
}

/// The invoice for changing the plan at once.
async fn upgrade(of: &Subscribed, cents: i64, form: &[(&str, &str)]) -> Value {
    let (price, item) = (of.sandbox.price(cents).await, id(&of.begun["items"]["data"][0]));
    let own = [
        ("items[0][id]", &*item),
        ("items[0][price]", &price),
        ("proration_behavior", "always_invoice"),
        ("expand[]", "latest_invoice"),
    ];
    let path = format!("/v1/subscriptions/{}", id(&of.begun));
    of.sandbox.post(&path, &[&own, form].concat()).await.ok()["latest_invoice"].take()
}

fn lines(invoice: &Value) -> Vec<i64> {
    invoice["lines"]["data"].as_array().unwrap().iter().map(|line| line["amount"].as_i64().unwrap()).collect()
}

/// What was taken off each line.
fn off(invoice: &Value) -> Vec<Vec<i64>> {
    let off = |line: &Value| {
        let given = line["discount_amounts"].as_array().unwrap();
        given.iter().map(|off| off["amount"].as_i64().unwrap()).collect()
    };
    invoice["lines"]["data"].as_array().unwrap().iter().map(off).collect()
}

const HALF: [(&str, &str); 2] = [("percent_off", "50"), ("duration", "forever")];

#[tokio::test]
async fn both_sides_of_a_change_are_discounted_and_shown_after_that() {
    let begun = discounted(&HALF, &[]).await;
    let invoice = upgrade(&begun, 2500, &[]).await;
    // A third of five dollars is given back, and one of twelve and a half is charged; each is rounded down.
    assert_eq!(lines(&invoice), [-167, 416]);
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(249), &json!(249)));
    assert_eq!(invoice["amount_paid"], 249);
    assert_eq!((off(&invoice), &invoice["total_discount_amounts"]), (vec![vec![0], vec![0]], &json!([])));
    let discount = &begun.begun["discounts"][0];
    assert_eq!(invoice["lines"]["data"][1]["discounts"], json!([discount]));
    let items = begun.sandbox.get(&format!("/v1/invoiceitems?customer={}", begun.customer)).await.ok();
    let charge = items["data"].as_array().unwrap().iter().find(|item| item["amount"] == 416).unwrap();
    assert_eq!((&charge["net_amount"], &charge["discountable"]), (&json!(416), &json!(false)));
    assert_eq!(charge["proration_details"]["discount_amounts"], json!([{"amount": 0, "discount": discount}]));
}

#[tokio::test]
async fn itemized_the_amounts_are_those_before_discounts() {
    let begun = discounted(&HALF, &ITEMIZED).await;
    let invoice = upgrade(&begun, 2500, &[]).await;
    assert_eq!(lines(&invoice), [-334, 833]);
    assert_eq!(off(&invoice), [[-167], [417]]);
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(499), &json!(249)));
    assert_eq!(invoice["total_discount_amounts"][0]["amount"], 250);
    let items = begun.sandbox.get(&format!("/v1/invoiceitems?customer={}", begun.customer)).await.ok();
    let charge = items["data"].as_array().unwrap().iter().find(|item| item["amount"] == 833).unwrap();
    assert_eq!(charge["net_amount"], 416);
    assert_eq!(charge["proration_details"]["discount_amounts"][0]["amount"], 417);
}

#[tokio::test]
async fn an_item_s_own_discount_comes_first_and_both_are_shown_as_published() {
    for (mode, amount, shown, subtotal) in
        [(&[][..], 700, vec![0], 700), (&ITEMIZED[..], 1000, vec![100, 200], 900)]
    {
        let begun = with_a_third_left(mode).await;
        let own = coupon(&begun.sandbox, &[("percent_off", "10"), ("duration", "forever")]).await;
        let form = [("amount_off", "600"), ("currency", "usd"), ("duration", "forever")];
        let of_all = coupon(&begun.sandbox, &form).await;
        let price = begun.sandbox.price(3000).await;
        let form = [
            ("subscription", &*id(&begun.begun)),
            ("price", &price),
            ("discounts[0][coupon]", &own),
            ("proration_behavior", "none"),
        ];
        let added = begun.sandbox.post("/v1/subscription_items", &form).await.ok();
        let kept = id(&begun.begun["items"]["data"][0]);
        let path = format!("/v1/subscription_items/{kept}");
        begun.sandbox.request("DELETE", &format!("{path}?proration_behavior=none")).send().await.ok();
        let path = format!("/v1/subscriptions/{}", id(&begun.begun));
        begun.sandbox.post(&path, &[("discounts[0][coupon]", &of_all)]).await.ok();
        // The same at another price, of which nothing was charged before.
        let form = [
            ("items[0][price]", &*begun.sandbox.price(3000).await),
            ("items[0][discounts][0][discount]", added["discounts"][0].as_str().unwrap()),
            ("items[1][id]", &id(&added)),
            ("items[1][deleted]", "true"),
            ("proration_behavior", "always_invoice"),
            ("expand[]", "latest_invoice"),
        ];
        let invoice = begun.sandbox.post(&path, &form).await.ok()["latest_invoice"].take();
        let data = invoice["lines"]["data"].as_array().unwrap();
        let at = data.iter().position(|line| line["amount"].as_i64().unwrap() > 0).unwrap();
        let charge = &data[at];
        assert_eq!((&charge["amount"], &off(&invoice)[at]), (&json!(amount), &shown), "{invoice:#}");
        assert_eq!(charge["discounts"].as_array().unwrap().len(), 2);
        let credit = lines(&invoice).iter().filter(|amount| **amount < 0).sum::<i64>();
        assert_eq!(invoice["subtotal"], subtotal + credit);
        assert_eq!(invoice["total"], 700 + credit);
    }
}

#[tokio::test]
async fn a_fixed_discount_is_for_the_whole_period() {
    let terms = [("amount_off", "300"), ("currency", "usd"), ("duration", "forever")];
    let begun = discounted(&terms, &[]).await;
    // A third of seven dollars, and of twenty-two.
    assert_eq!(lines(&upgrade(&begun, 2500, &[]).await), [-234, 733]);
}

#[tokio::test]
async fn a_credit_gives_back_what_was_charged_whatever_is_so_now() {
    // A discount that was for the first invoice is no more, and yet no more than half was paid.
    let begun = discounted(&[("percent_off", "50"), ("duration", "once")], &[]).await;
    assert_eq!(lines(&upgrade(&begun, 2500, &[]).await), [-167, 833]);
    // What was charged in full is given back in full, also where a discount is given with the change.
    let begun = with_a_third_left(&[]).await;
    let half = coupon(&begun.sandbox, &HALF).await;
    assert_eq!(lines(&upgrade(&begun, 2500, &[("discounts[0][coupon]", &half)]).await), [-334, 416]);
    // The next change gives back that charge, not the first.
    assert_eq!(lines(&upgrade(&begun, 3000, &[]).await), [-416, 500]);
}

#[tokio::test]
async fn a_charge_that_waits_is_what_the_next_credit_is_of() {
    let begun = with_a_third_left(&[]).await;
    let half = coupon(&begun.sandbox, &HALF).await;
    let later = [("proration_behavior", "create_prorations")];
    let (item, pro) = (id(&begun.begun["items"]["data"][0]), begun.sandbox.price(2500).await);
    let path = format!("/v1/subscriptions/{}", id(&begun.begun));
    let form = [("items[0][id]", &*item), ("items[0][price]", &pro), ("discounts[0][coupon]", &half)];
    begun.sandbox.post(&path, &[&form[..], &later].concat()).await.ok();
    assert_eq!(lines(&upgrade(&begun, 3000, &[]).await), [-334, 416, -416, 500]);
    let items = begun.sandbox.get(&format!("/v1/invoiceitems?customer={}", begun.customer)).await.ok();
    let find = |amount: i64| {
        items["data"].as_array().unwrap().iter().find(|item| item["amount"] == amount).unwrap().clone()
    };
    let credited = &find(-416)["proration_details"]["credited_items"];
    assert_eq!(credited["type"], "invoice_item");
    assert_eq!(credited["invoice_item"], find(416)["id"]);
}

#[tokio::test]
async fn what_ends_early_is_credited_with_its_discount_and_a_preview_says_so() {
    let begun = discounted(&HALF, &[]).await;
    let item = id(&begun.begun["items"]["data"][0]);
    let pro = begun.sandbox.price(2500).await;
    let form = [
        ("subscription", &*id(&begun.begun)),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", &pro),
    ];
    let preview = begun.sandbox.post("/v1/invoices/create_preview", &form).await.ok();
    // The next month is half of its price too.
    assert_eq!(lines(&preview), [-167, 416, 2500]);
    assert_eq!((off(&preview)[2].clone(), &preview["total"]), (vec![1250], &json!(1499)));
    let path = format!("/v1/subscriptions/{}?prorate=true&invoice_now=true", id(&begun.begun));
    begun.sandbox.delete(&path).await.ok();
    assert_eq!(lines(invoices(&begun.sandbox, &begun.begun).await.last().unwrap()), [-167]);
}
