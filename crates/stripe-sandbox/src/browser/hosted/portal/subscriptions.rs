//! The customer's subscriptions: what they are, canceling and renewing them, and choosing another price.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::format::{day, price};
use super::super::{change, layout::notice};
use super::{Portal, answer};
use crate::billing::{subscriptions, update};
use crate::engine::objects::{Subscription, SubscriptionStatus};
use crate::engine::{ApiError, Kind, Sandbox, Tx};

const KIND: Kind = Kind::Subscription;

/// A subscription as its customer sees it.
struct Plan {
    id: String,
    name: String,
    price: String,
    /// What is next, as a sentence.
    next: String,
    badge: (&'static str, &'static str),
    ends: bool,
}

/// The subscriptions that aren't over.
pub(super) fn section(sandbox: &Sandbox, portal: &Portal) -> Markup {
    let plans = sandbox.read(|tx| {
        let mine = tx.all(KIND).filter(|doc| {
            doc.object["customer"] == portal.customer_id() && !Subscription(&doc.object).is_over()
        });
        mine.map(|doc| plan(tx, &tx.render(KIND, &doc))).collect::<Vec<_>>()
    });
    html! {
        section {
            h2 { "Current subscription" }
            @if plans.is_empty() { p.muted { "There is no subscription at the moment." } }
            @for plan in &plans { (card(portal, plan)) }
        }
    }
}

