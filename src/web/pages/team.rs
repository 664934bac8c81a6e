//! `/team`: a group's people and the seats they take.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{
    Invitation, Level, Member, NewInvitation, Resource as Allowance, Team as People, UserId, group_digits,
};
use crate::web::AppError;
use crate::web::components::badge::Badge;
use crate::web::components::bar::Bar;
use crate::web::components::confirm::Confirm;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused, refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::islands::shown_once::ShownOnce;
use crate::web::server_fns::team::{Invite, RemoveMember, WithdrawInvitation};
use crate::web::ssr::context::{services, user};
use crate::web::ssr::shown_once;

#[component]
pub fn Team() -> impl IntoView {
    load(people(), |(team, me)| {
        view! {
            <Head title="Team" description="The members of your group, open invitations and the seats they take."/>
            <Heading title="Team" text="Everybody here spends from the group's shared allowance."/>
            {shown_once::take(shown_once::INVITATION).map(|made| view! { <Made made/> })}
            {refused::<RemoveMember>()}
            {refused::<WithdrawInvitation>()}
            <Seats used=team.seats_used max=team.max_users/>
            <Members members=team.members me/>
            <Invitations invitations=team.invitations/>
        }
        .into_any()
    })
}

/// The group's people, and who of them is looking.
async fn people() -> Result<(People, UserId), AppError> {
    let user = user()?;
    Ok((services().accounts.team(&user).await?, user.id))
}

#[component]
fn Made(made: NewInvitation) -> impl IntoView {
    let title = format!("Invitation for {}", made.email);
    let text = format!(
        "Pass this link on. It is shown this once and holds until {}.",
        format::date(made.expires_at)
    );
    view! { <ShownOnce title text label="Invitation link".to_owned() value=made.url/> }
}

#[component]
fn Seats(used: i64, max: Option<i64>) -> impl IntoView {
    let taken = match max {
        Some(max) => format!("{} of {} seats taken", group_digits(used), group_digits(max)),
        None => format::plural(used, "seat taken", "seats taken"),
    };
    let bar = max.map(|max| view! { <Bar label="Seats" resource=Allowance::new(used, 0, Some(max))/> });
    let full = max.is_some_and(|max| used >= max).then(|| {
        view! {
            <Notice level=Level::Limit>
                "Every seat is taken. Remove somebody or choose a larger plan to invite more."
            </Notice>
        }
    });
    let attempt = Attempt::of::<Invite>();
    view! {
        <section class="panel seats">
            <p class="seats__count">{taken}</p>
            {bar}
            {full}
            <Refused message=attempt.message(&["email"])/>
            <Form to=Invite::PATH>
                <div class="inline-form">
                    <Field
                        name="email"
                        label="Invite by e-mail"
                        kind="email"
                        value=attempt.value("email")
                        error=attempt.error("email")
                    />
                    <div class="field field--narrow">
                        <label for="role">"Role"</label>
                        <select class="input" id="role" name="role">
                            <option value="member">"Member"</option>
                            <option value="admin" selected=attempt.value("role") == "admin">"Admin"</option>
                        </select>
                    </div>
                    <Submit label="Invite"/>
                </div>
            </Form>
        </section>
    }
}

#[component]
fn Members(members: Vec<Member>, me: UserId) -> impl IntoView {
    let rows = members.into_iter().map(|member| {
        let you = (member.id == me).then(|| view! { " "<Badge tone="quiet" label="You"/> });
        view! {
            <tr>
                <th scope="row">{member.name.clone()}{you}</th>
                <td data-label="E-mail">{member.email}</td>
                <td data-label="Role">{format::role(member.role)}</td>
                <td data-label="Joined">{format::date(member.joined_at)}</td>
                <td class="table__actions">
                    <Confirm
                        id=format!("remove-{}", member.id)
                        label="Remove"
                        of=member.name.clone()
                        title=format!("Remove {}?", member.name)
                        text="Their session and their API keys stop working. What they used stays counted."
                    >
                        <Form to=RemoveMember::PATH>
                            <input type="hidden" name="id" value=member.id.to_string()/>
                            <Submit label="Remove member" tone="danger"/>
                        </Form>
                    </Confirm>
                </td>
            </tr>
        }
    });
    view! {
        <section class="section">
            <h2>"Members"</h2>
            <table class="table">
                <caption class="unseen">"Members of the group"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"E-mail"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"Joined"</th>
                        <th scope="col"><span class="unseen">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
}

#[component]
fn Invitations(invitations: Vec<Invitation>) -> impl IntoView {
    if invitations.is_empty() {
        return None;
    }
    let rows = invitations.into_iter().map(|invitation| {
        view! {
            <tr>
                <th scope="row">{invitation.email.clone()}</th>
                <td data-label="Role">{format::role(invitation.role)}</td>
                <td data-label="Expires">{format::date(invitation.expires_at)}</td>
                <td class="table__actions">
                    <Form to=WithdrawInvitation::PATH>
                        <input type="hidden" name="id" value=invitation.id.to_string()/>
                        <Submit label="Withdraw" tone="plain" of=invitation.email/>
                    </Form>
                </td>
            </tr>
        }
    });
    Some(view! {
        <section class="section">
            <h2>"Open invitations"</h2>
            <table class="table">
                <caption class="unseen">"Open invitations"</caption>
                <thead>
                    <tr>
                        <th scope="col">"E-mail"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"Expires"</th>
                        <th scope="col"><span class="unseen">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    })
}
