//! Columns over time, drawn as SVG whose places are attributes: the page's Content-Security-Policy forbids inline styles.

use leptos::prelude::*;

/// How much of its interval's place a column takes, in per cent, and one that stands behind others.
pub const COLUMN: f64 = 62.0;
pub const BEHIND: f64 = 86.0;

/// A part of a column, from one value to another.
pub struct Bar {
    /// Which colour: the `data-kind` of its key.
    pub kind: &'static str,
    pub from: i64,
    pub to: i64,
    /// Of its interval's place, in per cent.
    pub width: f64,
    /// What it is, with its figure.
    pub title: String,
}

/// What a chart shows.
pub struct Plot {
    /// Its accessible name.
    pub label: String,
    /// The parts of each interval's column.
    pub columns: Vec<Vec<Bar>>,
    /// What the colours mean.
    pub keys: &'static [(&'static str, &'static str)],
    /// The first interval and the last.
    pub ends: (String, String),
    /// How a value is written beside the scale.
    pub written: Box<dyn Fn(i64) -> String + Send>,
}

/// The next round number from `most` on: 1, 2 or 5 with noughts.
fn round_up(most: i64) -> i64 {
    let mut unit: i64 = 1;
    loop {
        for step in [1, 2, 5] {
            if unit.saturating_mul(step) >= most {
                return unit.saturating_mul(step);
            }
        }
        let Some(next) = unit.checked_mul(10) else { return i64::MAX };
        unit = next;
    }
}

/// Where a value stands below the top, in per cent of the scale.
struct Scale {
    top: i64,
    bottom: i64,
}

impl Scale {
    fn of(columns: &[Vec<Bar>]) -> Self {
        let values = || columns.iter().flatten().flat_map(|bar| [bar.from, bar.to]);
        let (most, least) = (values().max().unwrap_or(0), values().min().unwrap_or(0));
        let down = |least: i64| if least < 0 { -round_up(-least) } else { 0 };
        Self { top: if most > 0 || least >= 0 { round_up(most.max(1)) } else { 0 }, bottom: down(least) }
    }

    /// The values that are written beside it.
    fn marks(&self) -> Vec<i64> {
        let middle = if self.bottom < 0 { 0 } else { self.top / 2 };
        let mut marks = vec![self.top, middle, self.bottom];
        marks.dedup();
        marks
    }

    fn y(&self, value: i64) -> f64 {
        (self.top - value) as f64 / (self.top - self.bottom) as f64 * 100.0
    }
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 100.0).round() / 100.0)
}

#[component]
pub fn Chart(plot: Plot) -> impl IntoView {
    let scale = Scale::of(&plot.columns);
    let place = 100.0 / plot.columns.len().max(1) as f64;
    let bars = plot.columns.into_iter().enumerate().flat_map(|(index, bars)| {
        bars.into_iter().filter(|bar| bar.from != bar.to).map(move |bar| (index, bar)).collect::<Vec<_>>()
    });
    let bars = bars.map(|(index, bar)| {
        let (high, low) = (scale.y(bar.from.max(bar.to)), scale.y(bar.from.min(bar.to)));
        let x = place * (index as f64 + (100.0 - bar.width) / 200.0);
        view! {
            <rect
                data-kind=bar.kind
                x=percent(x)
                y=percent(high)
                width=percent(place * bar.width / 100.0)
                height=percent(low - high)
            >
                <title>{bar.title}</title>
            </rect>
        }
    });
    let bars = bars.collect_view();
    let zero = percent(scale.y(0));
    let marks = scale.marks();
    let lines = marks.iter().filter(|mark| **mark != 0).map(|mark| {
        let y = percent(scale.y(*mark));
        view! { <line class="chart__line" x1="0" x2="100%" y1=y.clone() y2=y></line> }
    });
    let lines = lines.collect_view();
    let labels = marks.iter().map(|mark| {
        let y = percent(scale.y(*mark));
        view! { <text x="100%" y=y dy="0.35em">{(plot.written)(*mark)}</text> }
    });
    let labels = labels.collect_view();
    let keys =
        plot.keys.iter().map(|(kind, label)| view! { <span class="key" data-kind=*kind>{*label}</span> });
    let keys =
        (plot.keys.len() > 1).then(|| view! { <span class="chart__keys">{keys.collect_view()}</span> });
    view! {
        <div class="chart">
            <svg class="chart__scale" width="56" height="168" aria-hidden="true">{labels}</svg>
            <svg class="chart__plot" width="100%" height="168" role="img" aria-label=plot.label>
                {lines}
                {bars}
                <line class="chart__zero" x1="0" x2="100%" y1=zero.clone() y2=zero></line>
            </svg>
            <p class="chart__axis">
                <span>{plot.ends.0}</span>
                {keys}
                <span>{plot.ends.1}</span>
            </p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_with_a_round_number_on_either_side() {
        for (most, round) in [(1, 1), (3, 5), (2_999, 5_000), (5_000, 5_000), (5_001, 10_000)] {
            assert_eq!(round_up(most), round);
        }
        let bar = |from, to| Bar { kind: "mrr", from, to, width: COLUMN, title: String::new() };
        let scale = Scale::of(&[vec![bar(0, 40)], vec![bar(0, -7)]]);
        assert_eq!((scale.top, scale.bottom), (50, -10));
        assert_eq!((scale.y(50), scale.y(-10)), (0.0, 100.0));
        assert_eq!(scale.marks(), [50, 0, -10]);
        let nothing = Scale::of(&[vec![]]);
        assert_eq!(nothing.marks(), [1, 0]);
    }
}