fn plan(tx: &Tx, subscription: &Value) -> Plan {
    let items = subscription["items"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = items.iter().map(|item| product_name(tx, &item["price"])).collect();
    let prices: Vec<String> =
        items.iter().map(|item| price(&item["price"], item["quantity"].as_i64().unwrap_or(1))).collect();
    let view = Subscription(subscription);
    let end = items.first().map(|item| day(&item["current_period_end"])).unwrap_or_default();
    let ends = view.cancel_at().is_some();
    let next = match view.status() {
        _ if ends => format!("Ends on {}.", day(&subscription["cancel_at"])),
        Some(SubscriptionStatus::Trialing) => format!("The trial lasts until {end}."),
        Some(SubscriptionStatus::Active) => format!("Renews on {end}."),
        Some(SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid) => {
            "The last payment failed. Pay the open invoice below, or add another card.".to_owned()
        }
        Some(SubscriptionStatus::Paused) => "Paused: there is no card to charge.".to_owned(),
        _ => "Waiting for its first payment: pay the open invoice below.".to_owned(),
    };
    let badge = match view.status() {
        _ if ends => ("Ending", "waiting"),
        Some(SubscriptionStatus::Trialing) => ("Trial", "good"),
        Some(SubscriptionStatus::Active) => ("Active", "good"),
        Some(SubscriptionStatus::PastDue) => ("Past due", "bad"),
        Some(SubscriptionStatus::Unpaid) => ("Unpaid", "bad"),
        Some(SubscriptionStatus::Paused) => ("Paused", "waiting"),
        _ => ("Incomplete", "waiting"),
    };
    let id = subscription["id"].as_str().unwrap_or_default().to_owned();
    Plan { id, name: names.join(", "), price: prices.join(" + "), next, badge, ends }
}

fn product_name(tx: &Tx, price: &Value) -> String {
    let product = tx.get(Kind::Product, price["product"].as_str().unwrap_or_default());
    product
        .and_then(|doc| doc.object["name"].as_str().map(str::to_owned))
        .unwrap_or_else(|| "Plan".to_owned())
}

fn card(portal: &Portal, plan: &Plan) -> Markup {
    let address = format!("{}/subscriptions/{}", portal.path, plan.id);
    let (text, tone) = plan.badge;
    html! {
        article.card aria-label=(plan.name) {
            div.grow {
                h3 { (plan.name) " " span class={ "badge badge-" (tone) } { (text) } }
                p.price { (plan.price) }
                p.muted { (plan.next) }
            }
            div.actions {
                @if portal.may("subscription_update") && !plan.ends {
                    a.button href={ (address) "/update" } { "Update subscription" }
                }
                @if plan.ends && portal.may("subscription_cancel") {
                    form method="post" action={ (address) "/renew" } { button { "Don’t cancel subscription" } }
                } @else if portal.may("subscription_cancel") {
                    a.button href={ (address) "/cancel" } { "Cancel subscription" }
                }
            }
        }
    }
}

/// The portal, and the subscription of its customer's that isn't over.
fn open(sandbox: &Sandbox, token: &str, id: &str, feature: &str) -> Result<(Portal, Plan, Value), Response> {
    let portal = Portal::open_for(sandbox, token, feature)?;
    let found = sandbox.read(|tx| {
        let doc = tx.get(KIND, id).filter(|doc| doc.object["customer"] == portal.customer_id())?;
        let object = tx.render(KIND, &doc);
        (!Subscription(&object).is_over()).then(|| (plan(tx, &object), object))
    });
    match found {
        Some((plan, object)) => Ok((portal, plan, object)),
        None => {
            let text = "The subscription has ended, or is another customer’s.";
            Err(notice(StatusCode::NOT_FOUND, "No such subscription", text))
        }
    }
}

/// `GET …/subscriptions/{id}/cancel`
pub(super) async fn ask(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
) -> Response {
    let (portal, plan, object) = match open(&sandbox, &token, &id, "subscription_cancel") {
        Ok(found) => found,
        Err(page) => return page,
    };
    let feature = &portal.features["subscription_cancel"];
    let end = object["items"]["data"][0]["current_period_end"].clone();
    let reasons = &feature["cancellation_reason"];
    let options = reasons["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    let body = html! {
        h1 { "Cancel subscription" }
        section.card.stack {
            div { h3 { (plan.name) } p.price { (plan.price) } }
            @if feature["mode"] == "immediately" {
                p { "The subscription ends now." }
            } @else {
                p { "You keep the subscription until " b { (day(&end)) } ". It won’t renew after that." }
            }
            form.stack method="post" {
                @if reasons["enabled"] == true && !options.is_empty() {
                    fieldset {
                        legend { "Why do you cancel? " span.muted { "Optional" } }
                        @for option in options.iter().filter_map(Value::as_str) {
                            label.choice {
                                input type="radio" name="feedback" value=(option);
                                (reason(option))
                            }
                        }
                    }
                    div.field {
                        label.label for="comment" { "Anything else? " span.muted { "Optional" } }
                        textarea #comment name="comment" rows="3" maxlength="500" {}
                    }
                }
                div.actions {
                    button.danger { "Cancel subscription" }
                    @if portal.flow.is_none() { a.button href=(portal.path) { "Keep it" } }
                }
            }
        }
    };
    portal.page("Cancel subscription", false, true, &body)
}

/// A reason in the words that Stripe's portal has for it.
fn reason(option: &str) -> &'static str {
    match option {
        "too_expensive" => "It’s too expensive",
        "missing_features" => "Some features are missing",
        "switched_service" => "I’m switching to a different service",
        "unused" => "I don’t use it enough",
        "customer_service" => "Customer service was less than expected",
        "too_complex" => "Ease of use was less than expected",
        "low_quality" => "Quality was less than expected",
        _ => "Other reason",
    }
}

#[derive(Deserialize)]
pub(super) struct Reasons {
    #[serde(default)]
    feedback: String,
    #[serde(default)]
    comment: String,
}

/// `POST …/subscriptions/{id}/cancel`
pub(super) async fn cancel(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
    Form(Reasons { feedback, comment }): Form<Reasons>,
) -> Response {
    let (portal, _, object) = match open(&sandbox, &token, &id, "subscription_cancel") {
        Ok(found) => found,
        Err(page) => return page,
    };
    let feature = &portal.features["subscription_cancel"];
    let mut details = json!({});
    if feature["cancellation_reason"]["options"].as_array().is_some_and(|all| all.contains(&json!(feedback)))
    {
        details["feedback"] = json!(feedback);
    }
    if !comment.trim().is_empty() {
        details["comment"] = json!(comment.trim());
    }
    // One that was never paid for has no period to wait for the end of.
    let now = feature["mode"] == "immediately" || Subscription(&object).is(SubscriptionStatus::Incomplete);
    let outcome = change(&sandbox, &id, |tx| {
        if now {
            tx.change(KIND, &id, |doc| {
                for (field, value) in details.as_object().into_iter().flatten() {
                    doc.object["cancellation_details"][field.as_str()] = value.clone();
                }
            });
            subscriptions::end(tx, &id);
        } else {
            update::update(tx, &id, &json!({"cancel_at_period_end": true, "cancellation_details": details}))?;
        }
        Ok(portal.after(tx, "subscription_cancel"))
    });
    answer(outcome.await)
}

