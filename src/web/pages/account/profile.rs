//! One's name.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::submit::Submit;
use crate::web::server_fns::settings::ChangeName;

#[component]
pub fn Profile(name: String) -> impl IntoView {
    let attempt = Attempt::of::<ChangeName>();
    let value = if attempt.clone().refused().is_some() { attempt.value("name") } else { name };
    view! {
        <section class="panel" aria-labelledby="profile">
            <h2 id="profile">"Profile"</h2>
            <Refused message=attempt.message(&["name"])/>
            <Form to=ChangeName::PATH>
                <div class="inline-form">
                    <Field
                        name="name"
                        label="Your name"
                        hint="As your team sees it, also beside what you used before."
                        autocomplete="name"
                        value
                        error=attempt.error("name")
                    />
                    <Submit label="Save name"/>
                </div>
            </Form>
        </section>
    }
}
