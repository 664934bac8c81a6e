//! The card of a plan that is still being written.

use leptos::prelude::*;

use super::draft::{field, unlimited};
use crate::domain::{Currency, Money, PerType, Plan, PlanForm};
use crate::web::components::plan_card::PlanCard;

/// The card as subscribers will see it. What is wrong for the moment shows as it last was right.
#[component]
pub fn Preview(form: RwSignal<PlanForm>) -> impl IntoView {
    let shown = Memo::new(move |last: Option<&Plan>| form.with(|form| preview(form, last)));
    view! {
        <aside class="editor__preview" aria-label="Preview">
            <p class="editor__label">"As subscribers see it"</p>
            {move || view! { <PlanCard plan=shown.get()><span class="button" data-tone="plain">"Subscribe"</span></PlanCard> }}
        </aside>
    }
}

fn preview(form: &PlanForm, last: Option<&Plan>) -> Plan {
    let mut blank = PlanForm {
        name: "New plan".into(),
        price: "0".into(),
        currency: Currency::USD.code().into(),
        interval: "month".into(),
        llm_tokens_limit: "0".into(),
        voice_tokens_limit: "0".into(),
        max_users: "1".into(),
        ..PlanForm::default()
    };
    let mut last = last.map_or_else(|| blank.clone(), PlanForm::from);
    // A name is only ever wrong because it is gone.
    last.name.clone_from(&blank.name);
    let mut sound = form.clone();
    // Some fields are only looked at once others are sound: a price has no decimals without a currency.
    let input = loop {
        let errors = match sound.check() {
            Ok(input) => break input,
            Err(errors) => errors,
        };
        for error in errors.into_vec() {
            let names = || [Some(error.field.as_str()), unlimited(&error.field)].into_iter().flatten();
            // What was right may not be any more: 29.99 is no price in yen.
            let is_last = names().all(|name| field(&mut sound, name) == field(&mut last, name));
            let source = if is_last { &mut blank } else { &mut last };
            for name in names() {
                field(&mut sound, name).clone_from(field(source, name));
            }
        }
    };
    let currency = input.currency.parse().unwrap_or(Currency::USD);
    Plan {
        id: uuid::Uuid::nil().into(),
        name: input.name,
        description: input.description,
        price: Money::parse(&input.price, currency).unwrap_or(Money::new(0, currency)),
        interval: input.interval.parse().unwrap_or_default(),
        trial_days: input.trial_days,
        limits: PerType { llm: input.llm_tokens_limit, voice: input.voice_tokens_limit },
        max_users: input.max_users,
        overage: input.overage.and_then(|overage| overage.prices(currency).ok().flatten()),
        features: input.features,
        stripe_price_id: None,
        archived: false,
        subscribers: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_written_plan_has_a_card() {
        let form = PlanForm { price: "12.".into(), max_users: "x".into(), ..PlanForm::default() };
        let plan = preview(&form, None);
        assert_eq!((plan.name.as_str(), plan.max_users), ("New plan", Some(1)));
        assert_eq!(plan.price.minor, 0);
    }

    #[test]
    fn what_is_wrong_shows_as_it_last_was_right() {
        let mut form = PlanForm {
            name: "Basic".into(),
            price: "29.99".into(),
            currency: "usd".into(),
            interval: "month".into(),
            max_users: "10".into(),
            ..PlanForm::default()
        };
        let right = preview(&form, None);
        form.price = "29.999".into();
        form.max_users = "ten".into();
        let plan = preview(&form, Some(&right));
        assert_eq!((plan.price.minor, plan.max_users), (2_999, Some(10)));
        form.currency = "jpy".into();
        assert_eq!(preview(&form, Some(&right)).price.minor, 0);
    }
}
