//! A plan: what a group pays and what it gets for it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Currency, FieldErrors, MAX_COUNT, Money, OverageInput, OveragePrices, PerType, PlanId, multiline_text,
    text,
};

/// How often a plan is charged. Its allowance is a month's in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Interval {
    #[default]
    Month,
    Year,
}

impl Interval {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "month" => Ok(Self::Month),
            "year" => Ok(Self::Year),
            _ => Err("Interval must be month or year.".into()),
        }
    }
}

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The longest trial that Stripe allows.
/// Source: <https://docs.stripe.com/api/subscriptions/create#create_subscription-trial_period_days>.
pub const MAX_TRIAL_DAYS: i64 = 730;

/// A plan, as every caller may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlanFields", into = "PlanFields")]
pub struct Plan {
    pub id: PlanId,
    pub name: String,
    pub description: String,
    /// Of one interval.
    pub price: Money,
    pub interval: Interval,
    /// Days that are free at the beginning, once for each group; 0 for none.
    pub trial_days: i64,
    /// Tokens a group may use in a month; `None` for unlimited.
    pub limits: PerType<Option<i64>>,
    /// Seats; `None` for unlimited.
    pub max_users: Option<i64>,
    /// What lies beyond the limits; `None` where the plan ends there.
    pub overage: Option<OveragePrices>,
    pub features: Vec<String>,
    pub stripe_price_id: Option<String>,
    pub archived: bool,
    /// How many groups have a live subscription to it; `None` for all but the SuperAdmin.
    pub subscribers: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A plan as JSON has it: flat, its price a decimal string.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = Plan))]
pub struct PlanFields {
    pub id: PlanId,
    pub name: String,
    pub description: String,
    /// Price of one interval: a decimal string in the currency's own number of decimals.
    pub price: String,
    /// Lower-case ISO 4217 code.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub currency: Currency,
    pub interval: Interval,
    /// Days that are free at the beginning, once for each group; 0 for none.
    #[serde(default)]
    pub trial_days: i64,
    /// LLM tokens a group may use in a month, whatever the interval; null for unlimited.
    pub llm_tokens_limit: Option<i64>,
    /// Voice tokens a group may use in a month, whatever the interval; null for unlimited.
    pub voice_tokens_limit: Option<i64>,
    /// Seats; null for unlimited.
    pub max_users: Option<i64>,
    /// What lies beyond the limits, for groups that agree to it.
    #[serde(default)]
    pub overage: OverageInput,
    pub features: Vec<String>,
    pub stripe_price_id: Option<String>,
    pub archived: bool,
    /// How many groups have a live subscription to it; only the SuperAdmin reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(nullable = false))]
    pub subscribers: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<Plan> for PlanFields {
    fn from(plan: Plan) -> Self {
        Self {
            id: plan.id,
            name: plan.name,
            description: plan.description,
            price: plan.price.decimal(),
            currency: plan.price.currency,
            interval: plan.interval,
            trial_days: plan.trial_days,
            llm_tokens_limit: plan.limits.llm,
            voice_tokens_limit: plan.limits.voice,
            max_users: plan.max_users,
            overage: plan.overage.as_ref().map(OverageInput::from).unwrap_or_default(),
            features: plan.features,
            stripe_price_id: plan.stripe_price_id,
            archived: plan.archived,
            subscribers: plan.subscribers,
            created_at: plan.created_at,
            updated_at: plan.updated_at,
        }
    }
}

impl TryFrom<PlanFields> for Plan {
    type Error = String;

    /// # Errors
    /// As [`Money::parse`].
    fn try_from(fields: PlanFields) -> Result<Self, String> {
        Ok(Self {
            id: fields.id,
            name: fields.name,
            description: fields.description,
            price: Money::parse(&fields.price, fields.currency)?,
            interval: fields.interval,
            trial_days: fields.trial_days,
            limits: PerType { llm: fields.llm_tokens_limit, voice: fields.voice_tokens_limit },
            max_users: fields.max_users,
            overage: fields.overage.prices(fields.currency)?,
            features: fields.features,
            stripe_price_id: fields.stripe_price_id,
            archived: fields.archived,
            subscribers: fields.subscribers,
            created_at: fields.created_at,
            updated_at: fields.updated_at,
        })
    }
}

/// A plan as a caller asks for it, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanInput {
    /// 1 to 100 characters.
    pub name: String,
    /// Up to 500 characters.
    #[serde(default)]
    pub description: String,
    /// Decimal string such as `29.99`, in the currency's own number of decimals.
    pub price: String,
    /// ISO 4217 code; `usd` when left out.
    #[serde(default = "default_currency")]
    pub currency: String,
    /// `month` or `year`; `month` when left out.
    #[serde(default = "default_interval")]
    pub interval: String,
    /// Days that are free at the beginning, once for each group: 0 to 730; 0 when left out.
    #[serde(default)]
    pub trial_days: i64,
    /// 0 to 2^53-1; null or left out for unlimited.
    #[serde(default)]
    pub llm_tokens_limit: Option<i64>,
    /// 0 to 2^53-1; null or left out for unlimited.
    #[serde(default)]
    pub voice_tokens_limit: Option<i64>,
    /// 1 to 2^53-1; null or left out for unlimited.
    #[serde(default)]
    pub max_users: Option<i64>,
    /// What lies beyond the limits, for groups that agree to it; null or left out for nothing.
    #[serde(default)]
    pub overage: Option<OverageInput>,
    /// Up to 20 lines of 1 to 120 characters.
    #[serde(default)]
    pub features: Vec<String>,
    /// An existing Stripe price to charge by; left out, one is made at Stripe.
    #[serde(default)]
    pub stripe_price_id: Option<String>,
}

