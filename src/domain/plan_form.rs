//! A plan as it is typed.

use serde::{Deserialize, Serialize};

use super::{FieldErrors, OverageInput, PackageInput, Plan, PlanInput};

/// What a ticked box sends.
pub const TICKED: &str = "on";

/// A plan as a form in a browser holds it: every field a text, and for each limit a box to tick for none. A box that
/// isn't ticked isn't sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanForm {
    pub name: String,
    pub description: String,
    pub price: String,
    pub currency: String,
    pub interval: String,
    /// Empty for none.
    #[serde(default)]
    pub trial_days: String,
    pub llm_tokens_limit: String,
    /// [`TICKED`] or empty, as the other two.
    #[serde(default)]
    pub llm_tokens_unlimited: String,
    pub voice_tokens_limit: String,
    #[serde(default)]
    pub voice_tokens_unlimited: String,
    pub max_users: String,
    #[serde(default)]
    pub max_users_unlimited: String,
    /// Tokens and price of one package of what lies beyond the limit; both empty for none.
    #[serde(default)]
    pub llm_overage_per: String,
    #[serde(default)]
    pub llm_overage_price: String,
    #[serde(default)]
    pub voice_overage_per: String,
    #[serde(default)]
    pub voice_overage_price: String,
    /// One feature a line.
    pub features: String,
    pub stripe_price_id: String,
}

impl PlanForm {
    /// Checks what was typed, by the rules of [`PlanInput::check`].
    ///
    /// # Errors
    /// All that is wrong, by field.
    pub fn check(&self) -> Result<PlanInput, FieldErrors> {
        let mut errors = FieldErrors::new();
        let llm = typed_limit(&self.llm_tokens_limit, &self.llm_tokens_unlimited);
        let llm = errors.take("llm_tokens_limit", llm);
        let voice = typed_limit(&self.voice_tokens_limit, &self.voice_tokens_unlimited);
        let voice = errors.take("voice_tokens_limit", voice);
        let users = errors.take("max_users", typed_limit(&self.max_users, &self.max_users_unlimited));
        let trial = errors.take("trial_days", typed_days(&self.trial_days));
        let overage = OverageInput {
            llm: typed_package(&self.llm_overage_per, &self.llm_overage_price),
            voice: typed_package(&self.voice_overage_per, &self.voice_overage_price),
        };
        let input = PlanInput {
            name: self.name.clone(),
            description: self.description.clone(),
            price: self.price.clone(),
            currency: self.currency.clone(),
            interval: self.interval.clone(),
            trial_days: trial.unwrap_or_default(),
            llm_tokens_limit: llm.flatten(),
            voice_tokens_limit: voice.flatten(),
            max_users: users.flatten(),
            overage: Some(overage),
            features: self
                .features
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            stripe_price_id: Some(self.stripe_price_id.trim().to_owned()).filter(|id| !id.is_empty()),
        };
        if let Err(found) = input.check() {
            for error in found.into_vec() {
                errors.add(form_field(error.field), error.message);
            }
        }
        if errors.is_empty() { Ok(input) } else { Err(errors) }
    }
}

impl From<&Plan> for PlanForm {
    fn from(plan: &Plan) -> Self {
        let typed = |limit: Option<i64>| match limit {
            Some(limit) => (limit.to_string(), String::new()),
            None => (String::new(), TICKED.to_owned()),
        };
        let (llm_tokens_limit, llm_tokens_unlimited) = typed(plan.limits.llm);
        let (voice_tokens_limit, voice_tokens_unlimited) = typed(plan.limits.voice);
        let (max_users, max_users_unlimited) = typed(plan.max_users);
        let overage = plan.overage.as_ref().map(OverageInput::from).unwrap_or_default();
        let package = |package: Option<PackageInput>| match package {
            Some(PackageInput { per, price }) => (per.to_string(), price),
            None => Default::default(),
        };
        let (llm_overage_per, llm_overage_price) = package(overage.llm);
        let (voice_overage_per, voice_overage_price) = package(overage.voice);
        Self {
            name: plan.name.clone(),
            description: plan.description.clone(),
            price: plan.price.decimal(),
            currency: plan.price.currency.code().to_owned(),
            interval: plan.interval.as_str().to_owned(),
            trial_days: plan.trial_days.to_string(),
            llm_tokens_limit,
            llm_tokens_unlimited,
            voice_tokens_limit,
            voice_tokens_unlimited,
            max_users,
            max_users_unlimited,
            llm_overage_per,
            llm_overage_price,
            voice_overage_per,
            voice_overage_price,
            features: plan.features.join("\n"),
            stripe_price_id: plan.stripe_price_id.clone().unwrap_or_default(),
        }
    }
}

