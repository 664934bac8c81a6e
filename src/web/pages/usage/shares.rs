//! Who and what the period's tokens went to: by member, model or key.

use leptos::prelude::*;

use super::events::link;
use crate::domain::{BreakdownBy, OTHERS, Period, Role, Sums, UsageType, User, group_digits};
use crate::metering::{Overview, OverviewRow};
use crate::web::components::table::{Column, Row, Table};

/// What a breakdown is called, and what its first column is.
const TABS: [(BreakdownBy, &str); 3] =
    [(BreakdownBy::Member, "Members"), (BreakdownBy::Model, "Models"), (BreakdownBy::Key, "Keys")];

const fn columns_of(first: &'static str) -> [Column; 5] {
    [
        Column::text(first),
        Column::number("LLM tokens"),
        Column::number("LLM trend"),
        Column::number("Voice tokens"),
        Column::number("Voice trend"),
    ]
}

const BY_MEMBER: &[Column] = &columns_of("Member");
const BY_MODEL: &[Column] = &columns_of("Model");
const BY_KEY: &[Column] = &columns_of("Key");

/// The breakdown that an address asks for; members where it asks for none of these.
pub fn asked(by: Option<&str>) -> BreakdownBy {
    let by = by.and_then(|by| by.parse().ok());
    by.filter(|by| *by != BreakdownBy::Day).unwrap_or(BreakdownBy::Member)
}

#[component]
pub fn Shares(overview: Overview, by: BreakdownBy, viewer: User) -> impl IntoView {
    let Overview { as_of, current, before, total, rows, .. } = overview;
    let tabs = TABS.map(|(tab, label)| {
        let current = (tab == by).then_some("page");
        view! { <li><a href=format!("/usage?by={tab}#shares") aria-current=current>{label}</a></li> }
    });
    let period = current.period;
    let pace = Pace {
        elapsed: days(Period { end: as_of.min(period.end), ..period }),
        before: before.map(|before| days(before.period)),
    };
    let has_before = pace.before.is_some();
    let table = if rows.is_empty() {
        view! { <p class="empty">"Nothing was used yet in this period."</p> }.into_any()
    } else {
        let rows = rows.into_iter().map(|OverviewRow { row, before }| {
            let sums = row.sums();
            let href = filter(by, row.key.as_deref(), &viewer).map(|filter| link(&[filter], Some(period)));
            let name = match href {
                Some(href) => view! { <a href=href>{row.label}</a> }.into_any(),
                None => view! { {row.label} }.into_any(),
            };
            let mut shown = Row::new(name);
            for kind in UsageType::ALL {
                let trend = pace.trend(sums, before, kind);
                shown = shown
                    .cell(view! { <Share tokens=sums.tokens()[kind] of=total.tokens()[kind]/> })
                    .cell(view! { <span class="trend">{trend}</span> });
            }
            shown
        });
        let (caption, columns) = match by {
            BreakdownBy::Model => ("Usage by model", BY_MODEL),
            BreakdownBy::Key => ("Usage by key", BY_KEY),
            BreakdownBy::Member | BreakdownBy::Day => ("Usage by member", BY_MEMBER),
        };
        view! { <Table caption columns rows=rows.collect()/> }.into_any()
    };
    let note = if has_before {
        "Shares are of the whole group's tokens; a trend compares tokens a day with the period before."
    } else {
        "Shares are of the whole group's tokens."
    };
    view! {
        <section class="section" id="shares">
            <header class="section__head">
                <h2>"Who and what"</h2>
                <nav class="tabs" aria-label="Break down by"><ul>{tabs.collect_view()}</ul></nav>
            </header>
            {table}
            <p class="section__note">
                {note}
                " "
                <a href=link(&[], Some(period))>"See every event"</a>
            </p>
        </section>
    }
}

/// What the events behind a row are found by; none where the viewer may not see them.
fn filter<'k>(by: BreakdownBy, key: Option<&'k str>, viewer: &User) -> Option<(&'static str, &'k str)> {
    match (by, key?) {
        (_, OTHERS) => None,
        (BreakdownBy::Model, model) => Some(("model", model)),
        (BreakdownBy::Key, key) => Some(("key_id", key)),
        (BreakdownBy::Member | BreakdownBy::Day, user) => {
            (viewer.role == Role::Admin).then_some(("user_id", user))
        }
    }
}

/// Tokens, and which share they are of all.
#[component]
fn Share(tokens: i64, of: i64) -> impl IntoView {
    if tokens == 0 {
        return view! { <span class="trend">"–"</span> }.into_any();
    }
    let share = (of > 0).then(|| (i128::from(tokens) * 100 + i128::from(of) / 2) / i128::from(of));
    view! {
        {group_digits(tokens)}
        <span class="number__share">{share.map(|share| format!("{share} %"))}</span>
    }
    .into_any()
}

/// How long the current period has run and the one before it lasted, in days.
struct Pace {
    elapsed: f64,
    before: Option<f64>,
}

fn days(period: Period) -> f64 {
    (period.end - period.start).num_seconds() as f64 / 86_400.0
}

impl Pace {
    /// How tokens a day compare with the period before: `+12 %`, `new`, or nothing.
    fn trend(&self, now: Sums, before: Sums, kind: UsageType) -> String {
        let (now, before) = (now.tokens()[kind], before.tokens()[kind]);
        match self.before {
            Some(days) if before > 0 && days > 0.0 && self.elapsed > 0.0 => {
                let change = (now as f64 / self.elapsed) / (before as f64 / days) - 1.0;
                match (change * 100.0).round() as i64 {
                    0 => "± 0 %".to_owned(),
                    up @ 1.. => format!("+{} %", group_digits(up)),
                    down => format!("−{} %", down.unsigned_abs()),
                }
            }
            Some(_) if now > 0 => "new".to_owned(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_compares_tokens_a_day() {
        let pace = Pace { elapsed: 10.0, before: Some(30.0) };
        let trend = |pace: &Pace, now, before| {
            let sums = |llm| Sums { llm, voice: 0, events: 1 };
            pace.trend(sums(now), sums(before), UsageType::Llm)
        };
        assert_eq!(trend(&pace, 100, 300), "± 0 %");
        assert_eq!(trend(&pace, 150, 300), "+50 %");
        assert_eq!(trend(&pace, 0, 300), "−100 %");
        assert_eq!(trend(&pace, 5, 0), "new");
        assert_eq!(trend(&pace, 0, 0), "");
        assert_eq!(trend(&Pace { before: None, ..pace }, 5, 0), "");
    }

    #[test]
    fn days_are_no_tab() {
        assert_eq!(asked(Some("model")), BreakdownBy::Model);
        for by in [None, Some("day"), Some("week")] {
            assert_eq!(asked(by), BreakdownBy::Member);
        }
    }
}
