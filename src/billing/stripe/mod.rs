//! The one module that calls Stripe: each call typed, limited in time, and tried again under one idempotency key, so that
//! Stripe does at most once what is asked. [`Failure`] is what a call means that didn't succeed.

mod changes;
mod credits;
mod customers;
mod ending;
mod invoices;
mod overage;
mod test_clocks;

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_billing::subscription::{
    CreateSubscription, CreateSubscriptionItems, CreateSubscriptionPaymentBehavior,
    CreateSubscriptionPaymentSettings, CreateSubscriptionPaymentSettingsSaveDefaultPaymentMethod,
    CreateSubscriptionProrationBehavior, CreateSubscriptionTrialSettings,
    CreateSubscriptionTrialSettingsEndBehavior,
    CreateSubscriptionTrialSettingsEndBehaviorMissingPaymentMethod, ListSubscription, ListSubscriptionStatus,
    RetrieveSubscription,
};
use stripe_core::payment_intent::ConfirmPaymentIntent;
use stripe_product::price::{
    CreatePrice, CreatePriceRecurring, CreatePriceRecurringInterval, RetrievePrice, UpdatePrice,
};
use stripe_product::product::{CreateProduct, UpdateProduct};
use stripe_shared::{Price, Subscription};

use super::failure::{Failure, is_missing};
use crate::config::StripeConfig;
use crate::domain::{Interval, Money};
use crate::error::Error;
use crate::storage::ReservationRow;

pub use changes::{PriceChange, Settled};
pub use invoices::Paid;
pub use overage::OwnInvoice;

/// What a call gives.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// How often a call is tried, each time for as long as [`StripeConfig::timeout`] says. Between the tries the client waits
/// for 1 and 2 s, so that a call which isn't answered is given up after 27 s where nothing else is configured.
const TRIES: u32 = 3;
/// Between the first try and the second of what is sent under a key of ours; twice as long before the third.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The metadata key under which a subscription at Stripe names the one here.
pub const SUBSCRIPTION_KEY: &str = "tollgate_subscription";
/// The metadata key under which a setup intent names the subscription at Stripe that its card is to pay for.
pub const PAYS_FOR_KEY: &str = "tollgate_pays_for";

/// A client of Stripe, or of whatever answers in its place.
#[derive(Clone)]
pub struct Stripe {
    client: Client,
    /// Where new customers stand.
    test_clock: Option<String>,
}

/// A subscription to create at Stripe.
#[derive(Clone, Debug)]
pub struct Purchase<'a> {
    pub customer: &'a str,
    pub price: &'a str,
    /// The subscription's id here, kept in its metadata there, and what Stripe makes it once by.
    pub reference: String,
    /// A card that is attached to the customer, to pay by from now on.
    pub payment_method: Option<&'a str>,
    /// Days that are free at the beginning; at their end it is cancelled where no card was given.
    pub trial_days: i64,
    /// When the subscription began and when its current period ends, for one that began in the past.
    pub backdated: Option<(i64, i64)>,
}

impl<'a> Purchase<'a> {
    /// What a reservation asks of Stripe: the same each time, so that Stripe can be asked again.
    pub fn of(reservation: &'a ReservationRow, customer: &'a str) -> Self {
        Self {
            customer,
            price: &reservation.stripe_price_id,
            reference: reservation.id.to_string(),
            payment_method: reservation.payment_method.as_deref(),
            trial_days: reservation.trial_days,
            backdated: None,
        }
    }
}

impl Stripe {
    /// # Errors
    /// [`Error::Internal`] where Stripe's address or key can't be put into a request.
    pub fn new(config: &StripeConfig) -> Result<Self, Error> {
        let mut builder = ClientBuilder::new(config.secret_key.expose_secret())
            .timeout(config.timeout)
            .request_strategy(RequestStrategy::ExponentialBackoff(TRIES))
            .app_info("tollgate", Some(env!("CARGO_PKG_VERSION").into()), None);
        if let Some(base) = &config.api_base {
            let slash = if base.ends_with('/') { "" } else { "/" };
            builder = builder.url(format!("{base}{slash}"));
        }
        let client = builder.build().map_err(|error| Error::Internal(format!("stripe client: {error}")))?;
        Ok(Self { client, test_clock: config.test_clock.clone() })
    }

    pub async fn create_product(&self, name: &str, description: &str) -> Result<String> {
        let mut request = CreateProduct::new(name);
        if !description.is_empty() {
            request = request.description(description);
        }
        Ok(request.send(&self.client).await?.id.to_string())
    }

    /// Names a product anew, as invoices show it.
    pub async fn rename_product(&self, product: &str, name: &str) -> Result<()> {
        UpdateProduct::new(product).name(name).send(&self.client).await?;
        Ok(())
    }

    pub async fn create_price(&self, product: &str, price: Money, interval: Interval) -> Result<String> {
        let currency: stripe_types::Currency = price
            .currency
            .code()
            .parse()
            .map_err(|_| Failure::Failed(format!("Stripe has no currency {}", price.currency)))?;
        let interval = match interval {
            Interval::Month => CreatePriceRecurringInterval::Month,
            Interval::Year => CreatePriceRecurringInterval::Year,
        };
        let request = CreatePrice::new(currency)
            .product(product)
            .unit_amount(price.minor)
            .recurring(CreatePriceRecurring::new(interval));
        Ok(request.send(&self.client).await?.id.to_string())
    }