/// A limit as people type it: a whole number, thousands set apart or not, or the box for none ticked.
fn typed_limit(typed: &str, unlimited: &str) -> Result<Option<i64>, String> {
    let digits = digits(typed);
    match (digits.is_empty(), unlimited == TICKED) {
        (true, true) => Ok(None),
        (true, false) => Err("Enter a whole number, or choose unlimited.".into()),
        (false, true) => Err("Enter a number or choose unlimited, not both.".into()),
        (false, false) => digits.parse().map(Some).map_err(|_| "Enter a whole number.".to_owned()),
    }
}

/// A package as people type it; nothing where none is sold. What is no number is as wrong as 0.
fn typed_package(per: &str, price: &str) -> Option<PackageInput> {
    let (per, price) = (digits(per), price.trim().to_owned());
    let is_sold = !per.is_empty() || !price.is_empty();
    is_sold.then(|| PackageInput { per: per.parse().unwrap_or_default(), price })
}

/// The form's name for a field of [`PlanInput`].
fn form_field(field: String) -> String {
    match field.strip_prefix("overage.").and_then(|rest| rest.split_once('.')) {
        Some((kind, part)) => format!("{kind}_overage_{part}"),
        None => field,
    }
}

/// A number without what sets its thousands apart.
fn digits(typed: &str) -> String {
    typed.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '_')).collect()
}

/// A number of days as people type it; nothing for none.
fn typed_days(typed: &str) -> Result<i64, String> {
    match typed.trim() {
        "" => Ok(0),
        digits => digits.parse().map_err(|_| "Enter a whole number of days.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, Money};

    fn basic() -> PlanForm {
        PlanForm {
            name: "Basic Plan".into(),
            price: "29.99".into(),
            currency: "usd".into(),
            interval: "month".into(),
            llm_tokens_limit: "100,000".into(),
            voice_tokens_limit: "50000".into(),
            max_users: "10".into(),
            features: "E-mail support\n\nShared allowance".into(),
            ..PlanForm::default()
        }
    }

    #[test]
    fn a_form_becomes_terms() {
        let terms = basic().check().unwrap().check().unwrap();
        assert_eq!(terms.price, Money::new(2999, Currency::USD));
        assert_eq!(terms.limits.llm, Some(100_000));
        assert_eq!(terms.features, ["E-mail support", "Shared allowance"]);
        assert_eq!(terms.stripe_price_id, None);
    }

    #[test]
    fn trial_days_are_left_empty_for_none() {
        let days = |typed: &str| PlanForm { trial_days: typed.into(), ..basic() }.check();
        assert_eq!([days("").unwrap().trial_days, days(" 14 ").unwrap().trial_days], [0, 14]);
        for typed in ["two weeks", "-1", "731"] {
            assert!(days(typed).unwrap_err().message("trial_days").is_some(), "{typed}");
        }
    }

    #[test]
    fn unlimited_is_chosen_and_not_left_empty() {
        let form = |typed: &str, unlimited: &str| PlanForm {
            max_users: typed.into(),
            max_users_unlimited: unlimited.into(),
            ..basic()
        };
        assert_eq!(form(" ", TICKED).check().unwrap().max_users, None);
        assert_eq!(form("12", "").check().unwrap().max_users, Some(12));
        for (typed, unlimited) in [("", ""), ("12", TICKED), ("many", "")] {
            assert!(form(typed, unlimited).check().unwrap_err().message("max_users").is_some());
        }
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let form = PlanForm {
            name: " ".into(),
            price: "abc".into(),
            llm_tokens_limit: "-1".into(),
            max_users: "0".into(),
            interval: "week".into(),
            trial_days: "731".into(),
            stripe_price_id: "price 1".into(),
            ..basic()
        };
        let errors = form.check().unwrap_err();
        for field in
            ["name", "price", "llm_tokens_limit", "max_users", "interval", "trial_days", "stripe_price_id"]
        {
            assert!(errors.message(field).is_some(), "{field}");
        }
        assert!(errors.message("currency").is_none());
    }
}
