//! The card of a plan that is still being written.

use leptos::prelude::*;

use super::draft::field;
use crate::domain::{Currency, Plan, PlanForm};
use crate::web::components::plan_card::PlanCard;

/// The card as subscribers will see it. What is still wrong shows as if it weren't there.
#[component]
pub fn Preview(form: RwSignal<PlanForm>) -> impl IntoView {
    let shown = Memo::new(move |_| form.with(preview));
    view! {
        <aside class="editor__preview" aria-label="Preview">
            <p class="editor__label">"As subscribers see it"</p>
            {move || view! { <PlanCard plan=shown.get()><span class="button" data-tone="plain">"Subscribe"</span></PlanCard> }}
        </aside>
    }
}

fn preview(form: &PlanForm) -> Plan {
    let currency = form.currency.parse().unwrap_or(Currency::USD);
    let mut sound = form.clone();
    // Some fields are only looked at once others are sound: a price has no decimals without a currency.
    let input = loop {
        let errors = match sound.check() {
            Ok(input) => break input,
            Err(errors) => errors,
        };
        for error in errors.into_vec() {
            let fallback = match error.field.as_str() {
                "name" => "New plan".into(),
                "price" => "0".into(),
                "currency" => currency.code().to_owned(),
                "interval" => "month".into(),
                _ => String::new(),
            };
            *field(&mut sound, &error.field) = fallback;
        }
    };
    Plan {
        id: uuid::Uuid::nil(),
        name: input.name,
        description: input.description,
        price: input.price,
        currency,
        interval: input.interval.parse().unwrap_or_default(),
        llm_tokens_limit: input.llm_tokens_limit,
        voice_tokens_limit: input.voice_tokens_limit,
        max_users: input.max_users,
        features: input.features,
        stripe_price_id: None,
        archived: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_written_plan_has_a_card() {
        let plan = preview(&PlanForm { price: "12.".into(), max_users: "x".into(), ..PlanForm::default() });
        assert_eq!((plan.name.as_str(), plan.max_users), ("New plan", None));
        assert_eq!(plan.money().minor, 0);
    }
}
