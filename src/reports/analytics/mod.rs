//! The operator's figures: what subscriptions earn, how that moved, and the rows behind it.
//!
//! All of it is made of sums that the database gives by interval and currency; here they are only carried forward, from
//! each interval's end to the next one's start.

mod query;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use chrono::{DateTime, Duration, Utc};

use crate::clock::Clock;
use crate::domain::{
    AnalyticsReport, ChurnFigures, Currency, CurrencyAnalytics, Figure, FigureRow, Funnel, MAX_COUNT, Money,
    PerType, Period, PlanFigures, PlanRef, RollForward, SubscriptionCounts, TimeFigures, TokenFigures, User,
    share,
};
use crate::error::Result;
use crate::storage::{FunnelSums, MovementSums, OverageSums, PageRows, PlanSums, Store, TokenSums};

use query::AnalyticsQuery;

pub use crate::storage::{FigureKey, PageRequest};
pub use query::{AnalyticsFields, FigureFields};

/// Reads the figures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Analytics {
    store: Store,
    clock: Clock,
}

/// A page of the rows that a figure is made of.
pub type FigureRows = PageRows<(FigureKey, FigureRow)>;

impl Analytics {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// All figures of a window.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::Forbidden`] for anyone but a SuperAdmin; [`crate::domain::Refusal::Invalid`], which names
    /// every field that is wrong; the database's.
    pub async fn report(&self, user: &User, fields: &AnalyticsFields) -> Result<AnalyticsReport> {
        user.must_be_superadmin()?;
        let as_of = self.clock.now();
        let query = fields.query(as_of)?;
        let window = so_far(query.window, as_of);
        let intervals: Vec<_> = query.intervals.iter().map(|interval| so_far(*interval, as_of)).collect();
        // All that moved before the window gives its start.
        let before = Period { start: DateTime::UNIX_EPOCH, end: window.start };
        let since_ever: Vec<_> = [before].into_iter().chain(intervals.iter().copied()).collect();
        let mut snapshot = self.store.begin_analytics().await?;
        let found = Found {
            movements: snapshot.movements(&since_ever).await?,
            tokens: snapshot.tokens(&intervals).await?,
            overage: snapshot.overage(&intervals).await?,
            plans: snapshot.plans(window.end).await?,
            signed_up: snapshot.signed_up(window).await?,
            funnel: snapshot.funnel(window).await?,
        };
        let currencies = found.currencies();
        let currencies = currencies.into_iter();
        let currencies = currencies.map(|currency| found.analytics(currency, &query, as_of)).collect();
        Ok(AnalyticsReport {
            from: query.window.start,
            to: query.window.end,
            interval: query.interval,
            tz: query.tz.name().to_owned(),
            as_of,
            signed_up: found.signed_up,
            currencies,
            definitions: Figure::ALL.map(|figure| (figure, figure.definition())).into(),
        })
    }

    /// A page of the rows that a figure is made of, the latest first.
    ///
    /// # Errors
    /// As [`Analytics::report`].
    pub async fn rows(
        &self,
        user: &User,
        fields: &FigureFields,
        page: PageRequest<FigureKey>,
    ) -> Result<FigureRows> {
        user.must_be_superadmin()?;
        let now = self.clock.now();
        let mut query = fields.query(now)?;
        query.window = so_far(query.window, now);
        self.store.begin_analytics().await?.rows(&query, page).await
    }
}

/// The part of a time that has been, this very moment included.
fn so_far(time: Period, now: DateTime<Utc>) -> Period {
    Period { start: time.start, end: time.end.min(now + Duration::microseconds(1)) }
}

/// What the database gave.
struct Found {
    /// Of the time before the window and of each interval.
    movements: Vec<MovementSums>,
    tokens: Vec<TokenSums>,
    overage: Vec<OverageSums>,
    plans: Vec<PlanSums>,
    signed_up: i64,
    funnel: Vec<FunnelSums>,
}

/// How things stand at a time. Amounts in minor units.
#[derive(Clone, Copy, Default)]
struct Standing {
    mrr: i64,
    paying: i64,
    subscriptions: SubscriptionCounts,
}

/// What happened in a time. Amounts in minor units.
#[derive(Clone, Copy, Default)]
struct Happened {
    new: i64,
    reactivation: i64,
    expansion: i64,
    /// Below zero, as is churn.
    contraction: i64,
    churn: i64,
    churned: i64,
    paying: i64,
    subscriptions: SubscriptionCounts,
    tokens: PerType<TokenFigures>,
    overage: i64,
}

impl AddAssign for Happened {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.reactivation += other.reactivation;
        self.expansion += other.expansion;
        self.contraction += other.contraction;
        self.churn += other.churn;
        self.churned += other.churned;
        self.paying += other.paying;
        self.subscriptions.active += other.subscriptions.active;
        self.subscriptions.trialing += other.subscriptions.trialing;
        self.subscriptions.past_due += other.subscriptions.past_due;
        for (kind, tokens) in other.tokens.iter() {
            let sum = &mut self.tokens[kind];
            add(&mut sum.used, tokens.used);
            add(&mut sum.sold, tokens.sold);
            add(&mut sum.used_unlimited, tokens.used_unlimited);
        }
        self.overage += other.overage;
    }
}

fn tokens(used: Option<f64>, sold: Option<f64>, unlimited: Option<f64>) -> TokenFigures {
    let count = |sum: Option<f64>| sum.map(|sum| (sum as i64).min(MAX_COUNT));
    TokenFigures { used: count(used), sold: count(sold), used_unlimited: count(unlimited) }
}

