//! Why Stripe didn't do what it was asked: what it refused, apart from what may have been done all the same.

use stripe::StripeError;
use stripe_shared::{ApiErrors, ApiErrorsCode, ApiErrorsType};
use thiserror::Error;
use tracing::warn;

use crate::domain::Refusal;
use crate::error::{Error as ServiceError, STRIPE};

/// After how many seconds a caller may try again where Stripe has too many requests. Stripe doesn't say; its own clients
/// wait up to 5.
const RETRY_AFTER: u64 = 5;

/// A call to Stripe that didn't succeed, after its retries.
#[derive(Debug, Error)]
pub enum Failure {
    /// Stripe refused it, and did nothing.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// Stripe refused this program's key, and did nothing. The operator's to mend, not the caller's.
    #[error("not authorised: {0}")]
    NotAuthorised(String),
    /// Stripe has too many requests. This try did nothing; an earlier one, unanswered, may have.
    #[error("too many requests: {0}")]
    RateLimited(String),
    /// Stripe says that it failed. It may have done it all the same.
    #[error("{0}")]
    Failed(String),
    /// No answer in time, or none that can be read. Stripe may have done it, or may still be at it.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

impl Failure {
    /// Whether it is certain that nothing was done.
    pub fn did_nothing(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::NotAuthorised(_))
    }

    /// Whether Stripe has finished with the call, so that asking it gives what became of it.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::NoAnswer(_))
    }
}

impl From<StripeError> for Failure {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Stripe(api, status) => of_answer(&api, status),
            other => Self::NoAnswer(other.to_string()),
        }
    }
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::RateLimited(_) => Self::Overloaded { what: STRIPE, retry_after: RETRY_AFTER },
            other => Self::Stripe(other.to_string()),
        }
    }
}

/// Source: <https://docs.stripe.com/error-low-level>.
fn of_answer(api: &ApiErrors, status: u16) -> Failure {
    let code = api.code.as_ref().map_or("", ApiErrorsCode::as_str);
    let text = format!("{status} {code}: {}", api.message.as_deref().unwrap_or("no message"));
    match status {
        429 => Failure::RateLimited(text),
        401 | 403 => Failure::NotAuthorised(text),
        // An earlier try under the same idempotency key is still being worked on.
        409 => Failure::NoAnswer(text),
        // Something that Stripe depends on failed.
        424 => Failure::Failed(text),
        400..=499 if api.type_ == ApiErrorsType::CardError => {
            let message = api.message.clone().unwrap_or_else(|| "The card was declined.".into());
            Failure::Refused(Refusal::CardDeclined { message, decline_code: decline_code(api) })
        }
        400..=499 => {
            warn!(error = text, param = api.param, "refused by Stripe");
            Failure::Refused(Refusal::StripeRefused(reason(api)))
        }
        _ => Failure::Failed(text),
    }
}

/// Why the card was declined; for a mistyped card, which Stripe calls an error without a decline, its code.
fn decline_code(api: &ApiErrors) -> Option<String> {
    api.decline_code.clone().or_else(|| api.code.as_ref().map(|code| code.as_str().to_owned()))
}

/// What Stripe refused, for the caller. Stripe's own text may name its ids, and is for the log.
fn reason(api: &ApiErrors) -> String {
    let param = api.param.as_deref().unwrap_or_default();
    if param.starts_with("items") || param.starts_with("price") {
        return "Stripe doesn't sell the plan's price to this group: the price is not there any more, not active, or in \
                another currency than the group has paid in before."
            .into();
    }
    match &api.code {
        _ if param.ends_with("payment_method") => "Stripe doesn't accept this payment method.".into(),
        _ if param == "customer" => "Stripe doesn't know the group's customer any more. Try again.".into(),
        Some(ApiErrorsCode::AmountTooSmall) => "The amount is less than Stripe charges.".into(),
        Some(ApiErrorsCode::AmountTooLarge) => "The amount is more than Stripe charges.".into(),
        Some(ApiErrorsCode::PaymentIntentUnexpectedState) => "The payment can't be made any more.".into(),
        Some(ApiErrorsCode::ResourceMissing) => "Stripe doesn't have this any more.".into(),
        Some(code) => format!("Stripe refused this, with its code {}.", code.as_str()),
        None => "Stripe refused this.".into(),
    }
}

/// Whether Stripe has nothing by the id that was asked for.
pub fn is_missing(error: &StripeError) -> bool {
    matches!(error, StripeError::Stripe(api, _) if api.code == Some(ApiErrorsCode::ResourceMissing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, type_: ApiErrorsType, code: Option<ApiErrorsCode>) -> Failure {
        let api = ApiErrors {
            advice_code: None,
            charge: None,
            code,
            decline_code: Some("generic_decline".into()),
            doc_url: None,
            message: Some("No such price: 'price_secret'".into()),
            network_advice_code: None,
            network_decline_code: None,
            param: None,
            payment_intent: None,
            payment_method: None,
            payment_method_type: None,
            request_log_url: None,
            setup_intent: None,
            source: None,
            type_,
        };
        StripeError::Stripe(Box::new(api), status).into()
    }

    #[test]
    fn what_is_refused_did_nothing_and_what_failed_may_have_done_it() {
        use ApiErrorsType::{ApiError, CardError, InvalidRequestError};
        for (status, type_, did_nothing, is_over) in [
            (400, InvalidRequestError, true, true),
            (401, InvalidRequestError, true, true),
            (402, CardError, true, true),
            (404, InvalidRequestError, true, true),
            (409, InvalidRequestError, false, false),
            (424, ApiError, false, true),
            (429, InvalidRequestError, false, true),
            (429, CardError, false, true),
            (500, ApiError, false, true),
            (503, ApiError, false, true),
        ] {
            let failure = answered(status, type_, None);
            assert_eq!((failure.did_nothing(), failure.is_over()), (did_nothing, is_over), "{status}");
        }
        let silent = Failure::from(StripeError::Timeout);
        assert!(!silent.did_nothing() && !silent.is_over());
    }

    #[test]
    fn a_refusal_is_said_without_stripes_ids() {
        let code = Some(ApiErrorsCode::ResourceMissing);
        let failure = answered(400, ApiErrorsType::InvalidRequestError, code);
        let Failure::Refused(refusal) = failure else { panic!("{failure:?}") };
        assert_eq!(refusal.code(), "stripe_refused");
        assert!(!refusal.to_string().contains("price_secret"), "{refusal}");
    }

    #[test]
    fn too_many_requests_are_for_the_caller_to_repeat() {
        let error = ServiceError::from(answered(429, ApiErrorsType::CardError, None));
        assert!(matches!(error, ServiceError::Overloaded { .. }), "{error:?}");
    }
}
