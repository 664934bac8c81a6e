//! The platform's plans, for its SuperAdmin.

use leptos::prelude::*;

use crate::domain::{PlanForm, PlanId};
use crate::web::AppError;

#[server(prefix = "/fn", endpoint = "plans/create")]
pub async fn create_plan(form: PlanForm) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let user = context::user()?;
    user.must_be_superadmin()?;
    let input = form.check().map_err(|errors| forms::keep(errors, &form))?;
    let plan = context::services().billing.create_plan(&user, input).await;
    let plan = plan.map_err(|error| forms::keep(error, &form))?;
    forms::done(&format!("{} was created.", plan.name));
    forms::go_on("/subscription-plans");
    Ok(())
}

#[server(prefix = "/fn", endpoint = "plans/update")]
pub async fn update_plan(id: PlanId, form: PlanForm) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let user = context::user()?;
    user.must_be_superadmin()?;
    let input = form.check().map_err(|errors| forms::keep(errors, &form))?;
    let plan = context::services().billing.update_plan(&user, id, input).await;
    let plan = plan.map_err(|error| forms::keep(error, &form))?;
    forms::done(&format!("{} was saved.", plan.name));
    forms::go_on("/subscription-plans");
    Ok(())
}

/// Deletes a plan that was never used, archives any other.
#[server(prefix = "/fn", endpoint = "plans/remove")]
pub async fn remove_plan(id: PlanId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let (user, billing) = (context::user()?, context::services().billing.clone());
    user.must_be_superadmin()?;
    let plan = billing.plan(id).await?;
    billing.remove_plan(&user, id).await?;
    forms::done(&format!("{} can't be bought any more.", plan.name));
    forms::go_on("/subscription-plans");
    Ok(())
}

/// Sells an archived plan again.
#[server(prefix = "/fn", endpoint = "plans/restore")]
pub async fn restore_plan(id: PlanId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let plan = context::services().billing.restore_plan(&context::user()?, id).await?;
    forms::done(&format!("{} can be bought again.", plan.name));
    forms::go_on("/subscription-plans");
    Ok(())
}
