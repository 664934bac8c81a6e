//! Something to know about, set apart from the rest. What must be noticed at once is an alert.

use leptos::prelude::*;

use super::icon::{Icon, Shape};
use crate::domain::Level;

#[component]
pub fn Notice(
    level: Level,
    /// Announced by assistive technology as soon as it appears.
    #[prop(optional)]
    alert: bool,
    children: Children,
) -> impl IntoView {
    let shape = match level {
        Level::Ok => Shape::Info,
        Level::Warning => Shape::Warn,
        Level::Limit => Shape::Stop,
    };
    view! {
        <div class="notice" data-level=level.as_str() role=alert.then_some("alert")>
            <Icon shape/>
            <div class="notice__text">{children()}</div>
        </div>
    }
}
