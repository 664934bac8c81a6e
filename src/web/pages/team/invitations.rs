//! Invitations that are neither accepted nor expired.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{Invitation, InvitationId};
use crate::web::components::confirm::Confirm;
use crate::web::components::form::Form;
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::team::{ResendInvitation, WithdrawInvitation};

const COLUMNS: &[Column] = &[Column::text("E-mail"), Column::short("Role"), Column::short("Expires")];

#[component]
pub fn Invitations(invitations: Vec<Invitation>) -> impl IntoView {
    if invitations.is_empty() {
        return None;
    }
    let rows = invitations.into_iter().map(|invitation| {
        let Invitation { id, email, role, expires_at, .. } = invitation;
        let to = format!("to {email}");
        Row::new(email.clone()).cell(format::role(role)).cell(format::date(expires_at)).actions(view! {
            <Form to=ResendInvitation::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <Submit label="Resend" tone="plain" of=to/>
            </Form>
            <Withdraw id email/>
        })
    });
    Some(view! {
        <section class="section">
            <h2>"Open invitations"</h2>
            <Table caption="Open invitations" columns=COLUMNS rows=rows.collect()/>
            <p class="section__note">"Each keeps its seat. One that is sent anew has a new link: the one before stops working."</p>
        </section>
    })
}

#[component]
fn Withdraw(id: InvitationId, email: String) -> impl IntoView {
    view! {
        <Confirm
            id=format!("withdraw-{id}")
            label="Withdraw"
            of=email.clone()
            title=format!("Withdraw the invitation for {email}?")
            text="Its link stops working, and its seat is free again."
        >
            <Form to=WithdrawInvitation::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <Submit label="Withdraw invitation" tone="danger"/>
            </Form>
        </Confirm>
    }
}
