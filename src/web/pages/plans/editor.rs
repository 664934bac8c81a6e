//! A plan being written: its fields, checked as they are typed by the server's own rules, and beside them the
//! card that subscribers will see.

use leptos::html;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::domain::{Currency, FieldErrors, Plan, PlanForm};
use crate::web::AppError;
use crate::web::components::field::Described;
use crate::web::components::notice::FormError;
use crate::web::components::page::{Head, Heading};
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::server_fns::plans::{CreatePlan, UpdatePlan};

/// The fields of a [`PlanForm`], by name.
const FIELDS: &[&str] = &[
    "name", "description", "price", "currency", "interval", "llm_tokens_limit", "voice_tokens_limit", "max_users",
    "features", "stripe_price_id",
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
    /// Fields edited since the server last answered: their errors are the live ones, the others' the server's.
    edited: RwSignal<Vec<&'static str>>,
    live: Memo<FieldErrors>,
    failed: Signal<Option<AppError>>,
}

impl Draft {
    fn new(plan: Option<&Plan>, failed: Signal<Option<AppError>>) -> Self {
        let mut start = plan.map(PlanForm::from).unwrap_or_else(|| PlanForm {
            currency: Currency::USD.code().to_owned(),
            interval: "month".into(),
            ..PlanForm::default()
        });
        failed.with_untracked(|error| {
            for name in FIELDS {
                if let Some(typed) = error.as_ref().and_then(|error| error.typed(name)) {
                    *field(&mut start, name) = typed.to_owned();
                }
            }
        });
        let form = RwSignal::new(start);
        let edited = RwSignal::new(Vec::new());
        Effect::new(move |_| {
            failed.track();
            edited.set(Vec::new());
        });
        let live = Memo::new(move |_| form.with(|form| form.check().err().unwrap_or_default()));
        Self { form, edited, live, failed }
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

    fn error(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            if self.edited.with(|edited| edited.contains(&name)) {
                self.live.with(|errors| errors.message(name).map(str::to_owned))
            } else {
                self.failed.with(|error| error.as_ref().and_then(|error| error.field(name)))
            }
        })
    }
}

#[component]
pub fn Editor(
    plan: Option<Plan>,
    create: ServerAction<CreatePlan>,
    update: ServerAction<UpdatePlan>,
) -> impl IntoView {
    let updating = plan.is_some();
    let failed = Signal::derive(move || {
        if updating {
            update.value().get().and_then(Result::err)
        } else {
            create.value().get().and_then(Result::err)
        }
    });
    let draft = Draft::new(plan.as_ref(), failed);
    let message = move || failed.get().and_then(|error| error.form(FIELDS));
    let title = plan.as_ref().map_or_else(|| "New plan".to_owned(), |plan| format!("Edit {}", plan.name));
    let form = match plan {
        None => view! {
            <ActionForm action=create>
                <Fields draft/>
                <Actions label="Create plan" pending=create.pending()/>
            </ActionForm>
        }
        .into_any(),
        Some(plan) => view! {
            <ActionForm action=update>
                <input type="hidden" name="id" value=plan.id.to_string()/>
                <Fields draft/>
                <Actions label="Save changes" pending=update.pending()/>
            </ActionForm>
        }
        .into_any(),
    };
    view! {
        <Head title=title.clone() description="The terms of a plan."/>
        <Heading title/>
        <div class="editor">
            <div class="panel">
                <FormError message=Signal::derive(message)/>
                {form}
            </div>
            <Preview form=draft.form/>
        </div>
    }
}

#[component]
fn Actions(label: &'static str, #[prop(into)] pending: Signal<bool>) -> impl IntoView {
    view! {
        <div class="actions">
            <Submit label pending/>
            <A href="/subscription-plans" attr:class="button" attr:data-tone="plain">"Discard"</A>
        </div>
    }
}

#[component]
fn Fields(draft: Draft) -> impl IntoView {
    view! {
        <Line draft name="name" label="Name" required=true/>
        <Area draft name="description" label="Description" hint="One sentence on who it is for." rows=2/>
        <div class="field-row">
            <Line draft name="price" label="Price" inputmode="decimal" required=true/>
            <Line draft name="currency" label="Currency" required=true/>
            <Choice draft/>
        </div>
        <div class="field-row">
            <Line draft name="llm_tokens_limit" label="LLM tokens" hint="A period. Empty for unlimited." inputmode="numeric"/>
            <Line draft name="voice_tokens_limit" label="Voice tokens" hint="A period. Empty for unlimited." inputmode="numeric"/>
            <Line draft name="max_users" label="Users" hint="Empty for unlimited." inputmode="numeric"/>
        </div>
        <Area draft name="features" label="Features" hint="One a line." rows=4/>
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
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] inputmode: Option<&'static str>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let error = draft.error(name);
    let described = Described::new(name, hint.to_owned());
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
                required=required
                value=draft.value(name)
                on:input:target=move |event| draft.edit(name, event.target().value())
                aria-describedby=described.ids(error)
                aria-invalid=move || error.get().map(|_| "true")
            />
            {described.below(error)}
        </div>
    }
}

#[component]
fn Area(draft: Draft, name: &'static str, label: &'static str, hint: &'static str, rows: u8) -> impl IntoView {
    let error = draft.error(name);
    let described = Described::new(name, hint.to_owned());
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
                rows=rows.to_string()
                on:input:target=move |event| draft.edit(name, event.target().value())
                aria-describedby=described.ids(error)
                aria-invalid=move || error.get().map(|_| "true")
            >
                {draft.value(name)}
            </textarea>
            {described.below(error)}
        </div>
    }
}

#[component]
fn Choice(draft: Draft) -> impl IntoView {
    let error = draft.error("interval");
    let described = Described::new("interval", String::new());
    let yearly = draft.value("interval") == "year";
    view! {
        <div class="field">
            <label for="interval">"Interval"</label>
            <select
                id="interval"
                name="form[interval]"
                class="input"
                on:change:target=move |event| draft.edit("interval", event.target().value())
                aria-describedby=described.ids(error)
            >
                <option value="month">"Month"</option>
                <option value="year" selected=yearly>"Year"</option>
            </select>
            {described.below(error)}
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
    for error in form.check().err().unwrap_or_default().into_vec() {
        let fallback = match error.field.as_str() {
            "name" => "Unnamed plan".into(),
            "price" => "0".into(),
            "currency" => currency.code().to_owned(),
            "interval" => "month".into(),
            _ => String::new(),
        };
        *field(&mut sound, &error.field) = fallback;
    }
    let input = sound.check().unwrap_or_default();
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
        assert_eq!((plan.name.as_str(), plan.max_users), ("Unnamed plan", None));
        assert_eq!(plan.money().minor, 0);
    }
}