/// `POST …/subscriptions/{id}/renew`
pub(super) async fn renew(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
) -> Response {
    let portal = match open(&sandbox, &token, &id, "subscription_cancel") {
        Ok((portal, ..)) => portal,
        Err(page) => return page,
    };
    let outcome = change(&sandbox, &id, |tx| {
        update::update(tx, &id, &json!({"cancel_at": null}))?;
        Ok(portal.path.clone())
    });
    answer(outcome.await)
}

/// `GET …/subscriptions/{id}/update`
pub(super) async fn choose(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
) -> Response {
    let (portal, _, object) = match open(&sandbox, &token, &id, "subscription_update") {
        Ok(found) => found,
        Err(page) => return page,
    };
    let current = object["items"]["data"][0]["price"]["id"].clone();
    let offered = sandbox.read(|tx| offered(tx, &portal));
    let body = html! {
        h1 { "Update subscription" }
        @if offered.is_empty() { section.card { p { "There is no other plan to choose." } } }
        form.stack method="post" {
            fieldset.plans {
                legend { "Choose a plan" }
                @for (name, of) in &offered {
                    label.card.choice {
                        input type="radio" name="price" value=(of["id"].as_str().unwrap_or_default())
                            checked[of["id"] == current] required;
                        span.grow { b { (name) } @if of["id"] == current { " " span.badge { "Current" } } }
                        span.amount { (price(of, 1)) }
                    }
                }
            }
            @if !offered.is_empty() {
                p.muted { (prorated(&portal)) }
                div.actions { button.primary { "Update subscription" } }
            }
        }
    };
    portal.page("Update subscription", false, true, &body)
}

fn prorated(portal: &Portal) -> &'static str {
    match portal.features["subscription_update"]["proration_behavior"].as_str() {
        Some("always_invoice") => "The difference for the rest of the period is charged now.",
        Some("create_prorations") => "The difference for the rest of the period comes with the next invoice.",
        _ => "The new price holds from the next period on.",
    }
}

/// The prices that may be chosen, each with its product's name.
fn offered(tx: &Tx, portal: &Portal) -> Vec<(String, Value)> {
    let products = portal.features["subscription_update"]["products"].as_array().into_iter().flatten();
    let prices = products.flat_map(|product| product["prices"].as_array().into_iter().flatten());
    let prices = prices.filter_map(|id| tx.view(Kind::Price, id.as_str()?));
    prices.filter(|of| of["active"] == true).map(|of| (product_name(tx, &of), of)).collect()
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    price: String,
}

/// `POST …/subscriptions/{id}/update`
pub(super) async fn update(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
    Form(Chosen { price }): Form<Chosen>,
) -> Response {
    let (portal, _, object) = match open(&sandbox, &token, &id, "subscription_update") {
        Ok(found) => found,
        Err(page) => return page,
    };
    let item = &object["items"]["data"][0]["id"];
    let behavior = &portal.features["subscription_update"]["proration_behavior"];
    let outcome = change(&sandbox, &id, |tx| {
        if !offered(tx, &portal).iter().any(|(_, of)| of["id"] == *price) {
            return Err(ApiError::missing(Kind::Price, &price, "price"));
        }
        // There is nobody to ask for 3D Secure before the answer: what the bank refuses then waits as an open invoice.
        let params = json!({
            "items": [{"id": item, "price": price}], "off_session": true, "proration_behavior": behavior,
        });
        update::update(tx, &id, &params)?;
        Ok(portal.after(tx, "subscription_update"))
    });
    answer(outcome.await)
}
