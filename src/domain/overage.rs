//! Overage: what is spent beyond a plan's limits, sold in packages of tokens under a ceiling in money.
//!
//! Of what lies beyond a limit only that is charged which was spent while the group's admin had said so and the ceiling
//! allowed it. The rest is waived: it moves the point up from which tokens cost money.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Currency, MAX_COUNT, Money, PerType, Period, UsageType};

/// Tokens sold together: each package begun costs its whole price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Package {
    /// Tokens in one package, at least 1.
    pub per: i64,
    /// Minor units, at least 1.
    pub price: i64,
}

impl Package {
    /// Packages begun by so many tokens.
    pub fn count(self, tokens: i64) -> i64 {
        if tokens <= 0 { 0 } else { (tokens - 1) / self.per + 1 }
    }

    /// What so many tokens cost, in minor units.
    pub fn amount(self, tokens: i64) -> i64 {
        self.count(tokens).saturating_mul(self.price)
    }

    /// The most tokens that cost no more than `money`, in minor units.
    pub fn affordable(self, money: i64) -> i64 {
        (money.max(0) / self.price).saturating_mul(self.per)
    }
}

/// What a plan charges for what lies beyond its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OveragePrices {
    pub currency: Currency,
    /// `None` for a resource that ends at its limit.
    #[serde(flatten)]
    pub packages: PerType<Option<Package>>,
}

impl OveragePrices {
    /// What so many tokens of a resource cost, in minor units.
    pub fn amount(&self, kind: UsageType, tokens: i64) -> i64 {
        self.packages[kind].map_or(0, |package| package.amount(tokens))
    }

    /// What so many tokens cost in all, in minor units.
    pub fn total(&self, tokens: PerType<i64>) -> i64 {
        self.amount(UsageType::Llm, tokens.llm).saturating_add(self.amount(UsageType::Voice, tokens.voice))
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }
}

/// A period's overage: what it is charged by, and how far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeriodOverage {
    /// Tokens beyond the limit that are charged.
    pub tokens: PerType<i64>,
    /// The prices at the period's start; `None` where the plan sold none.
    pub prices: Option<OveragePrices>,
    /// The most it may cost, both resources together, in minor units. `None` where it isn't enabled.
    pub cap: Option<i64>,
    /// Whether its charges are written, after which nothing more is charged.
    pub closed: bool,
}

/// What of a period's allowance is used and held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub used: PerType<i64>,
    pub held: PerType<i64>,
    pub limit: PerType<Option<i64>>,
}

impl Spent {
    /// Recorded tokens beyond the limit.
    fn beyond(&self, kind: UsageType) -> i64 {
        self.limit[kind].map_or(0, |limit| self.used[kind].saturating_sub(limit).max(0))
    }
}

impl PeriodOverage {
    /// Prices and ceiling, where more may be charged.
    fn terms(&self) -> Option<(OveragePrices, i64)> {
        self.prices.zip(self.cap).filter(|_| !self.closed)
    }

    /// From how many tokens on a resource costs money: its limit, and what beyond it was waived.
    fn free(&self, kind: UsageType, spent: &Spent) -> Option<i64> {
        let waived = spent.beyond(kind).saturating_sub(self.tokens[kind]).max(0);
        Some(spent.limit[kind]?.saturating_add(waived))
    }

    /// Tokens, used and held, that cost money or would.
    fn committed(&self, kind: UsageType, spent: &Spent) -> i64 {
        let all = spent.used[kind].saturating_add(spent.held[kind]);
        self.free(kind, spent).map_or(0, |free| all.saturating_sub(free).max(0))
    }

    /// The most tokens of a resource that may be used and held together: its limit, and beyond it what the ceiling allows
    /// beside all that is used and held of the other resource. `None` for unlimited.
    pub fn limit(&self, kind: UsageType, spent: &Spent) -> Option<i64> {
        let limit = spent.limit[kind]?;
        let Some((prices, cap)) = self.terms() else { return Some(limit) };
        let Some(package) = prices.packages[kind] else { return Some(limit) };
        let other = kind.other();
        let left = cap.saturating_sub(prices.amount(other, self.committed(other, spent)));
        let room = package.affordable(left);
        // A sum beyond this couldn't be said exactly.
        Some(self.free(kind, spent).unwrap_or(limit).saturating_add(room).max(limit).min(MAX_COUNT))
    }

