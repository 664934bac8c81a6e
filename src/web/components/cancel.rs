//! Ending a subscription: when, what that means, and why. Wherever it can be ended, it is ended here.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::dialog::{Close, Dialog};
use super::form::Form;
use super::submit::Submit;
use crate::domain::{CancellationReason, MAX_COMMENT, Status, Subscription};
use crate::web::format;
use crate::web::server_fns::subscription::{Cancel, Resume};

const ID: &str = "cancel";

#[component]
pub fn CancelDialog(subscription: Subscription) -> impl IntoView {
    let Subscription { id, plan, status, access, current_period_end, cancel_at_period_end, .. } =
        subscription;
    let end = format::date(current_period_end);
    let open_invoice = if status.awaits_payment() { " What is unpaid isn't collected any more." } else { "" };
    let kept = match status {
        Status::Trialing => {
            format!("The group keeps {} until the trial ends, and is never charged.", plan.name)
        }
        _ if access => {
            format!("The group keeps {} and its tokens until then. It isn't charged again.", plan.name)
        }
        _ => "The group has no tokens until then either. It isn't charged again.".to_owned(),
    };
    let later = (!cancel_at_period_end).then(|| {
        let text = format!("{kept} Until then it can be taken back.");
        view! { <Choice value="true" checked=true title=format!("At the end of the period, {end}") text/> }
    });
    let lost = match status {
        Status::Trialing => {
            "The trial ends at once, for the whole group, and can't be taken up again: a group has one. \
                             Nothing is charged."
                .to_owned()
        }
        _ => format!(
            "Tokens that are left are lost at once, for the whole group. What is paid for the period isn't \
             refunded.{open_invoice}"
        ),
    };
    let reasons = CancellationReason::ALL.map(|reason| {
        view! { <option value=reason.as_str()>{format::cancellation_reason(reason)}</option> }
    });
    view! {
        <Dialog id=ID label="Cancel subscription" title=format!("Cancel {}?", plan.name)>
            <Form to=Cancel::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <fieldset class="choices">
                    <legend class="unseen">"When"</legend>
                    {later}
                    <Choice value="false" checked=cancel_at_period_end title="Now".to_owned() text=lost/>
                </fieldset>
                <div class="field">
                    <label for="cancel-reason">"Why? (optional)"</label>
                    <select class="input" id="cancel-reason" name="reason">
                        <option value="">"No answer"</option>
                        {reasons.collect_view()}
                    </select>
                </div>
                <div class="field">
                    <label for="cancel-comment">"What should we know? (optional)"</label>
                    <textarea class="input" id="cancel-comment" name="comment" rows="2" maxlength=MAX_COMMENT></textarea>
                </div>
                <div class="confirm__actions">
                    <Close of=ID label="Keep it"/>
                    <Submit label="Cancel subscription" tone="danger"/>
                </div>
            </Form>
        </Dialog>
    }
}

#[component]
fn Choice(value: &'static str, checked: bool, title: String, text: String) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name="at_period_end" value=value checked=checked required/>
            <span>
                <strong>{title}</strong>
                <span class="choice__text">{text}</span>
            </span>
        </label>
    }
}

/// Takes a cancellation at the period's end back.
#[component]
pub fn KeepPlan(subscription: Subscription) -> impl IntoView {
    view! {
        <Form to=Resume::PATH>
            <input type="hidden" name="id" value=subscription.id.to_string()/>
            <Submit label="Keep my plan"/>
        </Form>
    }
}
