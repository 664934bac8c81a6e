//! What is known of a plan while it is being written.

use leptos::prelude::*;

use crate::domain::{Currency, FieldErrors, Plan, PlanForm};
use crate::web::AppError;

/// The fields of a [`PlanForm`], by name.
pub const FIELDS: &[&str] = &[
    "name",
    "description",
    "price",
    "currency",
    "interval",
    "trial_days",
    "llm_tokens_limit",
    "llm_tokens_unlimited",
    "voice_tokens_limit",
    "voice_tokens_unlimited",
    "max_users",
    "max_users_unlimited",
    "llm_overage_per",
    "llm_overage_price",
    "voice_overage_per",
    "voice_overage_price",
    "features",
    "stripe_price_id",
];

pub fn field<'a>(form: &'a mut PlanForm, name: &str) -> &'a mut String {
    match name {
        "name" => &mut form.name,
        "description" => &mut form.description,
        "price" => &mut form.price,
        "currency" => &mut form.currency,
        "interval" => &mut form.interval,
        "trial_days" => &mut form.trial_days,
        "llm_tokens_limit" => &mut form.llm_tokens_limit,
        "llm_tokens_unlimited" => &mut form.llm_tokens_unlimited,
        "voice_tokens_limit" => &mut form.voice_tokens_limit,
        "voice_tokens_unlimited" => &mut form.voice_tokens_unlimited,
        "max_users" => &mut form.max_users,
        "max_users_unlimited" => &mut form.max_users_unlimited,
        "llm_overage_per" => &mut form.llm_overage_per,
        "llm_overage_price" => &mut form.llm_overage_price,
        "voice_overage_per" => &mut form.voice_overage_per,
        "voice_overage_price" => &mut form.voice_overage_price,
        "features" => &mut form.features,
        _ => &mut form.stripe_price_id,
    }
}

/// The box beside a limit: ticked, there is none.
pub fn unlimited(limit: &str) -> Option<&'static str> {
    match limit {
        "llm_tokens_limit" => Some("llm_tokens_unlimited"),
        "voice_tokens_limit" => Some("voice_tokens_unlimited"),
        "max_users" => Some("max_users_unlimited"),
        _ => None,
    }
}

/// The form as it stands, and what is wrong with it.
#[derive(Clone, Copy)]
pub struct Draft {
    pub form: RwSignal<PlanForm>,
    /// Fields typed into: their errors are the live ones, the others' those of the last attempt.
    edited: RwSignal<Vec<&'static str>>,
    live: Memo<FieldErrors>,
    refused: StoredValue<Option<AppError>>,
}

impl Draft {
    pub fn new(start: PlanForm, refused: Option<AppError>) -> Self {
        let form = RwSignal::new(start);
        let live = Memo::new(move |_| form.with(|form| form.check().err().unwrap_or_default()));
        Self { form, edited: RwSignal::new(Vec::new()), live, refused: StoredValue::new(refused) }
    }

    pub fn value(&self, name: &'static str) -> String {
        self.form.with_untracked(|form| field(&mut form.clone(), name).clone())
    }

    pub fn edit(&self, name: &'static str, value: String) {
        if self.value(name) == value {
            return;
        }
        self.form.update(|form| *field(form, name) = value);
        self.touch(name);
    }

    /// Has this field's errors shown live from here on.
    pub fn touch(&self, name: &'static str) {
        self.edited.update(|edited| {
            if !edited.contains(&name) {
                edited.push(name);
            }
        });
    }

    pub fn error(&self, name: &'static str) -> Option<String> {
        if self.edited.with(|edited| edited.contains(&name)) {
            self.live.with(|errors| errors.message(name).map(str::to_owned))
        } else {
            self.refused.with_value(|error| error.as_ref()?.field(name))
        }
    }
}

/// A plan's form as it stands before anything is typed: what was typed before, the plan's own terms, or a new one's.
pub fn start(plan: Option<&Plan>, refused: Option<&AppError>) -> PlanForm {
    let new = || PlanForm {
        currency: Currency::USD.code().to_owned(),
        interval: "month".into(),
        ..PlanForm::default()
    };
    let mut form = plan.map_or_else(new, PlanForm::from);
    for name in FIELDS {
        if let Some(typed) = refused.and_then(|error| error.typed(name)) {
            *field(&mut form, name) = typed.to_owned();
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_form() {
        let mut form = PlanForm::default();
        for name in FIELDS {
            *field(&mut form, name) = (*name).to_owned();
        }
        let json = serde_json::to_value(&form).unwrap();
        let fields = json.as_object().unwrap();
        assert_eq!(fields.len(), FIELDS.len());
        for (name, value) in fields {
            assert_eq!(value, name);
        }
    }
}
