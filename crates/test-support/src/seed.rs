//! A group with a subscription, put into a store without asking Stripe.

use chrono::{DateTime, Duration, Months, Utc};
use tollgate::clock::Clock;
use tollgate::domain::{
    Currency, EventInput, Group, GroupId, Interval, Money, PerType, Period, PlanId, PlanTerms, Role, Status,
    SubscriptionId, UsageType, User,
};
use tollgate::metering::Metering;
use tollgate::storage::{NewUser, ReservationRow, Store, StripeState};
use uuid::Uuid;

/// The days of grace that [`Seed::metering`] starts with.
pub const GRACE_DAYS: u32 = 7;

/// A group with an admin and a member, subscribed to a monthly plan of 100,000 LLM and 50,000 voice tokens
/// since ten days before `clock`'s time.
pub struct Seed {
    pub store: Store,
    pub clock: Clock,
    pub admin: User,
    pub member: User,
    pub plan: PlanId,
    pub subscription: SubscriptionId,
    pub period: Period,
}

impl Seed {
    pub async fn new(store: &Store) -> Self {
        Self::with_clock(store, Clock::manual(at("2026-03-11T12:00:00Z"))).await
    }

    pub async fn with_clock(store: &Store, clock: Clock) -> Self {
        let now = clock.now();
        let (admin, member) = group(store, now).await;
        let plan = plan(store, &format!("Basic {}", admin.id), 2_999, now).await;
        let start = now - Duration::days(10);
        let end = start.checked_add_months(Months::new(1)).expect("a month later");
        let seed = Self {
            store: store.clone(),
            clock,
            subscription: subscribe(store, &admin, plan, now).await,
            admin,
            member,
            plan,
            period: Period { start, end },
        };
        seed.stripe_says(Status::Active, seed.period).await;
        seed
    }

    pub fn group(&self) -> GroupId {
        self.admin.group.as_ref().expect("an admin has a group").id
    }

    pub fn metering(&self) -> Metering {
        Metering::start(self.store.clone(), self.clock.clone(), GRACE_DAYS)
    }

    /// What Stripe may say of the subscription.
    pub fn at_stripe(&self, status: Status, period: Period) -> StripeState {
        StripeState {
            stripe_subscription_id: format!("sub_{}", self.subscription.0.simple()),
            status,
            stripe_price_id: "price_seed".into(),
            price: Some(Money::new(2_999, Currency::USD)),
            interval: Some(Interval::Month),
            anchor: period.start,
            period,
            cancel_at_period_end: false,
            trial_end: None,
            next_price_id: None,
            ended_at: None,
        }
    }

    /// Changes the limits of the plan, which periods that begin later have.
    pub async fn change_limits(&self, llm: Option<i64>, voice: Option<i64>) {
        let plan = self.store.plan(self.plan).await.expect("the plan").plan();
        let terms = PlanTerms {
            name: plan.name,
            description: plan.description,
            price: plan.price,
            interval: plan.interval,
            trial_days: plan.trial_days,
            limits: PerType { llm, voice },
            max_users: plan.max_users,
            overage: plan.overage,
            features: plan.features,
            stripe_price_id: None,
        };
        let price = plan.stripe_price_id.expect("a price");
        let now = self.clock.now();
        self.store
            .change_plan_terms(self.plan, &terms, Some("prod_seed"), &price, now)
            .await
            .expect("the plan is changed");
    }

    /// Begins a period of the same length a second later, which has the limits that the plan has now.
    pub async fn renew(&self) {
        let step = Duration::seconds(1);
        let period = Period { start: self.period.start + step, end: self.period.end + step };
        self.stripe_says(Status::Active, period).await;
    }

