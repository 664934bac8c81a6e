//! A plan being written: its fields, checked as they are typed by the server's own rules, and beside them the
//! card that subscribers will see.

mod draft;
mod preview;

use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{PlanForm, PlanId, TICKED};
use crate::web::AppError;
use crate::web::components::field::{Below, describes, textarea_text};
use crate::web::components::form::{Form, Refused};
use crate::web::components::submit::Submit;
use crate::web::server_fns::plans::{CreatePlan, UpdatePlan};
use draft::{Draft, FIELDS};
use preview::Preview;

pub use draft::start;

#[island]
pub fn PlanEditor(
    /// The plan to change; none for a new one.
    id: Option<PlanId>,
    start: PlanForm,
    /// What its subscribers keep paying, if it has any.
    bound: Option<String>,
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
                    <Fields draft bound/>
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

#[component]
fn Fields(draft: Draft, bound: Option<String>) -> impl IntoView {
    let packages = [
        ("llm_overage_per", "LLM package", "numeric"),
        ("llm_overage_price", "LLM package price", "decimal"),
        ("voice_overage_per", "Voice package", "numeric"),
        ("voice_overage_price", "Voice package price", "decimal"),
    ];
    let packages = packages.map(|(name, label, inputmode)| view! { <Line draft name label inputmode/> });
    view! {
        <Line draft name="name" label="Name"/>
        <Area draft name="description" label="Description" hint="One sentence on who it is for." rows="2"/>
        <div class="field-row">
            <Line draft name="price" label="Price" inputmode="decimal"/>
            <Line draft name="currency" label="Currency"/>
            <Interval draft/>
        </div>
        {bound.map(|bound| view! { <p class="field__hint">{bound}</p> })}
        <div class="field-row">
            <Limit draft name="llm_tokens_limit" unlimited="llm_tokens_unlimited" label="LLM tokens" hint="Per month. 0: not in the plan."/>
            <Limit draft name="voice_tokens_limit" unlimited="voice_tokens_unlimited" label="Voice tokens" hint="Per month. 0: not in the plan."/>
            <Limit draft name="max_users" unlimited="max_users_unlimited" label="Users" hint="Members and open invitations."/>
        </div>
        <fieldset class="field-group">
            <legend>"Beyond the limits"</legend>
            <p class="field__hint">
                "Packages of so many tokens, for groups whose admin agrees to it, up to a cap. Left empty, tokens end at the limit."
            </p>
            <div class="field-row">{packages.collect_view()}</div>
        </fieldset>
        <Line
            draft
            name="trial_days"
            label="Trial days"
            hint="Free at first, once for each group. Left empty, there is no trial."
            inputmode="numeric"
        />
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

/// A number, or the choice that there is none: giving the one takes back the other.
#[component]
fn Limit(
    draft: Draft,
    name: &'static str,
    /// The name of the box.
    unlimited: &'static str,
    label: &'static str,
    hint: &'static str,
) -> impl IntoView {
    let (number, tick) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    // What was typed before this code arrived.
    Effect::new(move |_| {
        if let (Some(number), Some(tick)) = (number.get(), tick.get()) {
            draft.edit(name, number.value());
            draft.edit(unlimited, ticked(tick.checked()));
        }
    });
    let on_number = move |value: String| {
        if let Some(tick) = tick.get_untracked().filter(|_| !value.is_empty()) {
            tick.set_checked(false);
            draft.edit(unlimited, String::new());
        }
        draft.edit(name, value);
    };
    let on_tick = move |checked: bool| {
        if let Some(number) = number.get_untracked().filter(|_| checked) {
            number.set_value("");
            draft.edit(name, String::new());
        }
        draft.edit(unlimited, ticked(checked));
        draft.touch(name);
    };
    view! {
        <fieldset class="field">
            <legend class="unseen">{label}</legend>
            <label for=name>{label}</label>
            <input
                node_ref=number
                id=name
                name=format!("form[{name}]")
                class="input"
                autocomplete="off"
                inputmode="numeric"
                value=draft.value(name)
                on:input:target=move |event| on_number(event.target().value())
                aria-describedby=move || describes(name, draft.error(name).is_some(), true)
                aria-invalid=move || draft.error(name).map(|_| "true")
            />
            <label class="tick">
                <input
                    node_ref=tick
                    type="checkbox"
                    name=format!("form[{unlimited}]")
                    value=TICKED
                    checked=draft.value(unlimited) == TICKED
                    on:change:target=move |event| on_tick(event.target().checked())
                />
                "Unlimited"
            </label>
            {move || view! { <Below name error=draft.error(name) hint/> }}
        </fieldset>
    }
}

/// What a box sends.
fn ticked(checked: bool) -> String {
    if checked { TICKED.to_owned() } else { String::new() }
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
                {textarea_text(draft.value(name))}
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
