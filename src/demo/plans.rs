//! The plans of the demo.

use super::companies::{BASIC, PRO, SCALE};
use crate::domain::{OverageInput, PackageInput, PlanInput, User};
use crate::error::Result;
use crate::services::Services;

/// What is written of a plan.
pub(super) fn input(name: &str, trial_days: u32) -> Option<PlanInput> {
    inputs(trial_days.into()).into_iter().find(|input| input.name == name)
}

/// Makes the three plans, where they aren't there yet.
pub(super) async fn make(services: &Services, superadmin: &User) -> Result<()> {
    let made = services.billing.plans(true).await?;
    for input in inputs(0) {
        if !made.iter().any(|plan| plan.name == input.name) {
            services.billing.create_plan(superadmin, input).await?;
        }
    }
    Ok(())
}

/// All three, the cheapest first.
fn inputs(trial_days: i64) -> [PlanInput; 3] {
    let package = |price: &str| Some(PackageInput { per: 1_000, price: price.into() });
    let plan = |name: &str,
                description: &str,
                price: &str,
                llm,
                voice,
                users,
                beyond: [&str; 2],
                features: &[&str]| PlanInput {
        name: name.into(),
        description: description.into(),
        price: price.into(),
        currency: "usd".into(),
        interval: "month".into(),
        trial_days,
        llm_tokens_limit: Some(llm),
        voice_tokens_limit: Some(voice),
        max_users: Some(users),
        overage: Some(OverageInput { llm: package(beyond[0]), voice: package(beyond[1]) }),
        features: features.iter().map(|line| (*line).to_owned()).collect(),
        stripe_price_id: None,
    };
    let basic = plan(
        BASIC,
        "For a team that is starting out.",
        "29.99",
        100_000,
        50_000,
        10,
        ["0.40", "0.80"],
        &["Shared allowance", "Usage dashboard", "E-mail support"],
    );
    let pro = plan(
        PRO,
        "For a team that works with it every day.",
        "79.99",
        500_000,
        250_000,
        50,
        ["0.20", "0.40"],
        &["Everything in Basic", "Five times the tokens", "Priority support"],
    );
    let scale = plan(
        SCALE,
        "For a company that builds on it.",
        "249.00",
        2_500_000,
        1_000_000,
        250,
        ["0.12", "0.25"],
        &["Everything in Pro", "Room for many teams", "A named contact"],
    );
    [basic, pro, scale]
}
