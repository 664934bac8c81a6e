//! Leaving one's group.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::Group;
use crate::web::components::confirm::Confirm;
use crate::web::components::form::{Form, refused};
use crate::web::components::submit::Submit;
use crate::web::server_fns::settings::LeaveGroup;

#[component]
pub fn Leave(
    group: Group,
    /// Whom the group can't do without.
    is_last_admin: bool,
) -> impl IntoView {
    let name = group.name.clone();
    let way = if is_last_admin {
        view! {
            <p>
                "You are the only admin of "<strong>{name}</strong>", which needs one. To leave, "
                <a href="/team">"make another member an admin"</a>" first."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p>
                "Your account is closed, and your API keys stop working. What you used stays counted, under your name. To come \
                 back you need another invitation."
            </p>
            <p class="actions">
                <Confirm
                    id="leave"
                    label="Leave the group"
                    title=format!("Leave {name}?")
                    text="Your account is closed and your API keys stop working at once. This can't be undone."
                    keep="Stay"
                >
                    <Form to=LeaveGroup::PATH>
                        <input type="hidden" name="group" value=group.id.to_string()/>
                        <Submit label="Leave" tone="danger"/>
                    </Form>
                </Confirm>
            </p>
        }
        .into_any()
    };
    view! {
        <section class="section" aria-labelledby="leaving">
            <h2 id="leaving">"Leaving "{group.name}</h2>
            <div class="panel">
                {refused::<LeaveGroup>()}
                {way}
            </div>
        </section>
    }
}
