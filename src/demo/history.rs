//! The year of the demo, step by step.

use std::collections::HashMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Months, Utc};
use tokio::sync::Mutex;

use super::companies::{BASIC, COMPANIES, Company, Did, TRIALS_ENDED};
use super::plans;
use super::usage::{self, Spending};
use crate::accounts::{DEMO_ACCOUNTS, DemoAccount, NewDemoAccount};
use crate::billing::DemoClock;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Cancellation, OverageAgreement, PerType, Period, Plan, Role, Status, User};
use crate::services::Services;
use crate::storage::{Opened, Store};

/// Days left of Acme's current period.
const ACME_DAYS_LEFT: i64 = 12;
/// What Acme used in its periods, the current one last.
const ACME_USED: [PerType<i64>; 4] = [
    PerType { llm: 61_870, voice: 28_412 },
    PerType { llm: 70_455, voice: 39_120 },
    PerType { llm: 88_140, voice: 47_905 },
    PerType { llm: 75_234, voice: 42_891 },
];
const ACME: &str = "admin@acme.test";
const SUPERADMIN: &str = "superadmin@tollgate.test";
/// How long before its end what was used in a period is recorded.
const BEFORE_THE_END: Duration = Duration::hours(2);
/// How long after its end the next period is looked at: the renewal's draft takes lines for an hour.
const AFTER_THE_END: Duration = Duration::minutes(20);
/// One of so many times has an event, where a company isn't the one that is looked at first.
const COMPANY_EVENTS: usize = 4;
/// Days for which Basic could be tried.
const TRIAL_DAYS: u32 = 14;

/// Something that happened, and when. Taking a step again changes nothing.
#[derive(Debug)]
pub(super) struct Step {
    at: DateTime<Utc>,
    action: Action,
}