    /// How many of so many tokens more are charged, where `spent` is what is recorded before them.
    pub fn charged(&self, kind: UsageType, spent: &Spent, tokens: i64) -> i64 {
        let Some((prices, cap)) = self.terms() else { return 0 };
        let (Some(limit), Some(package)) = (spent.limit[kind], prices.packages[kind]) else { return 0 };
        let after = spent.used[kind].saturating_add(tokens).saturating_sub(limit).max(0);
        let other = kind.other();
        let left = cap.saturating_sub(prices.amount(other, self.tokens[other]));
        let room = package.affordable(left).saturating_sub(self.tokens[kind]).max(0);
        (after - spent.beyond(kind)).clamp(0, room)
    }

    /// Whether not one package more of any resource it is sold for fits under the ceiling.
    pub fn is_exhausted(&self) -> bool {
        self.prices.zip(self.cap).is_some_and(|(prices, cap)| {
            let left = cap.saturating_sub(prices.total(self.tokens));
            prices.packages.iter().all(|(kind, package)| {
                package.is_none_or(|package| {
                    let begun = self.tokens[kind] % package.per != 0;
                    !begun && package.price > left
                })
            })
        })
    }
}

/// A group's overage in a period, as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OverageUsage {
    /// Whether the group's admin has said that what lies beyond the limits may be spent, and is paid.
    pub enabled: bool,
    /// The most it may cost in this period: a decimal string; null where it isn't enabled.
    pub cap: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub currency: Currency,
    /// What is charged for the period so far: a decimal string.
    pub spent: String,
    /// What it comes to by the period's end at the pace so far, under the cap: a decimal string.
    pub projected: String,
    pub llm: OverageSpent,
    pub voice: OverageSpent,
}

/// What an admin agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverageConsent {
    /// Who, by name.
    pub by: String,
    pub at: DateTime<Utc>,
    /// The most for each period; `None` where overage was disabled.
    pub cap: Option<Money>,
    /// The prices of the period that ran then.
    pub prices: Option<OveragePrices>,
    /// Those of the periods to come.
    pub next_prices: Option<OveragePrices>,
}

/// One resource's part of an overage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OverageSpent {
    /// Tokens beyond the limit that are charged.
    pub tokens: i64,
    /// Packages begun by them.
    pub packages: i64,
    /// Their price: a decimal string.
    pub amount: String,
}

impl OverageUsage {
    /// None where the plan sells none.
    pub fn of(overage: &PeriodOverage, spent: &Spent, period: Period, now: DateTime<Utc>) -> Option<Self> {
        let prices = overage.prices?;
        let money = |minor| prices.money(minor).decimal();
        let part = |kind: UsageType| {
            let tokens = overage.tokens[kind];
            OverageSpent {
                tokens,
                packages: prices.packages[kind].map_or(0, |package| package.count(tokens)),
                amount: money(prices.amount(kind, tokens)),
            }
        };
        Some(Self {
            enabled: overage.cap.is_some(),
            cap: overage.cap.map(money),
            currency: prices.currency,
            spent: money(prices.total(overage.tokens)),
            projected: money(projected(overage, &prices, spent, period, now)),
            llm: part(UsageType::Llm),
            voice: part(UsageType::Voice),
        })
    }
}

