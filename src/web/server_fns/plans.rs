//! The platform's plans, for its SuperAdmin.

use leptos::prelude::*;
use uuid::Uuid;

use crate::domain::{Plan, PlanForm};
use crate::web::AppError;

/// All plans, cheapest first, archived ones included.
#[server(prefix = "/fn", endpoint = "plans/list")]
pub async fn plans() -> Result<Vec<Plan>, AppError> {
    use crate::web_server::context::{services, user};
    user()?.must_be_superadmin()?;
    Ok(services().billing.plans(true).await?)
}

#[server(prefix = "/fn", endpoint = "plans/create")]
pub async fn create_plan(form: PlanForm) -> Result<Plan, AppError> {
    use crate::domain::Refusal;
    use crate::web_server::{context, forms};
    let user = context::user()?;
    user.must_be_superadmin()?;
    let input = form.check().map_err(|errors| forms::keep_plan(Refusal::from(errors), &form))?;
    let plan = context::services().billing.create_plan(&user, input).await;
    let plan = plan.map_err(|error| forms::keep_plan(error, &form))?;
    forms::go_on("/subscription-plans");
    Ok(plan)
}

#[server(prefix = "/fn", endpoint = "plans/update")]
pub async fn update_plan(id: Uuid, form: PlanForm) -> Result<Plan, AppError> {
    use crate::domain::Refusal;
    use crate::web_server::{context, forms};
    let user = context::user()?;
    user.must_be_superadmin()?;
    let input = form.check().map_err(|errors| forms::keep_plan(Refusal::from(errors), &form))?;
    let plan = context::services().billing.update_plan(&user, id, input).await;
    let plan = plan.map_err(|error| forms::keep_plan(error, &form))?;
    forms::go_on("/subscription-plans");
    Ok(plan)
}

/// Deletes a plan nobody ever used, archives any other.
#[server(prefix = "/fn", endpoint = "plans/remove")]
pub async fn remove_plan(id: Uuid) -> Result<(), AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().billing.remove_plan(&user()?, id).await?)
}
