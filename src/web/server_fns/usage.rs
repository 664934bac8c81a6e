//! What a group has used, for everybody in it.

use leptos::prelude::*;

use crate::domain::LimitCheck;
use crate::web::AppError;
use crate::web::data::UsagePage;

#[server(prefix = "/fn", endpoint = "usage/page")]
pub async fn get_usage_page() -> Result<UsagePage, AppError> {
    use crate::web_server::context::{services, user, where_subscribed};
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    let subscription = services.billing.subscription(&user).await?;
    let check = match subscription {
        Some(_) => where_subscribed(services.metering.check(&user).await)?,
        None => None,
    };
    let history = services.metering.history(&user).await?;
    let (usage, suggested_plan) = check.map(|check| (check.usage, check.suggested_plan)).unzip();
    Ok(UsagePage {
        role: user.role,
        subscription,
        usage,
        suggested_plan: suggested_plan.flatten(),
        history,
        grace_days: services.config.grace_days,
    })
}

/// Whether tokens may be spent, and which plan is suggested.
#[server(prefix = "/fn", endpoint = "usage/check")]
pub async fn check() -> Result<LimitCheck, AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().metering.check(&user()?).await?)
}
