//! What invoices are made out to.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{BillingDetails, TAX_ID_TYPES, countries, tax_id_type_name};
use crate::web::components::field::{Choice, Field};
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::submit::Submit;
use crate::web::server_fns::billing::SaveDetails;

const FIELDS: [&str; 9] =
    ["name", "line1", "line2", "postal_code", "city", "state", "country", "tax_id_type", "tax_id"];

#[component]
pub fn Details(details: BillingDetails) -> impl IntoView {
    let attempt = Attempt::of::<SaveDetails>();
    let message = attempt.message(&FIELDS);
    let is_refused = attempt.clone().refused().is_some();
    let value = |field: &str, kept: String| if is_refused { attempt.value(field) } else { kept };
    let text = |name, label, kept, autocomplete| {
        let (value, error, required) = (value(name, kept), attempt.error(name), name == "name");
        view! { <Field name label required autocomplete value error/> }.into_any()
    };
    let choice = |name, label, none: &str, mut choices: Vec<_>, kept| {
        let (chosen, error) = (value(name, kept), attempt.error(name));
        choices.insert(0, (String::new(), none.to_owned()));
        view! { <Choice name label choices chosen error/> }.into_any()
    };
    let countries = countries().map(|(code, name)| (code.to_owned(), name.to_owned())).collect();
    let kinds =
        TAX_ID_TYPES.split_whitespace().map(|kind| (kind.to_owned(), tax_id_type_name(kind))).collect();
    let BillingDetails { line1, line2, postal_code, city, state, country, tax_id_type, tax_id, .. } = details;
    let name = text("name", "Name", details.name, "organization");
    let address = [
        text("line1", "Address", line1, "address-line1"),
        text("line2", "Address, second line", line2, "address-line2"),
    ];
    let place = [
        text("postal_code", "Postal code", postal_code, "postal-code"),
        text("city", "City", city, "address-level2"),
        text("state", "State or region", state, "address-level1"),
    ];
    let country = choice("country", "Country", "No country", countries, country);
    let tax = [
        choice("tax_id_type", "Kind of tax id", "No tax id", kinds, tax_id_type),
        text("tax_id", "Tax id", tax_id, "off"),
    ];
    view! {
        <section class="section" aria-labelledby="details">
            <h2 id="details">"Billing details"</h2>
            <div class="panel">
                <p class="field__hint">"Invoices are made out to them, from the next one on."</p>
                <Refused message/>
                <Form to=SaveDetails::PATH>
                    <div class="details">
                        {name}
                        {address.collect_view()}
                        <div class="field-row">{place.collect_view()}</div>
                        {country}
                        <div class="field-row">{tax.collect_view()}</div>
                    </div>
                    <Submit label="Save details" tone="plain"/>
                </Form>
            </div>
        </section>
    }
}
