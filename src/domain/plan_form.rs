//! A plan as it is typed.

use serde::{Deserialize, Serialize};

use super::{FieldErrors, Plan, PlanInput};

/// A plan as a form in a browser holds it: every field a text, an empty one for "unlimited" or "none".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanForm {
    pub name: String,
    pub description: String,
    pub price: String,
    pub currency: String,
    pub interval: String,
    pub llm_tokens_limit: String,
    pub voice_tokens_limit: String,
    pub max_users: String,
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
        let llm = errors.take("llm_tokens_limit", typed_count(&self.llm_tokens_limit));
        let voice = errors.take("voice_tokens_limit", typed_count(&self.voice_tokens_limit));
        let users = errors.take("max_users", typed_count(&self.max_users));
        let input = PlanInput {
            name: self.name.clone(),
            description: self.description.clone(),
            price: self.price.clone(),
            currency: self.currency.clone(),
            interval: self.interval.clone(),
            llm_tokens_limit: llm.flatten(),
            voice_tokens_limit: voice.flatten(),
            max_users: users.flatten(),
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
                errors.add(error.field, error.message);
            }
        }
        if errors.is_empty() { Ok(input) } else { Err(errors) }
    }
}

impl From<&Plan> for PlanForm {
    fn from(plan: &Plan) -> Self {
        let count = |limit: Option<i64>| limit.map(|n| n.to_string()).unwrap_or_default();
        Self {
            name: plan.name.clone(),
            description: plan.description.clone(),
            price: plan.price.decimal(),
            currency: plan.price.currency.code().to_owned(),
            interval: plan.interval.as_str().to_owned(),
            llm_tokens_limit: count(plan.limits.llm),
            voice_tokens_limit: count(plan.limits.voice),
            max_users: count(plan.max_users),
            features: plan.features.join("\n"),
            stripe_price_id: plan.stripe_price_id.clone().unwrap_or_default(),
        }
    }
}

/// A whole number as people type it, thousands set apart or not; empty for unlimited.
fn typed_count(typed: &str) -> Result<Option<i64>, String> {
    let digits: String = typed.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '_')).collect();
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| "Enter a whole number, or leave it empty for unlimited.".to_owned())
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
    fn an_empty_limit_is_unlimited() {
        let terms = PlanForm { max_users: " ".into(), ..basic() }.check().unwrap().check().unwrap();
        assert_eq!(terms.max_users, None);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let form = PlanForm {
            name: " ".into(),
            price: "abc".into(),
            llm_tokens_limit: "-1".into(),
            max_users: "0".into(),
            interval: "week".into(),
            stripe_price_id: "price 1".into(),
            ..basic()
        };
        let errors = form.check().unwrap_err();
        for field in ["name", "price", "llm_tokens_limit", "max_users", "interval", "stripe_price_id"] {
            assert!(errors.message(field).is_some(), "{field}");
        }
        assert!(errors.message("currency").is_none());
    }
}
