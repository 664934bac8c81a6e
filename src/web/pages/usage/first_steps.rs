//! Where nothing was spent yet: how a program is connected.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::PerType;
use crate::web::components::connect::Connect;
use crate::web::components::form::Form;
use crate::web::components::submit::Submit;
use crate::web::islands::first_event::FirstEvent;
use crate::web::server_fns::keys::CreateKey;
use crate::web::ssr::context::services;

/// The name of a key that is made from here. Its owner may make others, of other names.
const NAME: &str = "First program";

#[component]
pub fn FirstSteps() -> impl IntoView {
    view! {
        <div class="section">
            <Connect base=services().config.public_url.to_string()>
                <div class="connect__need">
                    <FirstEvent used=PerType::default()/>
                    <Form to=CreateKey::PATH>
                        <input type="hidden" name="name" value=NAME/>
                        <Submit label="Create a key and fill it in"/>
                    </Form>
                </div>
            </Connect>
        </div>
    }
}