/// Nothing and nothing stays nothing; no count is larger than counts are.
fn add(sum: &mut Option<i64>, more: Option<i64>) {
    *sum = match (*sum, more) {
        (Some(sum), Some(more)) => Some((sum + more).min(MAX_COUNT)),
        (sum, more) => sum.or(more),
    };
}

impl Standing {
    fn after(self, happened: &Happened) -> Self {
        let Happened { new, reactivation, expansion, contraction, churn, subscriptions, .. } = happened;
        Self {
            mrr: self.mrr + new + reactivation + expansion + contraction + churn,
            paying: self.paying + happened.paying,
            subscriptions: SubscriptionCounts {
                active: self.subscriptions.active + subscriptions.active,
                trialing: self.subscriptions.trialing + subscriptions.trialing,
                past_due: self.subscriptions.past_due + subscriptions.past_due,
            },
        }
    }
}

impl Found {
    fn currencies(&self) -> BTreeSet<Currency> {
        let moved = self.movements.iter().map(|sums| sums.currency);
        moved
            .chain(self.tokens.iter().map(|sums| sums.currency))
            .chain(self.overage.iter().map(|sums| sums.currency))
            .collect()
    }

    /// What happened in the time before the window, and in each interval that something happened in, from 1.
    fn happened(&self, currency: Currency) -> BTreeMap<usize, Happened> {
        let mut all: BTreeMap<usize, Happened> = BTreeMap::new();
        let mut at = |bucket: i64, happened: Happened| {
            *all.entry(usize::try_from(bucket).unwrap_or_default()).or_default() += happened;
        };
        for sums in self.movements.iter().filter(|sums| sums.currency == currency) {
            let happened = Happened {
                new: sums.new,
                reactivation: sums.reactivation,
                expansion: sums.expansion,
                contraction: sums.contraction,
                churn: sums.churn,
                churned: sums.churned,
                paying: sums.paying,
                subscriptions: SubscriptionCounts {
                    active: sums.active,
                    trialing: sums.trialing,
                    past_due: sums.past_due,
                },
                ..Happened::default()
            };
            at(sums.bucket, happened);
        }
        for sums in self.tokens.iter().filter(|sums| sums.currency == currency) {
            let llm = tokens(sums.llm_used, sums.llm_sold, sums.llm_unlimited);
            let voice = tokens(sums.voice_used, sums.voice_sold, sums.voice_unlimited);
            at(sums.bucket + 1, Happened { tokens: PerType { llm, voice }, ..Happened::default() });
        }
        for sums in self.overage.iter().filter(|sums| sums.currency == currency) {
            at(sums.bucket + 1, Happened { overage: sums.amount, ..Happened::default() });
        }
        all
    }

    fn analytics(
        &self,
        currency: Currency,
        query: &AnalyticsQuery,
        as_of: DateTime<Utc>,
    ) -> CurrencyAnalytics {
        let figures_of = |time: Period, start: Standing, happened: &Happened| {
            let day = time.start.with_timezone(&query.tz).date_naive();
            TimeFigures { day, is_over: time.end <= as_of, ..time_figures(currency, time, start, happened) }
        };
        let happened = self.happened(currency);
        let of = |index: usize| happened.get(&index).copied().unwrap_or_default();
        let start = Standing::default().after(&of(0));
        let (mut now, mut all) = (start, Happened::default());
        let mut figures = Vec::with_capacity(query.intervals.len());
        for (index, interval) in query.intervals.iter().enumerate() {
            let happened = of(index + 1);
            figures.push(figures_of(*interval, now, &happened));
            now = now.after(&happened);
            all += happened;
        }
        let plans = self.plans.iter().filter(|sums| sums.currency == currency).map(|sums| PlanFigures {
            plan: PlanRef { id: sums.plan_id, name: sums.plan.clone() },
            subscriptions: SubscriptionCounts {
                active: sums.active,
                trialing: sums.trialing,
                past_due: sums.past_due,
            },
            mrr: Money::new(sums.mrr, currency),
        });
        let funnel = self.funnel.iter().find(|sums| sums.currency == currency);
        let funnel = funnel.map_or_else(Funnel::default, |sums| Funnel {
            signed_up: 0,
            checked_out: sums.checked_out,
            paid: sums.paid,
            trial_started: sums.trial_started,
            trial_converted: sums.trial_converted,
        });
        CurrencyAnalytics {
            currency,
            total: figures_of(query.window, start, &all),
            intervals: figures,
            funnel: Funnel { signed_up: self.signed_up, ..funnel },
            plans: plans.collect(),
        }
    }
}

fn time_figures(currency: Currency, time: Period, start: Standing, happened: &Happened) -> TimeFigures {
    let money = |minor| Money::new(minor, currency);
    let end = start.after(happened);
    TimeFigures {
        day: time.start.date_naive(),
        from: time.start,
        to: time.end,
        is_over: false,
        mrr: RollForward {
            start: money(start.mrr),
            new: money(happened.new),
            reactivation: money(happened.reactivation),
            expansion: money(happened.expansion),
            contraction: money(-happened.contraction),
            churn: money(-happened.churn),
            end: money(end.mrr),
        },
        subscriptions: end.subscriptions,
        paying_groups: end.paying,
        churn: ChurnFigures {
            groups: happened.churned,
            group_rate: share(happened.churned, start.paying),
            mrr_rate: share(-happened.churn, start.mrr),
        },
        average_revenue: (end.paying > 0).then(|| money(rounded(end.mrr, end.paying))),
        tokens: happened.tokens,
        overage: money(happened.overage),
    }
}

/// `sum / count`, half a unit rounded up.
fn rounded(sum: i64, count: i64) -> i64 {
    (2 * sum + count).div_euclid(2 * count)
}
