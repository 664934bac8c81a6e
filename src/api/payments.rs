//! What a group pays with, and what it has paid.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::OptionalJson;
use super::page::{Page, PageParams, PageQuery};
use super::path::Id;
use crate::billing::{Billing, InvoiceKey};
use crate::domain::{Checkout, Invoice, InvoiceFields, SubscriptionId};
use crate::http::auth::GroupAdmin;
use crate::http::problem::ApiResult;

/// What to pay with from now on.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"payment_method": "pm_1PqSample"}))]
pub struct PaymentMethodChange {
    /// A payment method made with Stripe.js or Stripe's API, `pm_…`. Left out, the answer's `client_secret` is of a setup
    /// intent: confirm it with Stripe.js, then call again with the payment method that it was confirmed with.
    #[serde(default)]
    payment_method: Option<String>,
}

/// An address at Stripe.
#[derive(Serialize, ToSchema)]
pub struct Portal {
    /// Holds for a few minutes.
    url: String,
}

/// Change the payment method
///
/// It becomes the subscription's and the group's default. Where the subscription waits for an invoice to be paid
/// (`past_due`, `unpaid`, `incomplete`), that is paid first: a payment method that is declined changes nothing. Where
/// `client_secret` isn't null, confirm it with Stripe.js.
#[utoipa::path(post, path = "/api/subscriptions/subscriptions/{id}/payment_method/",
    operation_id = "change_payment_method", tag = "Subscriptions",
    params(("id" = Uuid, Path, description = "The subscription's id.")),
    request_body = Option<PaymentMethodChange>,
    responses(
        (status = 200, description = "The subscription as it is now, and what is left to confirm.", body = Checkout),
        (status = 402, description = "`card_declined`, with the bank's `decline_code` where it gave one."),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`conflict`: the subscription has ended, or the purchase is still on its way to \
            Stripe. `stripe_refused`: Stripe refused it for a reason other than the card."),
    ))]
async fn change_payment_method(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<SubscriptionId>,
    OptionalJson(body): OptionalJson<PaymentMethodChange>,
) -> ApiResult<Answer<Checkout>> {
    Ok(Answer(match body.payment_method {
        Some(given) => billing.change_payment_method(&user, id, &given).await?,
        None => billing.begin_payment_method(&user, id).await?,
    }))
}

/// Open Stripe's customer portal
///
/// The portal's own pages show invoices and payment methods, and lead back to `/billing`.
#[utoipa::path(post, path = "/api/subscriptions/subscriptions/{id}/portal/", operation_id = "open_portal",
    tag = "Subscriptions",
    params(("id" = Uuid, Path, description = "The subscription's id.")),
    responses(
        (status = 200, description = "Where the portal is, for this group's admin alone.", body = Portal),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`stripe_refused`: the portal isn't set up at Stripe. `conflict`: the purchase is \
            still on its way to Stripe."),
    ))]
async fn open_portal(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<SubscriptionId>,
) -> ApiResult<Answer<Portal>> {
    Ok(Answer(Portal { url: billing.portal(&user, id).await? }))
}

/// List the group's invoices
///
/// Of all its subscriptions, the newest first, with their lines, credit notes and refunds. They are kept as Stripe was last
/// seen to have them, so the list can be read while Stripe doesn't answer.
#[utoipa::path(get, path = "/api/subscriptions/invoices/", operation_id = "list_invoices", tag = "Subscriptions",
    params(PageParams),
    responses(
        (status = 200, description = "A page of the invoices.", body = Page<InvoiceFields>),
        (status = 403, description = "`forbidden`: not an admin of a group."),
    ))]
async fn list_invoices(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    page: PageQuery<InvoiceKey>,
) -> ApiResult<Answer<Page<Invoice>>> {
    Ok(Answer(Page::of(billing.invoices(&user, &page.request()).await?, |last| InvoiceKey::from(last))))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(idempotent(routes!(change_payment_method)))
        .routes(idempotent(routes!(open_portal)))
        .routes(routes!(list_invoices))
}
