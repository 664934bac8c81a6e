//! What is sold and what was bought: the catalogue, checkout, the webhook inbox, and keeping every
//! subscription as Stripe says it is.
//!
//! Owns: the order of what Stripe is asked for and what is written here, so that a crash between the two leaves nothing
//! that isn't put right. Doesn't own: what a token costs or who spent it (metering), HTTP.

mod account;
mod catalogue;
mod checkout;
mod demo;
mod failure;
mod inbox;
mod invoices;
mod life;
mod notices;
mod overage;
mod payment_method;
mod plan_change;
mod reconcile;
mod reservations;
mod signature;
mod stripe;
mod sync;
mod webhook;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{GroupId, Subscription, User};
use crate::error::{Error, Result};
use crate::storage::{SharedReads, Store, SubscriptionRow};

use self::stripe::Stripe;

pub use crate::storage::{ChargeProblem, OverageCharge};
pub use demo::DemoClock;
pub use invoices::InvoiceKey;
pub use reconcile::Reconciled;

/// Called with the group whose subscription changed, after the commit.
pub type OnChange = Arc<dyn Fn(GroupId) + Send + Sync>;

/// Plans, subscriptions and their counterpart at Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Billing(Arc<BillingInner>);

/// What clones share.
pub struct BillingInner {
    store: Store,
    clock: Clock,
    config: Arc<Config>,
    stripe: Stripe,
    on_change: OnChange,
    subscriptions: SharedReads<GroupId, Option<SubscriptionRow>>,
}

impl Deref for Billing {
    type Target = BillingInner;

    fn deref(&self) -> &BillingInner {
        &self.0
    }
}

impl fmt::Debug for Billing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Billing").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Billing {
    /// # Errors
    /// [`Error::Internal`] where Stripe's address or key can't be put into a request.
    pub fn new(store: Store, clock: Clock, config: Arc<Config>, on_change: OnChange) -> Result<Self> {
        let stripe = Stripe::new(&config.stripe)?;
        Ok(Self(Arc::new(BillingInner {
            store,
            clock,
            config,
            stripe,
            on_change,
            subscriptions: SharedReads::default(),
        })))
    }

    /// The live subscription of the user's group.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::Forbidden`] for a user without a group; the database's.
    pub async fn subscription(&self, user: &User) -> Result<Option<Subscription>> {
        let group = user.must_have_group()?;
        let read = async || self.store.live_subscription(group).await;
        Ok(self.subscriptions.get(group, read).await?.map(|row| self.shown(row)))
    }

    /// A subscription as the group's members see it now.
    fn shown(&self, row: SubscriptionRow) -> Subscription {
        row.subscription(self.config.grace_days, self.clock.now())
    }
}

/// Stripe's times are whole seconds since the epoch.
fn time(seconds: i64) -> Result<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(seconds, 0).ok_or_else(|| Error::Stripe(format!("{seconds} is no time")))
}
