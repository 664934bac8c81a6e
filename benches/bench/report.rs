//! Measuring a row, and the table.

use std::process::ExitCode;
use std::time::Duration;

/// How long each side is measured in one round, and how many rounds there are.
const ROUND_TIME: Duration = Duration::from_millis(1_500);
const ROUNDS: usize = 5;

/// Prints each row as it is measured, and remembers those over their limit.
#[derive(Default)]
pub struct Report {
    begun: bool,
    over: Vec<String>,
}

/// The value that so many of the ascending times, in per cent, don't exceed.
pub fn percentile(times: &[Duration], per_cent: usize) -> Duration {
    times.get(times.len().saturating_sub(1) * per_cent / 100).copied().unwrap_or_default()
}

/// A row to be measured.
pub struct Row<'r> {
    report: &'r mut Report,
    name: String,
    against: &'static str,
    limit: f64,
}

impl Report {
    /// A row about `name`, which may be `limit` times slower than what it is held against.
    pub fn row(&mut self, kind: &str, name: &str, against: &'static str, limit: f64) -> Row<'_> {
        Row { report: self, name: format!("{kind}: {name}"), against, limit }
    }

    /// A row about a time in seconds, which may not be longer than `limit`.
    pub fn time(&mut self, kind: &str, name: &str, measured: Duration, limit: Duration) {
        let over = measured > limit;
        let verdict = if over { "  OVER" } else { "" };
        println!("{:<62} {measured:>10.2?}   at most {limit:?}{verdict}", format!("{kind}: {name}"));
        if over {
            self.over.push(format!("{kind}: {name}"));
        }
    }

    /// A row about memory in bytes, which may not be more than `limit`.
    pub fn memory(&mut self, kind: &str, name: &str, measured: u64, limit: u64) {
        const MEGABYTE: u64 = 1 << 20;
        let over = measured > limit;
        let verdict = if over { "  OVER" } else { "" };
        let (name, measured) = (format!("{kind}: {name}"), measured / MEGABYTE);
        println!("{name:<62} {measured:>7} MB   at most {} MB{verdict}", limit / MEGABYTE);
        if over {
            self.over.push(name);
        }
    }

    /// Success where no row is over its limit.
    pub fn outcome(&self) -> ExitCode {
        if self.over.is_empty() {
            return ExitCode::SUCCESS;
        }
        println!("\nOver their limits:");
        for name in &self.over {
            println!("  {name}");
        }
        ExitCode::FAILURE
    }
}

impl Row<'_> {
    /// Measures both alternately; each gives how many it managed in a second. The ratio is the median of the
    /// rounds' ratios, so that a round in which the machine was busy otherwise doesn't count.
    pub async fn measure(self, ours: impl AsyncFn(Duration) -> f64, theirs: impl AsyncFn(Duration) -> f64) {
        ours(ROUND_TIME / 3).await;
        theirs(ROUND_TIME / 3).await;
        let (mut of_ours, mut of_theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (ours, theirs) = (ours(ROUND_TIME).await, theirs(ROUND_TIME).await);
            of_ours.push(ours);
            of_theirs.push(theirs);
            ratios.push(theirs / ours);
        }
        let (ours, theirs, ratio) = (median(of_ours), median(of_theirs), median(ratios));
        let Self { report, name, against, limit } = self;
        if !report.begun {
            report.begun = true;
            println!(
                "{:<62} {:>10}   {:<22} {:>10}   {:>6}   {:>6}",
                "", "per second", "against", "per second", "ratio", "limit"
            );
        }
        let verdict = if ratio > limit { "  OVER" } else { "" };
        println!(
            "{name:<62} {ours:>10.0}   {against:<22} {theirs:>10.0}   {ratio:>6.2}   {limit:>6.2}{verdict}"
        );
        if ratio > limit {
            report.over.push(format!("{name}, against {against}"));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
