//! The customer's details: name, e-mail, address, phone, tax ids.

use std::collections::HashMap;

use axum::extract::{Form, Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::change;
use super::{Portal, answer};
use crate::engine::{ApiError, Kind, Sandbox, Tx};
use crate::resources::{customers, tax_ids};

const FEATURE: &str = "customer_update";

/// The parts of an address: field, label and what browsers fill in.
const ADDRESS: [(&str, &str, &str); 6] = [
    ("line1", "Address line 1", "address-line1"),
    ("line2", "Address line 2", "address-line2"),
    ("postal_code", "Postal code", "postal-code"),
    ("city", "City", "address-level2"),
    ("state", "State or province", "address-level1"),
    ("country", "Country (two letters)", "country"),
];
/// The types of tax id that the form offers; the API takes the others.
const TAX_IDS: [(&str, &str); 6] = [
    ("eu_vat", "EU VAT number"),
    ("gb_vat", "UK VAT number"),
    ("us_ein", "US EIN"),
    ("ch_vat", "Swiss VAT number"),
    ("ca_gst_hst", "Canadian GST/HST number"),
    ("au_abn", "Australian Business Number"),
];

fn may(portal: &Portal, field: &str) -> bool {
    let allowed = portal.features[FEATURE]["allowed_updates"].as_array();
    portal.may(FEATURE) && allowed.is_some_and(|allowed| allowed.iter().any(|of| of == field))
}

fn tax_ids_of(tx: &Tx, customer: &str) -> Vec<Value> {
    let mine = tx.all(Kind::TaxId).filter(|doc| doc.object["customer"] == customer);
    mine.map(|doc| doc.object.clone()).collect()
}

pub(super) fn section(sandbox: &Sandbox, portal: &Portal) -> Markup {
    let customer = &portal.customer;
    let numbers = sandbox.read(|tx| tax_ids_of(tx, portal.customer_id()));
    let address: Vec<&str> =
        ADDRESS.iter().filter_map(|(field, ..)| customer["address"][*field].as_str()).collect();
    let facts = [
        ("Name", customer["name"].as_str().unwrap_or_default().to_owned()),
        ("E-mail", customer["email"].as_str().unwrap_or_default().to_owned()),
        ("Phone", customer["phone"].as_str().unwrap_or_default().to_owned()),
        ("Billing address", address.join(", ")),
    ];
    html! {
        section {
            h2 { "Billing information" }
            dl.facts {
                @for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
                    div { dt { (name) } dd { (value) } }
                }
                @for number in &numbers {
                    div { dt { "Tax id" } dd { (number["value"].as_str().unwrap_or_default()) } }
                }
            }
            @if facts.iter().all(|(_, value)| value.is_empty()) { p.muted { "Nothing is known yet." } }
            @if portal.may(FEATURE) { p { a.button href={ (portal.path) "/customer" } { "Update information" } } }
        }
    }
}

/// `GET …/customer`
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let customer = &portal.customer;
    let numbers = sandbox.read(|tx| tax_ids_of(tx, portal.customer_id()));
    let body = html! {
        h1 { "Billing information" }
        section.card.stack {
            form.stack method="post" {
                @for (field, label, kind) in [("name", "Name", "text"), ("email", "E-mail", "email"), ("phone", "Phone", "tel")] {
                    @if may(&portal, field) { (input(field, label, kind, field, &customer[field])) }
                }
                @if may(&portal, "address") {
                    div.grid {
                        @for (field, label, fill) in ADDRESS { (input(field, label, "text", fill, &customer["address"][field])) }
                    }
                }
                @if may(&portal, "tax_id") {
                    fieldset.grid {
                        legend { "Add a tax id " span.muted { "Optional" } }
                        div.field {
                            label.label for="tax_id_type" { "Type" }
                            select #tax_id_type name="tax_id_type" {
                                @for (value, name) in TAX_IDS { option value=(value) { (name) } }
                            }
                        }
                        (input("tax_id_value", "Number", "text", "off", &Value::Null))
                    }
                }
                div.actions {
                    button.primary { "Save" }
                    @if portal.flow.is_none() { a.button href=(portal.path) { "Cancel" } }
                }
            }
            @if may(&portal, "tax_id") && !numbers.is_empty() {
                ul.rows {
                    @for number in &numbers {
                        @let value = number["value"].as_str().unwrap_or_default();
                        @let id = number["id"].as_str().unwrap_or_default();
                        li {
                            span.grow { (value) }
                            form method="post" action={ (portal.path) "/customer/tax-ids/" (id) "/delete" } {
                                button.small aria-label={ "Remove " (value) } { "Remove" }
                            }
                        }
                    }
                }
            }
        }
    };
    portal.page("Billing information", false, true, &body)
}

fn input(field: &str, label: &str, kind: &str, fill: &str, value: &Value) -> Markup {
    html! {
        div.field {
            label.label for=(field) { (label) }
            input id=(field) name=(field) type=(kind) autocomplete=(fill) maxlength="200"
                value=(value.as_str().unwrap_or_default());
        }
    }
}

/// `POST …/customer`
pub(super) async fn update(
    State(sandbox): State<Sandbox>,
    Path(token): Path<String>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let entered = |field: &str| form.get(field).map(|text| text.trim()).filter(|text| !text.is_empty());
    let mut changes = json!({});
    for field in ["name", "email", "phone"] {
        if may(&portal, field) && form.contains_key(field) {
            changes[field] = json!(entered(field));
        }
    }
    if may(&portal, "address") && form.contains_key("line1") {
        let parts = ADDRESS.iter().map(|(field, ..)| ((*field).to_owned(), json!(entered(field))));
        changes["address"] = Value::Object(parts.collect());
    }
    let number = entered("tax_id_value").filter(|_| may(&portal, "tax_id"));
    let outcome = change(&sandbox, portal.customer_id(), |tx| {
        if changes["email"].as_str().is_some_and(|email| !email.contains('@')) {
            return Err(ApiError::invalid("This is not an e-mail address.")
                .code("email_invalid")
                .param("email"));
        }
        customers::change(tx, portal.customer_id(), &changes)?;
        if let Some(number) = number {
            let data = json!({"type": entered("tax_id_type"), "value": number});
            tax_ids::add(tx, portal.customer_id(), &data, "value")?;
        }
        Ok(portal.after(tx, FEATURE))
    });
    answer(outcome.await)
}

/// `POST …/customer/tax-ids/{id}/delete`
pub(super) async fn remove_tax_id(
    State(sandbox): State<Sandbox>,
    Path((token, id)): Path<(String, String)>,
) -> Response {
    let portal = match Portal::open_for(&sandbox, &token, FEATURE) {
        Ok(portal) => portal,
        Err(page) => return page,
    };
    let outcome = change(&sandbox, portal.customer_id(), |tx| {
        let doc = tx.find(Kind::TaxId, &id, "id")?;
        if doc.object["customer"] != portal.customer_id() || !may(&portal, "tax_id") {
            return Err(ApiError::missing(Kind::TaxId, &id, "id"));
        }
        tax_ids::remove(tx, &id);
        Ok(format!("{}/customer", portal.path))
    });
    answer(outcome.await)
}
