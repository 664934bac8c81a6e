//! `/`: what this is and what it costs, for who isn't signed in; others are sent to where their work is.

use leptos::prelude::*;
use leptos_router::components::Redirect;

use crate::domain::{Plan, Role};
use crate::web::components::icon::{Icon, Shape};
use crate::web::components::page::{Head, load};
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Of;
use crate::web::ssr::context;

#[component]
pub fn Home() -> impl IntoView {
    match context::actor().map(|user| user.role) {
        None => {
            let services = context::services();
            load(async move { Ok(services.billing.plans(false).await?) }, |plans| {
                view! { <Front plans/> }.into_any()
            })
            .into_any()
        }
        Some(Role::SuperAdmin) => view! { <Redirect path="/subscription-plans"/> }.into_any(),
        Some(Role::Admin | Role::Member) => view! { <Redirect path="/usage"/> }.into_any(),
    }
}

const TITLE: &str = "One AI subscription for the whole team";

const WHAT: &str = "Tollgate shares a plan's LLM and voice tokens among your team, shows where each one goes while it is \
                    spent, and stops at the limit you chose.";

/// What one gets, in a few words and a sentence.
const POINTS: [(Shape, &str, &str); 3] = [
    (
        Shape::Gauge,
        "Counted as it is spent",
        "Every page is live: what is used, by whom and by which model, and when it will run out.",
    ),
    (
        Shape::Key,
        "Two settings away",
        "A base URL and a key. Any program that speaks OpenAI's API is metered, streams included.",
    ),
    (
        Shape::Gate,
        "Never past the limit",
        "Tokens are held before a model is asked. Caps for members and keys keep it fair.",
    ),
];

#[component]
fn Front(plans: Vec<Plan>) -> impl IntoView {
    let config = context::services().config.clone();
    let points = POINTS.map(|(shape, title, text)| {
        view! {
            <li>
                <Icon shape/>
                <h2>{title}</h2>
                <p>{text}</p>
            </li>
        }
    });
    view! {
        <Head
            title=TITLE
            description="One subscription shares LLM and voice tokens among your team: metered live, never past the limit."
            robots="index, follow"
            canonical=config.public_url.to_string()
        />
        <div class="front">
            <section class="front__lead">
                <h1>{TITLE}</h1>
                <p>{WHAT}</p>
                <p class="front__ways">
                    <Ways signup=config.signup_open/>
                </p>
            </section>
            <Picture/>
            <section class="front__points" aria-label="What you get">
                <ul>{points.into_iter().collect_view()}</ul>
            </section>
            <Plans plans signup=config.signup_open/>
        </div>
    }
}

/// Where one goes from here.
#[component]
fn Ways(signup: bool) -> impl IntoView {
    if signup {
        view! {
            <a class="button" data-tone="primary" href="/signup">"Create an account"</a>
            <a class="button" data-tone="plain" href="/login">"Sign in"</a>
        }
        .into_any()
    } else {
        view! { <a class="button" data-tone="primary" href="/login">"Sign in"</a> }.into_any()
    }
}

/// The dashboard, as `end2end/pictures.mjs` photographs it: in the colours and about the width that the visitor has.
#[component]
fn Picture() -> impl IntoView {
    view! {
        <figure class="front__picture">
            <picture>
                <source
                    media="(max-width: 40rem) and (prefers-color-scheme: dark)"
                    srcset="/pictures/usage-narrow-dark.webp"
                    width="360"
                    height="536"
                />
                <source media="(max-width: 40rem)" srcset="/pictures/usage-narrow-light.webp" width="360" height="536"/>
                <source media="(prefers-color-scheme: dark)" srcset="/pictures/usage-wide-dark.webp"/>
                <img
                    src="/pictures/usage-wide-light.webp"
                    width="1200"
                    height="608"
                    fetchpriority="high"
                    alt="The usage page: 75 per cent of the LLM tokens are used, and 86 per cent of the voice tokens, which are \
                         approaching their limit."
                />
            </picture>
        </figure>
    }
}

#[component]
fn Plans(plans: Vec<Plan>, signup: bool) -> impl IntoView {
    let shown = if plans.is_empty() {
        view! { <p class="empty">"No plan is on sale yet. Come back soon."</p> }.into_any()
    } else {
        // Signing in leads to the plans, and so does a new account.
        let (to, label) = if signup {
            ("/signup", "Get started")
        } else {
            ("/login?next=/subscribe", "Sign in to subscribe")
        };
        let cards = plans.into_iter().map(|plan| {
            let name = plan.name.clone();
            view! {
                <PlanCard plan>
                    <a class="button" data-tone="plain" href=to>{label}<Of name=format!("with {name}")/></a>
                </PlanCard>
            }
        });
        view! { <div class="plans">{cards.collect_view()}</div> }.into_any()
    };
    view! {
        <section class="front__plans" aria-labelledby="plans">
            <h2 id="plans">"Plans"</h2>
            <p>"For the whole group, by the month or the year. Change or cancel at any time."</p>
            {shown}
        </section>
    }
}
