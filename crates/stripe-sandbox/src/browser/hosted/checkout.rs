//! A Checkout session's page.

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::card::{self, CardForm, Outcome};
use super::change;
use super::format::{day, price, sum};
use super::layout::{Page, back, notice};
use crate::billing::checkout;
use crate::engine::{ApiError, Doc, Kind, Sandbox};
use crate::resources::checkout::{Submitted, pay as pay_session};

const KIND: Kind = Kind::CheckoutSession;
/// What an address is asked for by: field, label and what browsers fill in.
const ADDRESS: [(&str, &str, &str); 5] = [
    ("line1", "Address", "address-line1"),
    ("postal_code", "Postal code", "postal-code"),
    ("city", "City", "address-level2"),
    ("state", "State or province", "address-level1"),
    ("country", "Country (two letters)", "country"),
];

/// `GET /c/pay/{session}`
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    let found = sandbox.read(|tx| {
        let doc = tx.get(KIND, &id)?;
        let items = checkout::line_items(tx, &doc);
        Some((doc, items))
    });
    let Some((doc, items)) = found else {
        let text = "There is no such checkout. It may be from before the sandbox was restarted.";
        return notice(StatusCode::NOT_FOUND, "Not found", text);
    };
    let session = &doc.object;
    match session["status"].as_str() {
        Some("open") => open(&doc, &items),
        Some("complete") => over(session, "You’re all done here", "This checkout is complete."),
        _ => over(session, "This checkout has expired", "Go back to the shop and start again."),
    }
}

fn over(session: &Value, title: &str, text: &str) -> Response {
    let body = html! {
        section.card {
            h1 { (title) }
            p { (text) }
            (back(session["cancel_url"].as_str(), "Back to the shop"))
        }
    };
    Page { title, card: false, leads_to: None, shape: "narrow" }.around(&body)
}

fn open(doc: &Doc, items: &[Value]) -> Response {
    let session = &doc.object;
    let mode = session["mode"].as_str().unwrap_or_default();
    let total = session["amount_total"].as_i64().unwrap_or_default();
    let needs_card = total != 0 || session["payment_method_collection"] != "if_required";
    let action = format!("/c/pay/{}", doc.id());
    let button = label(session, mode, total);
    let form = CardForm {
        action: &action,
        mode: if mode == "subscription" && total == 0 { "setup" } else { mode },
        amount: total,
        currency: session["currency"].as_str().unwrap_or("usd"),
        button: &button,
        fields: fields(session),
    };
    let body = html! {
        div.stack {
            (back(session["cancel_url"].as_str(), "Back to the shop"))
            (summary(doc, items, mode))
        }
        section.card.stack aria-label="Payment" {
            @if needs_card { (form.markup()) }
            @else {
                form.stack method="post" action=(action) {
                    (fields(session))
                    button.primary { (button) }
                }
            }
            @if mode == "subscription" {
                p.muted { "You’ll be charged each period until you cancel." }
            }
        }
    };
    let leads_to = session["success_url"].as_str().filter(|_| !needs_card);
    Page { title: "Checkout", card: needs_card, leads_to, shape: "split" }.around(&body)
}

fn label(session: &Value, mode: &str, total: i64) -> String {
    let amount = sum(&json!(total), session);
    match (session["submit_type"].as_str(), mode) {
        (Some("book"), _) => format!("Book for {amount}"),
        (Some("donate"), _) => format!("Donate {amount}"),
        (_, "setup") => "Save card".to_owned(),
        (_, "subscription") if total == 0 => "Start trial".to_owned(),
        (_, "subscription") => format!("Subscribe for {amount}"),
        _ => format!("Pay {amount}"),
    }
}

fn summary(doc: &Doc, items: &[Value], mode: &str) -> Markup {
    let session = &doc.object;
    if mode == "setup" {
        return html! {
            header {
                h1 { "Save a card" }
                p.muted { "It is charged later, and not now." }
            }
        };
    }
    let trial = doc.hidden["subscription_data"]["trial_period_days"].as_i64().filter(|days| *days > 0);
    let first =
        items.first().map(|item| item["description"].as_str().unwrap_or_default()).unwrap_or_default();
    html! {
        header {
            p.muted { @if mode == "subscription" { "Subscribe to " } @else { "Pay for " } (first) }
            h1.amount {
                @match trial {
                    Some(days) => { (days) " days free" }
                    None => { (sum(&session["amount_total"], session)) }
                }
            }
            @if let Some(end) = Some(&doc.hidden["subscription_data"]["trial_end"]).filter(|end| end.is_i64()) {
                p.muted { "Free until " (day(end)) }
            }
        }
        ul.rows {
            @for item in items {
                @let quantity = item["quantity"].as_i64().unwrap_or(1);
                li {
                    span.grow {
                        (item["description"].as_str().unwrap_or_default())
                        @if quantity > 1 { span.muted { " × " (quantity) } }
                    }
                    span.amount { (price(&item["price"], quantity)) }
                }
            }
        }
        dl.totals {
            div { dt { "Total due today" } dd { (sum(&session["amount_total"], session)) } }
        }
    }
}

fn fields(session: &Value) -> Markup {
    let email = session["customer_details"]["email"].as_str();
    html! {
        @match email {
            Some(email) => p { span.label { "E-mail" } br; (email) },
            None => {
                div.field {
                    label.label for="email" { "E-mail" }
                    input #email name="email" type="email" autocomplete="email" required maxlength="200";
                }
            }
        }
        div.field {
            label.label for="name" { "Name on card" }
            input #name name="name" autocomplete="cc-name" required maxlength="200";
        }
        @if session["billing_address_collection"] == "required" {
            fieldset.grid {
                legend { "Billing address" }
                @for (field, label, fill) in ADDRESS {
                    div.field {
                        label.label for=(field) { (label) }
                        input id=(field) name=(field) autocomplete=(fill) required[field != "state"] maxlength="200";
                    }
                }
            }
        }
    }
}

/// `POST /c/pay/{session}`: with a payment method where one is needed, or without one after its 3D Secure.
pub(super) async fn pay(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<std::collections::HashMap<String, String>>,
) -> Response {
    let entered =
        |field: &str| form.get(field).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let parts = ADDRESS.iter().map(|(field, ..)| ((*field).to_owned(), json!(entered(field))));
    let address = if form.contains_key("line1") { Value::Object(parts.collect()) } else { Value::Null };
    let given = Submitted {
        payment_method: entered("payment_method"),
        email: entered("email"),
        name: entered("name"),
        address,
    };
    let settled = form.contains_key("settled");
    let customer = sandbox.read(|tx| tx.get(KIND, &id).map(|doc| doc.object["customer"].clone()));
    let customer = customer.as_ref().and_then(Value::as_str).unwrap_or_default();
    let outcome = change(&sandbox, customer, |tx| {
        if !settled && let Some(secret) = pay_session(tx, &id, &given)? {
            return Ok(Outcome::Challenge(secret));
        }
        let doc = tx.find(KIND, &id, "id")?;
        if doc.object["status"] != "complete" {
            return Err(ApiError::invalid("The payment could not be completed. Please try another card."));
        }
        let url = doc.object["success_url"].as_str().unwrap_or_default();
        Ok(Outcome::Done(url.replace("{CHECKOUT_SESSION_ID}", &id)))
    });
    card::answer(&headers, outcome.await)
}