    /// Writes what Stripe says of the subscription now.
    pub async fn stripe_says(&self, status: Status, period: Period) {
        let ticket = self.store.draw_sync_ticket(self.subscription).await.expect("a ticket");
        let state = self.at_stripe(status, period);
        let mut tx = self.store.begin().await.expect("a transaction");
        tx.lock_group(self.group()).await.expect("a lock");
        let written =
            tx.apply_stripe_state(self.group(), self.subscription, ticket, &state, self.clock.now()).await;
        assert!(written.expect("the subscription is written").is_some());
        tx.commit().await.expect("a commit");
    }
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// An event without anything that may be left out.
pub fn event(id: &str, usage_type: UsageType, tokens_used: i64) -> EventInput {
    EventInput {
        id: id.into(),
        usage_type,
        tokens_used,
        user_id: None,
        model: None,
        created_at: None,
        metadata: None,
        details: None,
        estimated: false,
    }
}

/// A group with an admin and a member, without a subscription.
pub async fn group(store: &Store, now: DateTime<Utc>) -> (User, User) {
    let group = Group { id: Uuid::now_v7().into(), name: "Acme".into() };
    let (admin, member) = (new_user(Role::Admin), new_user(Role::Member));
    let mut tx = store.begin().await.expect("a transaction");
    tx.add_group(group.id, &group.name, now).await.expect("a group");
    tx.add_user(&admin, Some(group.id), now).await.expect("an admin");
    tx.add_user(&member, Some(group.id), now).await.expect("a member");
    tx.commit().await.expect("a commit");
    (user(admin, &group), user(member, &group))
}

fn new_user(role: Role) -> NewUser {
    let id = Uuid::now_v7();
    let email = format!("{}@acme.test", id.simple());
    NewUser { id: id.into(), email, name: "Ada".into(), password_hash: "none".into(), role }
}

fn user(new: NewUser, group: &Group) -> User {
    User { id: new.id, email: new.email, name: new.name, role: new.role, group: Some(group.clone()) }
}

pub async fn plan(store: &Store, name: &str, price_minor: i64, now: DateTime<Utc>) -> PlanId {
    let id = PlanId(Uuid::now_v7());
    // A dearer plan gives more.
    let times = (price_minor / 2_999).max(1);
    let terms = PlanTerms {
        name: name.into(),
        description: String::new(),
        price: Money::new(price_minor, Currency::USD),
        interval: Interval::Month,
        trial_days: 0,
        limits: PerType { llm: Some(100_000 * times), voice: Some(50_000 * times) },
        max_users: None,
        overage: None,
        features: vec![],
        stripe_price_id: None,
    };
    let price = format!("price_{}", id.0.simple());
    store.add_plan(id, &terms, Some("prod_seed"), &price, now).await.expect("a plan");
    id
}

/// Subscribes the admin's group: Stripe has made the subscription, and it isn't paid yet.
pub async fn subscribe(store: &Store, admin: &User, plan: PlanId, now: DateTime<Utc>) -> SubscriptionId {
    let id = SubscriptionId(Uuid::now_v7());
    let group = admin.group.as_ref().expect("an admin has a group").id;
    let reservation = ReservationRow {
        group_id: group,
        id,
        user_id: admin.id,
        plan_id: plan,
        stripe_price_id: "price_seed".into(),
        price_minor: 2_999,
        currency: Currency::USD,
        billing_interval: Interval::Month,
        trial_days: 0,
        stripe_customer_id: None,
        payment_method: None,
        created_at: now,
        recoverable_at: now,
    };
    let made = StripeState {
        stripe_subscription_id: format!("sub_{}", id.0.simple()),
        status: Status::Incomplete,
        stripe_price_id: "price_seed".into(),
        price: None,
        interval: None,
        period: Period { start: now, end: now + Duration::days(30) },
        anchor: now,
        cancel_at_period_end: false,
        trial_end: None,
        next_price_id: None,
        ended_at: None,
    };
    let mut tx = store.begin().await.expect("a transaction");
    tx.lock_group(group).await.expect("a lock");
    tx.add_reservation(&reservation).await.expect("a reservation");
    assert!(tx.convert_reservation(group, id, &made, now).await.expect("a subscription"));
    tx.commit().await.expect("a commit");
    id
}
