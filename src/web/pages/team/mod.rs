//! `/team`: a group's people and the seats they take.

mod invitations;
mod seats;

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use uuid::Uuid;

use crate::domain::{
    Level, Member, NewInvitation, PerType, Role, Share, Team as People, Usage, UserId, group_digits,
};
use crate::web::AppError;
use crate::web::components::badge::Badge;
use crate::web::components::caps::{SetCaps, ShareFigure};
use crate::web::components::confirm::Confirm;
use crate::web::components::form::{Form, refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::islands::shown_once::ShownOnce;
use crate::web::server_fns::team::{
    CapMember, ChangeRole, RemoveMember, ResendInvitation, WithdrawInvitation,
};
use crate::web::ssr::context::{services, user, where_subscribed};
use crate::web::ssr::shown_once;
use invitations::Invitations;
use seats::Seats;

struct Data {
    team: People,
    /// The viewer.
    me: UserId,
    /// The subscription, whose plan says how many seats there are.
    shown: Option<Shown>,
    /// What each member has used in this period, and its caps.
    shares: HashMap<Uuid, PerType<Share>>,
    /// The group's; none without a subscription.
    usage: Option<Usage>,
}

#[component]
pub fn Team() -> impl IntoView {
    load(data(), |Data { team, me, shown, shares, usage }| {
        let People { members, invitations, max_users, .. } = team;
        let (joined, pending) = (members.len() as i64, invitations.len() as i64);
        view! {
            <Head title="Team" description="The members of your group, open invitations and the seats they take."/>
            <Heading title="Team" text="All members spend from the group's shared allowance."/>
            {shown_once::take(shown_once::INVITATION).map(|made| view! { <Made made/> })}
            {refused::<RemoveMember>()}
            {refused::<ChangeRole>()}
            {refused::<CapMember>()}
            {refused::<ResendInvitation>()}
            {refused::<WithdrawInvitation>()}
            <Seats joined pending max=max_users/>
            <Members members me shares usage/>
            <Invitations invitations/>
            <FollowSubscription shown parts=String::new()/>
        }
        .into_any()
    })
}

async fn data() -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    let team = services.accounts.team(&user).await?;
    let subscription = services.billing.subscription(&user).await?;
    Ok(Data {
        team,
        me: user.id,
        shown: subscription.as_ref().map(Shown::from),
        shares: services.metering.shares(&user).await?,
        usage: where_subscribed(services.metering.usage(&user).await)?,
    })
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

const MEMBERS: &[Column] = &[
    Column::text("Member"),
    Column::short("Role"),
    Column::short("Joined"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
];

const CAP: &str = "The most they may spend of the group's allowance in a month. Leave a field empty for no cap; what was \
                   spent stays counted.";

#[component]
fn Members(
    members: Vec<Member>,
    me: UserId,
    shares: HashMap<Uuid, PerType<Share>>,
    usage: Option<Usage>,
) -> impl IntoView {
    let share_of = |member: &Member| shares.get(&member.id.0).copied().unwrap_or_default();
    let caps: Vec<_> = members.iter().map(share_of).collect();
    let period = usage.as_ref().map(|usage| {
        format!("Tokens used and caps are those of {}.", format::span(usage.period_start, usage.period_end))
    });
    let overcommitted = usage.map(|usage| view! { <Overcommitted usage caps/> });
    let admins = members.iter().filter(|member| member.role == Role::Admin).count();
    let rows = members.into_iter().map(|member| {
        // What would be refused isn't offered: the group needs an admin.
        let stays = member.role == Role::Admin && admins <= 1;
        let role = (!stays).then(|| view! { <SetRole member=member.clone()/> });
        let remove =
            (!stays && member.id != me).then(|| view! { <Remove id=member.id name=member.name.clone()/> });
        let leave = (!stays && member.id == me).then(|| {
            view! { <a class="button" data-tone="plain" href="/settings/account#leaving">"Leave"</a> }
        });
        let you = (member.id == me).then(|| view! { " "<Badge tone="quiet" label="You"/> });
        let share = share_of(&member);
        Row::new(view! { {member.name.clone()}{you}<span class="member__email">{member.email}</span> })
            .cell(format::role(member.role))
            .cell(format::date(member.joined_at))
            .cell(view! { <ShareFigure share=share.llm/> })
            .cell(view! { <ShareFigure share=share.voice/> })
            .actions(view! {
                <SetCaps to=CapMember::PATH id=member.id.to_string() of=member.name share text=CAP/>
                {role}
                {remove}
                {leave}
            })
    });
    view! {
        <section class="section">
            <h2>"Members"</h2>
            {overcommitted}
            <Table caption="Members of the group" columns=MEMBERS rows=rows.collect()/>
            {period.map(|period| view! { <p class="section__note">{period}</p> })}
        </section>
    }
}

/// Says so where the caps promise more than there is.
#[component]
fn Overcommitted(usage: Usage, caps: Vec<PerType<Share>>) -> impl IntoView {
    let promised = usage.resources.iter().filter_map(|(kind, resource)| {
        let sum = caps.iter().filter_map(|share| share[kind].limit).fold(0, i64::saturating_add);
        let limit = resource.limit.filter(|limit| sum > *limit)?;
        Some(format!("{} {} of {}", group_digits(sum), kind.noun(), group_digits(limit)))
    });
    let promised: Vec<_> = promised.collect();
    (!promised.is_empty()).then(|| {
        view! {
            <Notice level=Level::Warning>
                <strong>"The caps add up to more than the allowance: "</strong>
                {promised.join(", ")}
                ". The member who spends first has the tokens, up to the cap."
            </Notice>
        }
    })
}

/// The button and dialog that give a member another role.
#[component]
fn SetRole(member: Member) -> impl IntoView {
    let Member { id, name, role, .. } = member;
    let input = format!("role-{id}");
    let options = [Role::Member, Role::Admin].map(|each| {
        view! { <option value=each.as_str() selected=each == role>{format::role(each)}</option> }
    });
    view! {
        <Confirm
            id=format!("set-role-{id}")
            label="Role"
            of=format!("of {name}")
            title=format!("Role of {name}")
            text="An admin buys, invites, caps and removes. A member spends."
            keep="Cancel"
        >
            <Form to=ChangeRole::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <div class="field">
                    <label for=input.clone()>"Role"</label>
                    <select class="input" id=input name="role">{options.collect_view()}</select>
                </div>
                <Submit label="Save role"/>
            </Form>
        </Confirm>
    }
}

#[component]
fn Remove(id: UserId, name: String) -> impl IntoView {
    view! {
        <Confirm
            id=format!("remove-{id}")
            label="Remove"
            of=name.clone()
            title=format!("Remove {name}?")
            text="Their session and their API keys stop working. What they used stays counted."
        >
            <Form to=RemoveMember::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <Submit label="Remove member" tone="danger"/>
            </Form>
        </Confirm>
    }
}