#[derive(Debug)]
enum Action {
    /// The operator's account and the plans are made.
    Open,
    /// The accounts of one of the groups that the log-in page offers.
    JoinDemo(&'static str),
    Join(&'static Company),
    /// Basic's trial isn't offered any more.
    EndTrials,
    Do(&'static Company, Did),
    BuyAsAcme,
    /// What the company used in this period so far is recorded.
    Use(&'static Company, Period),
    /// The company's subscription is read, which has changed by itself.
    Look(&'static Company),
    UseAsAcme(usize),
    /// The payments of all groups are read.
    ReadInvoices,
}

/// All steps, in the order of their times; `now` is the end of the year.
pub(super) fn steps(now: DateTime<Utc>) -> Result<Vec<Step>> {
    let ago = |days: i64| now - Duration::days(days);
    let mut steps = vec![Step { at: ago(365), action: Action::Open }];
    let mut add = |at, action| steps.push(Step { at, action });
    add(ago(TRIALS_ENDED), Action::EndTrials);
    add(ago(3), Action::JoinDemo("Newco"));

    let period_end = now + Duration::days(ACME_DAYS_LEFT);
    let earlier = ACME_USED.len() as u32;
    let acme = period_end.checked_sub_months(Months::new(earlier)).context("the calendar has no such day")?;
    add(acme - Duration::days(1), Action::JoinDemo("Acme"));
    add(acme, Action::BuyAsAcme);
    for (index, count) in (1..=earlier).enumerate() {
        add((months(acme, count)? - BEFORE_THE_END).min(now), Action::UseAsAcme(index));
    }

    for company in COMPANIES {
        add(ago(company.joined), Action::Join(company));
        for (days, did) in company.did {
            add(ago(*days), Action::Do(company, *did));
        }
        for stay in stays(company, now)? {
            for period in &stay.periods {
                let at = stay.until.min(period.end - BEFORE_THE_END);
                add(at, Action::Use(company, *period));
                let renewed = period.end + AFTER_THE_END;
                if company.is_looked_at() && renewed < stay.until {
                    add(renewed, Action::Look(company));
                }
            }
            // Past the end, where it is cancelled at the end of a period.
            add((stay.until + AFTER_THE_END).min(now), Action::Look(company));
        }
    }
    add(now, Action::ReadInvoices);
    // What happens at one time happens in the order in which it was added.
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

/// A time for which a company has a subscription.
struct Stay {
    periods: Vec<Period>,
    until: DateTime<Utc>,
}

fn stays(company: &Company, now: DateTime<Utc>) -> Result<Vec<Stay>> {
    let mut stays = Vec::new();
    for (index, (days, did)) in company.did.iter().enumerate() {
        let Did::Bought(plan) = did else { continue };
        let began = now - Duration::days(*days);
        let tried = *plan == BASIC && *days > TRIALS_ENDED && stays.is_empty();
        let paid_from = began + Duration::days(if tried { TRIAL_DAYS.into() } else { 0 });
        let mut periods = Vec::new();
        if tried {
            periods.push(Period { start: began, end: paid_from });
        }
        for month in 0..12 {
            periods.push(Period { start: months(paid_from, month)?, end: months(paid_from, month + 1)? });
        }
        let next = company.did[index..].iter().map(|(days, did)| (now - Duration::days(*days), *did));
        let end = next.into_iter().find_map(|(at, did)| match did {
            Did::CanceledNow => Some(at - Duration::hours(1)),
            Did::CanceledAtPeriodEnd => periods.iter().map(|period| period.end).find(|end| *end > at),
            _ => None,
        });
        let until = end.unwrap_or(now);
        periods.retain(|period| period.start < until);
        stays.push(Stay { periods, until });
    }
    Ok(stays)
}

fn months(at: DateTime<Utc>, count: u32) -> Result<DateTime<Utc>> {
    at.checked_add_months(Months::new(count)).context("the calendar has no such day")
}

/// The services on clocks that stand in the past.
pub(super) struct History {
    services: Services,
    clock: Clock,
    stripe: DemoClock,
    /// When the year ends.
    end: DateTime<Utc>,
    /// Of every account.
    password_hash: String,
    /// By e-mail address, as far as they were asked for.
    users: Mutex<HashMap<String, User>>,
}

impl History {
    pub(super) async fn begin(config: &Config, store: &Store, steps: &[Step]) -> Result<Self> {
        let (first, last) = steps.first().zip(steps.last()).context("the year has steps")?;
        let (began, end) = (first.at, last.at);
        let clock = Clock::manual(began);
        let stripe = DemoClock::open(&config.stripe, began).await.context("the demo's test clock")?;
        let mut config = config.clone();
        config.stripe.test_clock = Some(stripe.id().await);
        // What was told in the past is kept to be read, and sent to nobody.
        config.smtp_url = None;
        let (services, metering) = Services::new(config, store.clone(), clock.clone())?;
        tokio::spawn(metering.run());
        let password_hash = services.accounts.demo_password_hash().await?;
        Ok(Self { services, clock, stripe, end, password_hash, users: Mutex::default() })
    }

    /// Lets what was recorded be written.
    pub(super) async fn stop(self) {
        self.services.metering.stop().await;
    }

    pub(super) async fn take(&self, step: &Step) -> Result<()> {
        self.clock.advance(step.at - self.clock.now());
        self.do_step(step).await?;
        Ok(self.services.outbox.expand_notices().await?)
    }

    async fn do_step(&self, step: &Step) -> Result<()> {
        match &step.action {
            Action::Open => self.open().await.context("the demo's plans"),
            Action::JoinDemo(group) => {
                let accounts = DEMO_ACCOUNTS.iter().filter(|account| account.group == Some(*group));
                self.join(accounts.map(DemoAccount::as_new).collect()).await
            }
            Action::Join(company) => self.join(accounts_of(company)).await,
            Action::EndTrials => self.offer_trials(0).await.context("the end of the demo's trials"),
            Action::Do(company, did) => {
                let doing = || format!("{}: {did:?}", company.name);
                self.pass_time(step).await.with_context(doing)?;
                Box::pin(self.act(company, *did)).await.with_context(doing)
            }
            Action::BuyAsAcme => {
                self.pass_time(step).await?;
                let admin = self.user(ACME).await?;
                self.buy(&admin, BASIC).await.context("Acme's subscription")
            }
            Action::Use(company, period) => {
                let used = self.spend(company, *period, step).await;
                used.with_context(|| format!("what {} used", company.name))
            }
            Action::Look(company) => {
                self.pass_time(step).await?;
                self.services.billing.refresh(&self.admin(company).await?).await?;
                Ok(())
            }
            Action::UseAsAcme(index) => {
                self.pass_time(step).await?;
                self.spend_as_acme(*index, step.at).await.context("what Acme used")
            }
            Action::ReadInvoices => Ok(self.services.billing.read_new_customers_invoices().await?),
        }
    }

    /// Brings the sandbox to the time of a step, with all that falls due until then.
    async fn pass_time(&self, step: &Step) -> Result<()> {
        self.stripe.advance(step.at).await.context("the demo's test clock")?;
        Ok(())
    }

    async fn open(&self) -> Result<()> {
        let operators = DEMO_ACCOUNTS.iter().filter(|account| account.role == Role::SuperAdmin);
        self.join(operators.map(DemoAccount::as_new).collect()).await?;
        plans::make(&self.services, &self.user(SUPERADMIN).await?).await?;
        self.offer_trials(TRIAL_DAYS).await
    }

    async fn join(&self, accounts: Vec<NewDemoAccount>) -> Result<()> {
        let made = self.services.accounts.create_demo_accounts(accounts, &self.password_hash).await;
        made.context("the demo's accounts")
    }

    async fn offer_trials(&self, days: u32) -> Result<()> {
        let superadmin = self.user(SUPERADMIN).await?;
        let basic = self.plan(BASIC).await?;
        if basic.trial_days == i64::from(days) {
            return Ok(());
        }
        let input = plans::input(BASIC, days).context("Basic is a plan of the demo")?;
        self.services.billing.update_plan(&superadmin, basic.id, input).await?;
        Ok(())
    }

    async fn user(&self, email: &str) -> Result<User> {
        let mut users = self.users.lock().await;
        if let Some(user) = users.get(email) {
            return Ok(user.clone());
        }
        let found = self.services.store.credentials(email).await?;
        let user = found.with_context(|| format!("no account {email}"))?.user;
        users.insert(email.to_owned(), user.clone());
        Ok(user)
    }

    async fn plan(&self, name: &str) -> Result<Plan> {
        let plans = self.services.billing.plans(true).await?;
        plans.into_iter().find(|plan| plan.name == name).with_context(|| format!("no plan {name}"))
    }

    async fn act(&self, company: &Company, did: Did) -> Result<()> {
        let billing = &self.services.billing;
        let admin = self.admin(company).await?;
        if let Did::Bought(plan) = did {
            return self.buy(&admin, plan).await;
        }
        // Ended already where the step is taken again.
        let Some(subscription) = billing.refresh(&admin).await? else { return Ok(()) };
        match did {
            Did::Bought(_) => {}
            Did::ChangedTo(plan) => {
                let plan = self.plan(plan).await?.id;
                billing.change_plan(&admin, subscription.id, plan, None).await?;
            }
            Did::CanceledNow | Did::CanceledAtPeriodEnd => {
                let at_period_end = matches!(did, Did::CanceledAtPeriodEnd);
                billing
                    .cancel(&admin, subscription.id, &Cancellation::new(at_period_end, None, None)?)
                    .await?;
            }
            Did::AgreedToOverage(cap) => {
                let agreement = OverageAgreement { enabled: true, cap: Some(cap.into()) };
                billing.agree_to_overage(&admin, subscription.id, &agreement).await?;
            }
            Did::CardExpired => billing.pay_demo_by(&admin, "pm_card_chargeCustomerFail").await?,
        }
        Ok(())
    }

    async fn buy(&self, admin: &User, plan: &str) -> Result<()> {
        let billing = &self.services.billing;
        match billing.subscription(admin).await? {
            // Left unpaid where the step was cut off.
            Some(made) if made.status == Status::Incomplete => {
                billing.cancel(admin, made.id, &Cancellation::new(false, None, None)?).await?;
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let plan = self.plan(plan).await?.id;
        billing.subscribe_for_demo(admin, plan, "pm_card_visa").await?;
        Ok(())
    }

    async fn admin(&self, company: &Company) -> Result<User> {
        let person = company.people.first().context("a company has an admin")?;
        self.user(&company.address(person)).await
    }

    async fn spend(&self, company: &Company, period: Period, step: &Step) -> Result<()> {
        let admin = self.admin(company).await?;
        let Some(subscription) = self.services.billing.subscription(&admin).await? else { return Ok(()) };
        let mut tx = self.services.store.begin().await?;
        tx.open_period(subscription.group_id, subscription.id, period, Opened::ByStripe, step.at).await?;
        tx.commit().await?;
        let mut users = Vec::with_capacity(company.people.len());
        for person in company.people {
            users.push(self.user(&company.address(person)).await?);
        }
        let joined = self.end - Duration::days(company.joined);
        let months = (step.at - joined).num_days() as f64 / 30.0;
        let used = usage::of_period(company, period, subscription.plan.limits, step.at, months);
        let spending = Spending { users: &users, until: step.at, used, every: COMPANY_EVENTS };
        self.record(&admin, period.start, spending).await
    }

    async fn spend_as_acme(&self, index: usize, at: DateTime<Utc>) -> Result<()> {
        let admin = self.user(ACME).await?;
        let subscription = self.services.billing.refresh(&admin).await?.context("Acme's subscription")?;
        let mut users = Vec::new();
        for account in DEMO_ACCOUNTS.iter().filter(|account| account.group == Some("Acme")) {
            users.push(self.user(account.email).await?);
        }
        let spending = Spending { users: &users, until: at, used: ACME_USED[index], every: 1 };
        self.record(&admin, subscription.current_period_start, spending).await
    }

    async fn record(&self, admin: &User, start: DateTime<Utc>, spending: Spending<'_>) -> Result<()> {
        let events = spending.events(start);
        Ok(usage::record(&self.services.metering, admin, events).await?)
    }
}

fn accounts_of(company: &Company) -> Vec<NewDemoAccount> {
    let account = |(index, person): (usize, &&str)| NewDemoAccount {
        email: company.address(person),
        name: (*person).to_owned(),
        role: Company::role(index),
        group: Some(company.name.to_owned()),
    };
    company.people.iter().enumerate().map(account).collect()
}
