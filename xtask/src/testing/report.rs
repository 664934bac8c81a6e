//! The table at the end of a test run.

use std::time::Duration;

use super::tally::Tally;
use crate::progress::human;

pub enum Outcome {
    Ran(Tally),
    /// A step before it failed that it depends on.
    NotRun,
}

pub struct Line {
    pub name: &'static str,
    pub outcome: Outcome,
    pub took: Option<Duration>,
}

/// Prints the table and the closing line; true if everything ran and passed.
pub fn print(lines: &[Line], took: Duration) -> bool {
    println!("{:<12}{:>8}{:>8}{:>14}", "step", "passed", "failed", "time");
    for line in lines {
        let (passed, failed) = match &line.outcome {
            Outcome::Ran(tally) => (tally.passed.to_string(), tally.failed.to_string()),
            Outcome::NotRun => ("-".to_owned(), "not run".to_owned()),
        };
        println!("{:<12}{passed:>8}{failed:>8}{:>14}", line.name, line.took.map(human).unwrap_or_default());
    }
    println!("{:<12}{:>30}\n", "", human(took));
    let total = total(lines);
    for line in lines {
        if let Outcome::Ran(tally) = &line.outcome {
            tally.failures.iter().for_each(|failure| println!("{:<12}{failure}", line.name));
        }
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    total.failed == 0
}

/// A step that couldn't run counts as one failure: nothing is known about what it would have found.
fn total(lines: &[Line]) -> Tally {
    let mut total = Tally::default();
    for line in lines {
        total.add(match &line.outcome {
            Outcome::Ran(tally) => tally.clone(),
            Outcome::NotRun => Tally::failure(),
        });
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_could_not_run_are_failures() {
        let line = |outcome| Line { name: "x", outcome, took: None };
        let lines = [
            line(Outcome::Ran(Tally { passed: 4, failed: 1, failures: vec!["a::b".to_owned()] })),
            line(Outcome::NotRun),
        ];
        assert_eq!(total(&lines), Tally { passed: 4, failed: 2, failures: vec!["a::b".to_owned()] });
    }
}