    /// A price, or `None` where Stripe has no such.
    pub async fn price(&self, id: &str) -> Result<Option<Price>> {
        match RetrievePrice::new(id).send(&self.client).await {
            Ok(price) => Ok(Some(price)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a price on sale or takes it off. Subscriptions that pay it go on.
    pub async fn set_price_active(&self, price: &str, active: bool) -> Result<()> {
        UpdatePrice::new(price).active(active).send(&self.client).await?;
        Ok(())
    }

    pub async fn create_subscription(&self, purchase: &Purchase<'_>) -> Result<Subscription> {
        let mut settings = CreateSubscriptionPaymentSettings::new();
        settings.save_default_payment_method =
            Some(CreateSubscriptionPaymentSettingsSaveDefaultPaymentMethod::OnSubscription);
        let mut item = CreateSubscriptionItems::new();
        item.price = Some(purchase.price.to_owned());
        let mut request = CreateSubscription::new()
            .customer(purchase.customer)
            .items([item])
            .payment_settings(settings)
            .payment_behavior(CreateSubscriptionPaymentBehavior::DefaultIncomplete)
            .metadata(HashMap::from([(SUBSCRIPTION_KEY.to_owned(), purchase.reference.clone())]))
            .expand(expansions());
        if let Some(payment_method) = purchase.payment_method {
            request = request.default_payment_method(payment_method);
        }
        if let Some(days) = u32::try_from(purchase.trial_days).ok().filter(|days| *days > 0) {
            let mut end = CreateSubscriptionTrialSettingsEndBehavior::new();
            end.missing_payment_method =
                Some(CreateSubscriptionTrialSettingsEndBehaviorMissingPaymentMethod::Cancel);
            request =
                request.trial_period_days(days).trial_settings(CreateSubscriptionTrialSettings::new(end));
        }
        if let Some((start, period_end)) = purchase.backdated {
            request = request
                .backdate_start_date(start)
                .billing_cycle_anchor(period_end)
                .proration_behavior(CreateSubscriptionProrationBehavior::None);
        }
        self.send_once(&request, &format!("subscribe-{}", purchase.reference)).await
    }

    /// Sends a request under an idempotency key of ours, which Stripe knows again for a day, also after this process has
    /// ended. Tried again where no answer came, or Stripe has too much to do.
    async fn send_once<R>(&self, request: &R, key: &str) -> Result<R::Output>
    where
        R: StripeRequest<Output: miniserde::Deserialize>,
    {
        let mut wait = FIRST_WAIT;
        for tried in 1.. {
            let key = IdempotencyKey::new(key).map_err(|error| Failure::Failed(error.to_string()))?;
            let once = request.customize().request_strategy(RequestStrategy::Idempotent(key));
            let failure = match once.send(&self.client).await {
                Ok(answer) => return Ok(answer),
                Err(error) => Failure::from(error),
            };
            match failure {
                Failure::NoAnswer(_) | Failure::RateLimited(_) if tried < TRIES => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                failure => return Err(failure),
            }
        }
        Err(Failure::NoAnswer("never tried".into()))
    }

    /// A subscription with what its checkout needs, or `None` where Stripe has no such.
    pub async fn subscription(&self, id: &str) -> Result<Option<Subscription>> {
        match RetrieveSubscription::new(id).expand(expansions()).send(&self.client).await {
            Ok(subscription) => Ok(Some(subscription)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The customer's subscription that names `reference`, if there is one. Looks at the customer's last 100, of which it
    /// is one of the newest.
    pub async fn find_subscription(&self, customer: &str, reference: &str) -> Result<Option<Subscription>> {
        let list = ListSubscription::new()
            .customer(customer)
            .status(ListSubscriptionStatus::All)
            .limit(100)
            .send(&self.client)
            .await;
        match list {
            Ok(list) => Ok(list
                .data
                .into_iter()
                .find(|found| found.metadata.get(SUBSCRIPTION_KEY).is_some_and(|id| id == reference))),
            // A customer that was deleted has none.
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Pays what is due on an intent with a card. What becomes of it is for a fetch to say.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::CardDeclined`].
    pub async fn confirm(&self, payment_intent: &str, payment_method: &str) -> Result<()> {
        ConfirmPaymentIntent::new(payment_intent).payment_method(payment_method).send(&self.client).await?;
        Ok(())
    }
}

/// The id of the intent that a client secret is of: the id, `_secret_` and the secret are in it.
pub fn intent_of(client_secret: &str) -> &str {
    client_secret.split("_secret_").next().unwrap_or(client_secret)
}

fn expansions() -> Vec<String> {
    [
        "default_payment_method",
        "latest_invoice.confirmation_secret",
        "pending_setup_intent",
        "schedule",
        "test_clock",
    ]
    .map(String::from)
    .to_vec()
}
