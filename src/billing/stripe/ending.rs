//! How a subscription ends, and how one goes on.

use stripe_billing::subscription::{
    CancelSubscription, CancelSubscriptionCancellationDetails, CancelSubscriptionCancellationDetailsFeedback,
    ResumeSubscription, UpdateSubscription, UpdateSubscriptionCancellationDetails,
    UpdateSubscriptionCancellationDetailsFeedback,
};

use super::{Result, Stripe};
use crate::billing::failure::is_missing;
use crate::domain::{Cancellation, CancellationReason};

/// Stripe's word for a reason, of which its client has a type for each request.
macro_rules! feedback {
    ($feedback:ident, $reason:expr) => {
        match $reason {
            CancellationReason::TooExpensive => $feedback::TooExpensive,
            CancellationReason::MissingFeatures => $feedback::MissingFeatures,
            CancellationReason::SwitchedService => $feedback::SwitchedService,
            CancellationReason::Unused => $feedback::Unused,
            CancellationReason::CustomerService => $feedback::CustomerService,
            CancellationReason::TooComplex => $feedback::TooComplex,
            CancellationReason::LowQuality => $feedback::LowQuality,
            CancellationReason::Other => $feedback::Other,
        }
    };
}

impl Stripe {
    pub async fn cancel_at_period_end(&self, id: &str, cancellation: &Cancellation) -> Result<()> {
        let mut details = UpdateSubscriptionCancellationDetails::new();
        details.comment = cancellation.comment().map(str::to_owned);
        details.feedback = cancellation
            .reason
            .map(|reason| feedback!(UpdateSubscriptionCancellationDetailsFeedback, reason));
        let mut request = UpdateSubscription::new(id).cancel_at_period_end(true);
        if details.comment.is_some() || details.feedback.is_some() {
            request = request.cancellation_details(details);
        }
        request.send(&self.client).await?;
        Ok(())
    }

    /// Takes back a cancellation at the period's end.
    pub async fn keep(&self, id: &str) -> Result<()> {
        UpdateSubscription::new(id).cancel_at_period_end(false).send(&self.client).await?;
        Ok(())
    }

    /// Has a paused subscription go on, once what it costs is paid.
    pub async fn unpause(&self, id: &str) -> Result<()> {
        ResumeSubscription::new(id).send(&self.client).await?;
        Ok(())
    }

    /// Ends a subscription. One that has ended already is fine.
    pub async fn cancel_now(&self, id: &str, cancellation: Option<&Cancellation>) -> Result<()> {
        let mut details = CancelSubscriptionCancellationDetails::new();
        if let Some(cancellation) = cancellation {
            details.comment = cancellation.comment().map(str::to_owned);
            details.feedback = cancellation
                .reason
                .map(|reason| feedback!(CancelSubscriptionCancellationDetailsFeedback, reason));
        }
        let mut request = CancelSubscription::new(id);
        if details.comment.is_some() || details.feedback.is_some() {
            request = request.cancellation_details(details);
        }
        match request.send(&self.client).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
