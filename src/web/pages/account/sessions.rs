//! Where one is signed in, and signing out there.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::Session;
use crate::web::components::badge::Badge;
use crate::web::components::form::{Form, refused};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::settings::{EndOtherSessions, EndSession};

const COLUMNS: &[Column] = &[Column::text("Browser"), Column::short("Signed in"), Column::short("Last seen")];

#[component]
pub fn Sessions(sessions: Vec<Session>) -> impl IntoView {
    let others = sessions.iter().any(|session| !session.current);
    let rows = sessions.into_iter().map(|session| {
        let Session { id, created_at, last_seen_at, user_agent, current } = session;
        let here = current.then(|| view! { " "<Badge tone="quiet" label="This browser"/> });
        let of = format!("{user_agent}, signed in {}", format::date_time(created_at));
        let row = Row::new(view! { {user_agent}{here} })
            .cell(format::date_time(created_at))
            .cell(if current { "Now".to_owned() } else { format::date_time(last_seen_at) });
        if current {
            return row;
        }
        row.actions(view! {
            <Form to=EndSession::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <Submit label="Sign out" tone="plain" of/>
            </Form>
        })
    });
    let everywhere = others.then(|| {
        view! {
            <Form to=EndOtherSessions::PATH>
                <p class="actions"><Submit label="Sign out everywhere else" tone="plain"/></p>
            </Form>
        }
    });
    view! {
        <section class="section" aria-labelledby="sessions">
            <h2 id="sessions">"Where you are signed in"</h2>
            {refused::<EndSession>()}
            <Table caption="Where you are signed in" columns=COLUMNS rows=rows.collect()/>
            {everywhere}
        </section>
    }
}
