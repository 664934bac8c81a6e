//! The seats of the plan, and the form that fills them.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{Level, Resource, group_digits};
use crate::web::components::bar::Bar;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::notice::Notice;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::team::Invite;

#[component]
pub fn Seats(
    /// Members of the group.
    joined: i64,
    /// Invitations that are neither accepted nor expired: each keeps its seat.
    pending: i64,
    max: Option<i64>,
) -> impl IntoView {
    let used = joined + pending;
    let is_full = max.is_some_and(|max| used >= max);
    let taken = match max {
        Some(max) => format!("{} of {} seats taken", group_digits(used), group_digits(max)),
        None => format::plural(used, "seat taken", "seats taken"),
    };
    let by = match pending {
        0 => format::plural(joined, "member", "members"),
        _ => format!(
            "{}, {}",
            format::plural(joined, "member", "members"),
            format::plural(pending, "invitation pending", "invitations pending"),
        ),
    };
    let bar = max.map(|max| view! { <Bar label="Seats" resource=Resource::new(used, 0, Some(max))/> });
    let attempt = Attempt::of::<Invite>();
    // One message, with what can be done: what was refused for want of a seat is said by it too.
    let message = if is_full {
        let withdraw = if pending > 0 { "withdraw an invitation, " } else { "" };
        let text = format!("Every seat is taken. To invite more, {withdraw}remove a member or ");
        view! {
            <Notice level=Level::Limit>{text}<a href="/subscribe">"choose a larger plan"</a>"."</Notice>
        }
        .into_any()
    } else {
        view! { <Refused message=attempt.message(&["email"])/> }.into_any()
    };
    view! {
        <section class="panel seats">
            <p class="seats__count"><strong>{taken}</strong>": "{by}</p>
            {bar}
            {message}
            <Form to=Invite::PATH>
                <fieldset class="inline-form" disabled=is_full>
                    <legend class="unseen">"Invitation"</legend>
                    <Field
                        name="email"
                        label="Invite by e-mail"
                        input_type="email"
                        value=attempt.value("email")
                        error=attempt.error("email").filter(|_| !is_full)
                    />
                    <div class="field field--narrow">
                        <label for="role">"Role"</label>
                        <select class="input" id="role" name="role">
                            <option value="member">"Member"</option>
                            <option value="admin" selected=attempt.value("role") == "admin">"Admin"</option>
                        </select>
                    </div>
                    <Submit label="Invite"/>
                </fieldset>
            </Form>
        </section>
    }
}
