//! The services, put together: what the HTTP side is handed.

use std::ops::Deref;
use std::sync::Arc;

use crate::accounts::Accounts;
use crate::billing::Billing;
use crate::chat::Chat;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::gateway::Gateway;
use crate::groups::Groups;
use crate::metering::{Metering, MeteringTask};
use crate::notify::Outbox;
use crate::reports::{Analytics, Reports};
use crate::storage::Store;

/// Everything a request may ask for. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Services(Arc<ServicesInner>);

/// What clones share.
#[derive(Debug)]
pub struct ServicesInner {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub store: Store,
    pub accounts: Accounts,
    pub billing: Billing,
    pub chat: Chat,
    pub metering: Metering,
    pub gateway: Gateway,
    pub groups: Groups,
    pub outbox: Outbox,
    pub reports: Reports,
    pub analytics: Analytics,
}

impl Deref for Services {
    type Target = ServicesInner;

    fn deref(&self) -> &ServicesInner {
        &self.0
    }
}

impl Services {
    /// Builds the services on a migrated database. Nothing is recorded until the metering's task runs.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] where Stripe's or the model server's address or key can't be put into a request.
    pub fn new(config: Config, store: Store, clock: Clock) -> Result<(Self, MeteringTask)> {
        let config = Arc::new(config);
        let outbox = Outbox::new(store.clone(), clock.clone(), &config.public_url, config.smtp_url.is_some());
        let (metering, task) = Metering::new(store.clone(), clock.clone(), config.grace_days);
        let changed = metering.clone();
        let on_change = Arc::new(move |group| changed.changed(group));
        let accounts = Accounts::new(
            store.clone(),
            clock.clone(),
            Arc::clone(&config),
            outbox.clone(),
            on_change.clone(),
        );
        let billing = Billing::new(store.clone(), clock.clone(), Arc::clone(&config), on_change)?;
        let chat = Chat::new(store.clone(), clock.clone());
        let gateway = Gateway::new(&config, metering.clone(), clock.clone())?;
        let groups = Groups::new(store.clone(), clock.clone(), config.grace_days);
        let reports = Reports::new(store.clone());
        let analytics = Analytics::new(store.clone(), clock.clone());
        let inner = ServicesInner {
            config,
            clock,
            store,
            accounts,
            billing,
            chat,
            metering,
            gateway,
            groups,
            outbox,
            reports,
            analytics,
        };
        Ok((Self(Arc::new(inner)), task))
    }
}