fn default_currency() -> String {
    Currency::USD.code().to_owned()
}

fn default_interval() -> String {
    Interval::Month.as_str().to_owned()
}

/// A plan's terms, every one of them valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanTerms {
    pub name: String,
    pub description: String,
    pub price: Money,
    pub interval: Interval,
    pub trial_days: i64,
    pub limits: PerType<Option<i64>>,
    pub max_users: Option<i64>,
    pub overage: Option<OveragePrices>,
    pub features: Vec<String>,
    pub stripe_price_id: Option<String>,
}

impl PlanInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All that is wrong, by field.
    pub fn check(&self) -> Result<PlanTerms, FieldErrors> {
        let mut errors = FieldErrors::new();
        let name = errors.take("name", text(&self.name, "Name", 1, 100));
        let description =
            errors.take("description", multiline_text(&self.description, "Description", 0, 500));
        let currency = errors.take("currency", self.currency.parse::<Currency>());
        let price = currency.and_then(|currency| errors.take("price", Money::parse(&self.price, currency)));
        let interval = errors.take("interval", self.interval.parse::<Interval>());
        let trial = errors.take("trial_days", trial_days(self.trial_days));
        let llm = errors.take("llm_tokens_limit", count(self.llm_tokens_limit, "LLM tokens", 0));
        let voice = errors.take("voice_tokens_limit", count(self.voice_tokens_limit, "Voice tokens", 0));
        let users = errors.take("max_users", count(self.max_users, "Users", 1));
        let limits = PerType { llm: llm.flatten(), voice: voice.flatten() };
        let overage = self.overage.as_ref().zip(currency);
        let overage = overage.and_then(|(overage, currency)| overage.check(currency, limits, &mut errors));
        let features = errors.take("features", features(&self.features));
        let stripe = errors.take("stripe_price_id", stripe_price_id(self.stripe_price_id.as_deref()));
        match (name, description, price, interval, trial, llm, voice, users, features, stripe) {
            (
                Some(name),
                Some(description),
                Some(price),
                Some(interval),
                Some(trial_days),
                Some(llm),
                Some(voice),
                Some(users),
                Some(features),
                Some(stripe),
            ) if errors.is_empty() => Ok(PlanTerms {
                name,
                description,
                price,
                interval,
                trial_days,
                limits: PerType { llm, voice },
                max_users: users,
                overage,
                features,
                stripe_price_id: stripe,
            }),
            _ => Err(errors),
        }
    }
}

fn count(value: Option<i64>, what: &str, min: i64) -> Result<Option<i64>, String> {
    match value {
        Some(n) if n < min => Err(format!("{what} must be at least {min}.")),
        Some(n) if n > MAX_COUNT => Err(format!("{what} must be at most {MAX_COUNT}.")),
        value => Ok(value),
    }
}

fn trial_days(days: i64) -> Result<i64, String> {
    match days {
        0..=MAX_TRIAL_DAYS => Ok(days),
        _ => Err(format!("Trial days must be 0 to {MAX_TRIAL_DAYS}.")),
    }
}

fn features(lines: &[String]) -> Result<Vec<String>, String> {
    if lines.len() > 20 {
        return Err("At most 20 features.".into());
    }
    lines.iter().map(|line| text(line, "A feature", 1, 120)).collect()
}

fn stripe_price_id(id: Option<&str>) -> Result<Option<String>, String> {
    match id.map(str::trim) {
        None | Some("") => Ok(None),
        Some(id)
            if id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') =>
        {
            Ok(Some(id.to_owned()))
        }
        Some(_) => Err("A Stripe price id looks like price_1Abc….".into()),
    }
}