/// What the overage comes to by the period's end if it goes on as it has so far. Less than a day says nothing of a month.
fn projected(
    overage: &PeriodOverage,
    prices: &OveragePrices,
    spent: &Spent,
    period: Period,
    now: DateTime<Utc>,
) -> i64 {
    let so_far = prices.total(overage.tokens);
    let Some((_, cap)) = overage.terms() else { return so_far };
    let (elapsed, whole) = ((now - period.start).num_seconds(), (period.end - period.start).num_seconds());
    if elapsed < 86_400 || elapsed >= whole {
        return so_far;
    }
    let tokens = PerType::of(|kind| {
        let by_then = i128::from(spent.used[kind]) * i128::from(whole) / i128::from(elapsed);
        let by_then = i64::try_from(by_then).unwrap_or(i64::MAX);
        overage.free(kind, spent).map_or(0, |free| by_then.saturating_sub(free).max(0))
    });
    prices.total(tokens).max(so_far).min(cap.max(so_far))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> OveragePrices {
        let packages = PerType {
            llm: Some(Package { per: 1_000, price: 2 }),
            voice: Some(Package { per: 100, price: 5 }),
        };
        OveragePrices { currency: Currency::USD, packages }
    }

    fn overage(cap: i64) -> PeriodOverage {
        PeriodOverage { prices: Some(prices()), cap: Some(cap), ..PeriodOverage::default() }
    }

    fn spent(llm: i64, voice: i64) -> Spent {
        Spent {
            used: PerType { llm, voice },
            held: PerType::default(),
            limit: PerType { llm: Some(10_000), voice: Some(1_000) },
        }
    }

    #[test]
    fn whole_packages_begun_are_charged() {
        let package = Package { per: 1_000, price: 2 };
        let amounts: Vec<_> = [0, 1, 999, 1_000, 1_001].map(|tokens| package.amount(tokens)).into();
        assert_eq!(amounts, [0, 2, 2, 2, 4]);
        let tokens: Vec<_> = [-1, 0, 1, 2, 5].map(|money| package.affordable(money)).into();
        assert_eq!(tokens, [0, 0, 0, 1_000, 2_000]);
    }

    #[test]
    fn the_ceiling_is_for_both_resources_together() {
        let overage = overage(10);
        assert_eq!(overage.limit(UsageType::Llm, &spent(0, 0)), Some(15_000));
        assert_eq!(overage.limit(UsageType::Voice, &spent(0, 0)), Some(1_200));
        // One package of voice tokens leaves 5 cents: two packages of LLM tokens.
        let beside = PeriodOverage { tokens: PerType { llm: 0, voice: 1 }, ..overage };
        assert_eq!(beside.limit(UsageType::Llm, &spent(0, 1_001)), Some(12_000));
        let held = Spent { held: PerType { llm: 0, voice: 1_050 }, ..spent(0, 0) };
        assert_eq!(overage.limit(UsageType::Llm, &held), Some(12_000));
    }

    #[test]
    fn what_is_recorded_beyond_the_ceiling_is_not_charged() {
        let overage = overage(4);
        assert_eq!(overage.charged(UsageType::Llm, &spent(9_000, 0), 500), 0);
        assert_eq!(overage.charged(UsageType::Llm, &spent(9_000, 0), 2_500), 1_500);
        assert_eq!(overage.charged(UsageType::Llm, &spent(9_000, 0), 9_000), 2_000);
        assert_eq!(overage.charged(UsageType::Voice, &spent(0, 1_000), 50), 0, "5 cents don't fit into 4");
    }

    #[test]
    fn what_was_spent_before_it_was_enabled_is_waived() {
        // 3,000 tokens beyond the limit, of which none is charged.
        let overage = overage(4);
        assert_eq!(overage.limit(UsageType::Llm, &spent(13_000, 0)), Some(15_000));
        assert_eq!(overage.charged(UsageType::Llm, &spent(13_000, 0), 1), 1);
    }

    #[test]
    fn disabled_or_closed_the_limit_is_the_plans() {
        for off in [
            PeriodOverage { cap: None, ..overage(4) },
            PeriodOverage { prices: None, ..overage(4) },
            PeriodOverage { closed: true, ..overage(4) },
        ] {
            assert_eq!(off.limit(UsageType::Llm, &spent(0, 0)), Some(10_000));
            assert_eq!(off.charged(UsageType::Llm, &spent(10_000, 0), 5), 0);
        }
    }

    #[test]
    fn it_is_exhausted_once_no_package_fits() {
        let at = |llm, cap| PeriodOverage { tokens: PerType { llm, voice: 0 }, ..overage(cap) };
        assert!(!at(0, 4).is_exhausted());
        assert!(!at(1_001, 5).is_exhausted(), "the package that is begun isn't used up");
        assert!(at(2_000, 5).is_exhausted());
        assert!(!at(2_000, 6).is_exhausted());
    }
}
