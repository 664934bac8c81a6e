//! `/team`: a group's people and the seats they take.

use leptos::prelude::*;
use uuid::Uuid;

use crate::domain::{Invitation, Level, Member, NewInvitation, Resource as Allowance, group_digits};
use crate::web::components::badge::Badge;
use crate::web::components::bar::Bar;
use crate::web::components::confirm::Confirm;
use crate::web::components::copy::ShownOnce;
use crate::web::components::field::Field;
use crate::web::components::notice::{FormError, Notice};
use crate::web::components::page::{Head, Heading, Load};
use crate::web::components::submit::Submit;
use crate::web::data::TeamPage;
use crate::web::format;
use crate::web::server_fns::team::{Invite, RemoveMember, WithdrawInvitation, get_team_page};

#[component]
pub fn Team() -> impl IntoView {
    let invite = ServerAction::<Invite>::new();
    let withdraw = ServerAction::<WithdrawInvitation>::new();
    let remove = ServerAction::<RemoveMember>::new();
    let versions = move || (invite.version().get(), withdraw.version().get(), remove.version().get());
    let data = Resource::new(versions, |_| get_team_page());
    view! {
        <Head title="Team" description="The members of your group, open invitations and the seats they take."/>
        <Heading title="Team" text="Everybody here spends from the group's shared allowance."/>
        <Load data view=move |page| view! { <Shown page invite withdraw remove/> }.into_any()/>
    }
}

#[component]
fn Shown(
    page: TeamPage,
    invite: ServerAction<Invite>,
    withdraw: ServerAction<WithdrawInvitation>,
    remove: ServerAction<RemoveMember>,
) -> impl IntoView {
    let TeamPage { team, me, made } = page;
    let full = team.max_users.is_some_and(|max| team.seats_used >= max);
    let seats = match team.max_users {
        Some(max) => format!("{} of {} seats taken", group_digits(team.seats_used), group_digits(max)),
        None => format::plural(team.seats_used, "seat taken", "seats taken"),
    };
    let refused = move || {
        let withdrawn = withdraw.value().get().and_then(Result::err);
        withdrawn.or_else(|| remove.value().get().and_then(Result::err)).map(|error| error.to_string())
    };
    let made_now = Memo::new(move |_| invite.value().get().and_then(Result::ok));
    let (members, invitations) = (team.members, team.invitations);
    let count = invitations.len();
    view! {
        <FormError message=Signal::derive(refused)/>
        {move || made_now.get().or_else(|| made.clone()).map(|made| view! { <Made made/> })}
        <section class="panel seats">
            <p class="seats__count">{seats}</p>
            {team.max_users.map(|max| {
                view! { <Bar label="Seats" resource=Allowance::new(team.seats_used, 0, Some(max))/> }
            })}
            {full.then(|| view! {
                <Notice level=Level::Limit>"Every seat is taken. Remove somebody or choose a larger plan to invite more."</Notice>
            })}
            <InviteForm invite/>
        </section>
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
                <tbody>
                    <For
                        each=move || members.clone()
                        key=|member| member.id
                        children=move |member| view! { <MemberRow member me remove/> }
                    />
                </tbody>
            </table>
        </section>
        {(count > 0).then(|| view! {
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
                    <tbody>
                        <For
                            each=move || invitations.clone()
                            key=|invitation| invitation.id
                            children=move |invitation| view! { <InvitationRow invitation withdraw/> }
                        />
                    </tbody>
                </table>
            </section>
        })}
    }
}

#[component]
fn Made(made: NewInvitation) -> impl IntoView {
    let title = format!("Invitation for {}", made.email);
    let text = format!("Pass this link on. It is shown this once and holds until {}.", format::date(made.expires_at));
    view! { <ShownOnce title text label="Invitation link" value=made.url/> }
}

#[component]
fn InviteForm(invite: ServerAction<Invite>) -> impl IntoView {
    let failed = Memo::new(move |_| invite.value().get().and_then(Result::err));
    let typed = move |name: &'static str| failed.get().and_then(|error| error.typed(name).map(str::to_owned));
    let admin = move || typed("role").as_deref() == Some("admin");
    let message = move || failed.get().and_then(|error| error.form(&["email"]));
    view! {
        <FormError message=Signal::derive(message)/>
        <ActionForm action=invite>
            <div class="inline-form">
                <Field
                    name="email"
                    label="Invite by e-mail"
                    kind="email"
                    autocomplete="off"
                    required=true
                    value=Signal::derive(move || typed("email").unwrap_or_default())
                    error=Signal::derive(move || failed.get().and_then(|error| error.field("email")))
                />
                <div class="field field--narrow">
                    <label for="role">"Role"</label>
                    <select class="input" id="role" name="role">
                        <option value="member">"Member"</option>
                        <option value="admin" selected=admin>"Admin"</option>
                    </select>
                </div>
                <Submit label="Invite" pending=invite.pending()/>
            </div>
        </ActionForm>
    }
}

#[component]
fn MemberRow(member: Member, me: Uuid, remove: ServerAction<RemoveMember>) -> impl IntoView {
    let you = (member.id == me).then(|| view! { " " <Badge tone="quiet">"You"</Badge> });
    view! {
        <tr>
            <th scope="row">{member.name.clone()} {you}</th>
            <td data-label="E-mail">{member.email}</td>
            <td data-label="Role">{format::role(member.role)}</td>
            <td data-label="Joined">
                <time datetime=format::machine(member.joined_at)>{format::date(member.joined_at)}</time>
            </td>
            <td class="table__actions">
                <Confirm
                    id=format!("remove-{}", member.id)
                    label="Remove"
                    of=member.name.clone()
                    title=format!("Remove {}?", member.name)
                    text="Their session and their API keys stop working. What they used stays counted."
                >
                    <ActionForm action=remove>
                        <input type="hidden" name="id" value=member.id.to_string()/>
                        <Submit label="Remove member" pending=remove.pending() tone="danger"/>
                    </ActionForm>
                </Confirm>
            </td>
        </tr>
    }
}

#[component]
fn InvitationRow(invitation: Invitation, withdraw: ServerAction<WithdrawInvitation>) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{invitation.email.clone()}</th>
            <td data-label="Role">{format::role(invitation.role)}</td>
            <td data-label="Expires">
                <time datetime=format::machine(invitation.expires_at)>{format::date(invitation.expires_at)}</time>
            </td>
            <td class="table__actions">
                <ActionForm action=withdraw>
                    <input type="hidden" name="id" value=invitation.id.to_string()/>
                    <Submit label="Withdraw" pending=withdraw.pending() tone="plain" of=invitation.email/>
                </ActionForm>
            </td>
        </tr>
    }
}
