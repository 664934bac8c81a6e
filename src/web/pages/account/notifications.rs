//! Which e-mails one gets.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{NotificationKind, NotificationSettings, Role};
use crate::web::components::form::{Form, refused};
use crate::web::components::submit::Submit;
use crate::web::server_fns::notifications::ChooseNotifications;

/// The section of the account's page.
#[component]
pub fn Notifications(settings: NotificationSettings, role: Role) -> impl IntoView {
    if role == Role::SuperAdmin {
        return view! {
            <section class="panel" aria-labelledby="notifications">
                <h2 id="notifications">"Notifications"</h2>
                <p>"They tell of a group's usage and billing, and you are in no group: you get none."</p>
            </section>
        }
        .into_any();
    }
    let choices = NotificationKind::ALL.map(|kind| {
        view! {
            <label class="tick">
                <input type="checkbox" name=kind.as_str() value="true" checked=settings.wants(kind)/>
                {kind.label()}
            </label>
        }
    });
    view! {
        <section class="panel" aria-labelledby="notifications">
            <h2 id="notifications">"Notifications"</h2>
            {refused::<ChooseNotifications>()}
            <Form to=ChooseNotifications::PATH>
                <fieldset class="field choices">
                    <legend>"Tell me when"</legend>
                    {choices.into_iter().collect_view()}
                    <p class="field__hint">
                        "Admins are told of a payment that failed or needs the bank's approval in any case. Invitations, new \
                         passwords and changes of how you sign in are always sent."
                    </p>
                </fieldset>
                <div class="actions">
                    <Submit label="Save notifications"/>
                </div>
            </Form>
        </section>
    }
    .into_any()
}
