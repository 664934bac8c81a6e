//! A plan being written: its fields, checked as they are typed by the server's own rules, and beside them the
//! card that subscribers will see.

use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use uuid::Uuid;

use crate::domain::{Currency, FieldErrors, Plan, PlanForm};
use crate::web::AppError;
use crate::web::components::field::{Below, describes};
use crate::web::components::form::{Form, Refused};
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::server_fns::plans::{CreatePlan, UpdatePlan};

/// The fields of a [`PlanForm`], by name.
const FIELDS: &[&str] = &[
    "name",
    "description",
    "price",
    "currency",
    "interval",
    "llm_tokens_limit",
    "voice_tokens_limit",
    "max_users",
    "features",
    "stripe_price_id",
];

fn field<'a>(form: &'a mut PlanForm, name: &str) -> &'a mut String {
    match name {
        "name" => &mut form.name,
        "description" => &mut form.description,
        "price" => &mut form.price,
        "currency" => &mut form.currency,
        "interval" => &mut form.interval,
        "llm_tokens_limit" => &mut form.llm_tokens_limit,
        "voice_tokens_limit" => &mut form.voice_tokens_limit,
        "max_users" => &mut form.max_users,
        "features" => &mut form.features,
        _ => &mut form.stripe_price_id,
    }
}

/// What is known of the form while it is being filled in.
#[derive(Clone, Copy)]
struct Draft {
    form: RwSignal<PlanForm>,
    /// Fields typed into: their errors are the live ones, the others' those of the last attempt.
    edited: RwSignal<Vec<&'static str>>,
    live: Memo<FieldErrors>,
    refused: StoredValue<Option<AppError>>,
}

impl Draft {
    fn new(start: PlanForm, refused: Option<AppError>) -> Self {
        let form = RwSignal::new(start);
        let live = Memo::new(move |_| form.with(|form| form.check().err().unwrap_or_default()));
        Self { form, edited: RwSignal::new(Vec::new()), live, refused: StoredValue::new(refused) }
    }

    fn value(&self, name: &'static str) -> String {
        self.form.with_untracked(|form| field(&mut form.clone(), name).clone())
    }

    fn edit(&self, name: &'static str, value: String) {
        if self.value(name) == value {
            return;
        }
        self.form.update(|form| *field(form, name) = value);
        self.edited.update(|edited| {
            if !edited.contains(&name) {
                edited.push(name);
            }
        });
    }

    fn error(&self, name: &'static str) -> Option<String> {
        if self.edited.with(|edited| edited.contains(&name)) {
            self.live.with(|errors| errors.message(name).map(str::to_owned))
        } else {
            self.refused.with_value(|error| error.as_ref()?.field(name))
        }
    }
}

#[island]
pub fn PlanEditor(
    /// The plan to change; none for a new one.
    id: Option<Uuid>,
    start: PlanForm,
    /// Why the last attempt was refused.
    refused: Option<AppError>,
) -> impl IntoView {
    let message = refused.as_ref().and_then(|error| error.form(FIELDS));
    let draft = Draft::new(start, refused);
    let (to, label) = match id {
        None => (CreatePlan::PATH, "Create plan"),
        Some(_) => (UpdatePlan::PATH, "Save changes"),
    };
    view! {
        <div class="editor">
            <div class="panel">
                <Refused message/>
                <Form to>
                    {id.map(|id| view! { <input type="hidden" name="id" value=id.to_string()/> })}
                    <Fields draft/>
                    <div class="actions">
                        <Submit label/>
                        <a href="/subscription-plans" class="button" data-tone="plain">"Discard"</a>
                    </div>
                </Form>
            </div>
            <Preview form=draft.form/>
        </div>
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

#[component]
fn Fields(draft: Draft) -> impl IntoView {
    view! {
        <Line draft name="name" label="Name"/>
        <Area draft name="description" label="Description" hint="One sentence on who it is for." rows="2"/>
        <div class="field-row">
            <Line draft name="price" label="Price" inputmode="decimal"/>
            <Line draft name="currency" label="Currency"/>
            <Interval draft/>
        </div>
        <div class="field-row">
            <Line draft name="llm_tokens_limit" label="LLM tokens" hint="In a period. Empty for unlimited." inputmode="numeric"/>
            <Line draft name="voice_tokens_limit" label="Voice tokens" hint="In a period. Empty for unlimited." inputmode="numeric"/>
            <Line draft name="max_users" label="Users" hint="Empty for unlimited." inputmode="numeric"/>
        </div>
        <Area draft name="features" label="Features" hint="One a line." rows="4"/>
        <Line
            draft
            name="stripe_price_id"
            label="Stripe price id"
            hint="An existing price to charge by. Left empty, one is made at Stripe."
        />
    }
}

#[component]
fn Line(
    draft: Draft,
    name: &'static str,
    label: &'static str,
    #[prop(default = "")] hint: &'static str,
    #[prop(default = "text")] inputmode: &'static str,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    // What was typed before this code arrived.
    Effect::new(move |_| {
        if let Some(input) = node.get() {
            draft.edit(name, input.value());
        }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                node_ref=node
                id=name
                name=format!("form[{name}]")
                class="input"
                autocomplete="off"
                inputmode=inputmode
                value=draft.value(name)
                on:input:target=move |event| draft.edit(name, event.target().value())
                aria-describedby=move || describes(name, draft.error(name).is_some(), !hint.is_empty())
                aria-invalid=move || draft.error(name).map(|_| "true")
            />
            {move || view! { <Below name error=draft.error(name) hint/> }}
        </div>
    }
}

#[component]
fn Area(
    draft: Draft,
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    rows: &'static str,
) -> impl IntoView {
    let node = NodeRef::<html::Textarea>::new();
    Effect::new(move |_| {
        if let Some(area) = node.get() {
            draft.edit(name, area.value());
        }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <textarea
                node_ref=node
                id=name
                name=format!("form[{name}]")
                class="input"
                rows=rows
                on:input:target=move |event| draft.edit(name, event.target().value())
                aria-describedby=move || describes(name, draft.error(name).is_some(), true)
                aria-invalid=move || draft.error(name).map(|_| "true")
            >
                {draft.value(name)}
            </textarea>
            {move || view! { <Below name error=draft.error(name) hint/> }}
        </div>
    }
}

#[component]
fn Interval(draft: Draft) -> impl IntoView {
    let name = "interval";
    let yearly = draft.value(name) == "year";
    view! {
        <div class="field">
            <label for=name>"Interval"</label>
            <select
                id=name
                name="form[interval]"
                class="input"
                on:change:target=move |event| draft.edit(name, event.target().value())
                aria-describedby=move || describes(name, draft.error(name).is_some(), false)
            >
                <option value="month">"Month"</option>
                <option value="year" selected=yearly>"Year"</option>
            </select>
            {move || view! { <Below name error=draft.error(name) hint=""/> }}
        </div>
    }
}

/// The card as subscribers will see it. What is still wrong shows as if it weren't there.
#[component]
fn Preview(form: RwSignal<PlanForm>) -> impl IntoView {
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

    #[test]
    fn a_half_written_plan_has_a_card() {
        let plan = preview(&PlanForm { price: "12.".into(), max_users: "x".into(), ..PlanForm::default() });
        assert_eq!((plan.name.as_str(), plan.max_users), ("New plan", None));
        assert_eq!(plan.money().minor, 0);
    }
}
