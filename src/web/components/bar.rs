//! How full an allowance is.
//!
//! Drawn as SVG because its widths are attributes: the page's Content-Security-Policy forbids inline styles,
//! and the bar must be right in the server's HTML.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::icon::{Icon, Shape};
use crate::domain::{Forecast, Level, Resource, UsageType, group_digits};
use crate::web::format;

/// One resource: its name, its share in figures, what is to be expected of it, the bar, and used / held / left / limit.
#[component]
pub fn ResourceBar(
    usage_type: UsageType,
    #[prop(into)] resource: Signal<Resource>,
    /// What is expected at the period's end, where enough is known to say.
    #[prop(into)]
    forecast: Signal<Option<Forecast>>,
    /// When the period ends.
    #[prop(into)]
    ends: Signal<DateTime<Utc>>,
) -> impl IntoView {
    // Of what is used up, or isn't there, nothing is expected.
    let forecast = Signal::derive(move || {
        let Resource { level, .. } = resource.get();
        forecast.get().filter(|_| level != Level::Limit && resource.get().is_included())
    });
    let level = move || resource.get().level;
    let is_included = move || resource.get().is_included();
    let sign = move || match level() {
        _ if !is_included() => None,
        Level::Ok => Some(("Within the limit", Shape::Check)),
        Level::Warning => Some(("Approaching the limit", Shape::Warn)),
        Level::Limit => Some(("Limit reached", Shape::Stop)),
    };
    let figure = move || match resource.get().whole_percentage() {
        Some(percentage) => format!("{percentage} %"),
        None if is_included() => "Unlimited".to_owned(),
        None => format::NOT_INCLUDED.to_owned(),
    };
    view! {
        <section class="resource" data-level=move || level().as_str() data-included=move || is_included().to_string()>
            <header class="resource__head">
                <h2>{usage_type.label()}</h2>
                {move || sign().map(|(text, shape)| view! { <p class="resource__sign"><Icon shape/>{text}</p> })}
                <p class="resource__figure">{figure}</p>
            </header>
            {move || forecast.get().map(|forecast| {
                view! { <p class="resource__forecast">{format::forecast(&forecast, resource.get().limit, ends.get())}</p> }
            })}
            <Bar label=usage_type.label() resource ahead=Signal::derive(move || forecast.get().map(|it| it.expected))/>
            // Nothing to count where there is no allowance, unless tokens were spent all the same.
            <dl class="figures" hidden=move || !is_included() && resource.get().used == 0>
                <Figure term="Used" value=Signal::derive(move || group_digits(resource.get().used))/>
                <Figure term="Held" value=Signal::derive(move || group_digits(resource.get().held))/>
                <Figure term="Left" value=Signal::derive(move || count(resource.get().remaining))/>
                <Figure term="Limit" value=Signal::derive(move || count(resource.get().limit))/>
            </dl>
        </section>
    }
}

/// A count, of which there may be any number.
fn count(count: Option<i64>) -> String {
    count.map_or_else(|| "Unlimited".into(), group_digits)
}

#[component]
fn Figure(term: &'static str, #[prop(into)] value: Signal<String>) -> impl IntoView {
    view! {
        <div>
            <dt>{term}</dt>
            <dd>{value}</dd>
        </div>
    }
}

/// The bar itself: what is used, what is held behind it, what is expected by the end, hatched, and a mark where the
/// warning begins.
#[component]
pub fn Bar(
    #[prop(into)] label: String,
    #[prop(into)] resource: Signal<Resource>,
    /// How much is expected to be used at the period's end.
    #[prop(optional, into)]
    ahead: Signal<Option<i64>>,
) -> impl IntoView {
    let hatch = format!("hatch-{}", label.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let filled = format!("url(#{hatch})");
    let used = move || resource.get().whole_percentage().unwrap_or(0).clamp(0, 100);
    let width = move || format!("{}%", exact(resource.get().used, resource.get().limit));
    let held = move || {
        let Resource { used, held, limit, .. } = resource.get();
        format!("{}%", exact(used.saturating_add(held), limit))
    };
    let text = move || {
        let Resource { used, limit, .. } = resource.get();
        match limit {
            Some(0) => format::NOT_INCLUDED.to_owned(),
            Some(limit) => format!("{} of {} used", group_digits(used), group_digits(limit)),
            None => format!("{} used, unlimited", group_digits(used)),
        }
    };
    view! {
        <div
            class="bar"
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || used().to_string()
            aria-valuetext=text
            data-level=move || resource.get().level.as_str()
        >
            <svg width="100%" height="100%" aria-hidden="true">
                {move || ahead.get().map(|expected| {
                    let width = format!("{}%", exact(expected, resource.get().limit));
                    view! {
                        <pattern id=hatch.clone() width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                            <rect class="bar__hatch" width="2" height="6"></rect>
                        </pattern>
                        <rect class="bar__ahead" width=width height="100%" fill=filled.clone()></rect>
                    }
                })}
                <rect class="bar__held" width=held height="100%"></rect>
                <rect class="bar__used" width=width height="100%"></rect>
                {move || {
                    let has_threshold = resource.get().limit.is_some_and(|limit| limit > 0);
                    has_threshold.then(|| view! { <line class="bar__mark" x1="80%" x2="80%" y1="0" y2="100%"></line> })
                }}
            </svg>
        </div>
    }
}

/// Share in per cent with two decimals, 0 to 100: finer than a pixel.
fn exact(used: i64, limit: Option<i64>) -> f64 {
    match limit {
        None => 0.0,
        Some(limit) if limit <= 0 => 0.0,
        Some(limit) => ((used as f64 / limit as f64) * 10_000.0).round().clamp(0.0, 10_000.0) / 100.0,
    }
}
