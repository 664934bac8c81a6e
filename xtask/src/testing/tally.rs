//! Counting tests in what test runners print.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process::cannot_start;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// Of a step that is one test in itself.
    pub fn success() -> Self {
        Self { passed: 1, failed: 0 }
    }

    pub fn failure() -> Self {
        Self { passed: 0, failed: 1 }
    }

    /// A runner that fails without a failed test to show for it (it didn't compile, it crashed, it found nothing)
    /// has failed all the same.
    fn of_run(self, ended_well: bool) -> Self {
        let nothing_ran = self == Self::default();
        if self.failed == 0 && (!ended_well || nothing_ran) { Self { failed: 1, ..self } } else { self }
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs tests, of `cargo test`, pytest or Node, showing what they print as it comes.
pub fn counted(command: &mut Command) -> Result<Tally> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let printed = child.stdout.take().context("a pipe was asked for")?;
    let mut tally = Tally::default();
    for line in BufReader::new(printed).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        let found = of_libtest_line(&line).or_else(|| of_pytest_line(&line)).or_else(|| of_tap_line(&line));
        tally.add(found.unwrap_or_default());
    }
    Ok(tally.of_run(child.wait()?.success()))
}

/// `test result: ok. 12 passed; 1 failed; 0 ignored; …`
fn of_libtest_line(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |label: &str| {
        counts.split(';').find_map(|part| part.trim().strip_suffix(label)?.trim().parse::<u64>().ok())
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

/// `===== 1 failed, 12 passed, 1 error in 3.45s =====`
fn of_pytest_line(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("==")?.strip_suffix("==")?.trim_matches(['=', ' ']);
    let counts = counts.split_once(" in ")?.0;
    let count = |label: &str| -> u64 {
        let found = counts.split(", ").find_map(|part| part.strip_suffix(label)?.trim().parse().ok());
        found.unwrap_or(0)
    };
    // A test that is left out has shown nothing.
    let failed = ["failed", "error", "errors", "skipped", "xfailed", "xpassed"].map(count).iter().sum();
    Some(Tally { passed: count("passed"), failed })
}

/// `# pass 12`, and `# fail 1`, of Node's report in TAP.
fn of_tap_line(line: &str) -> Option<Tally> {
    let (name, count) = line.strip_prefix("# ")?.split_once(' ')?;
    let count = count.parse().ok()?;
    match name {
        "pass" => Some(Tally { passed: count, failed: 0 }),
        "fail" | "cancelled" | "skipped" | "todo" => Some(Tally { passed: 0, failed: count }),
        _ => None,
    }
}

/// Reads Playwright's JSON report, given how its run ended.
pub fn from_playwright(report: &Path, outcome: Result<()>) -> Result<Tally> {
    if let Err(error) = &outcome {
        eprintln!("      {error:#}");
    }
    let text = fs::read(report).unwrap_or_default();
    let report: Value = serde_json::from_slice(&text).unwrap_or_default();
    Ok(of_playwright(&report).of_run(outcome.is_ok()))
}

fn of_playwright(report: &Value) -> Tally {
    let count = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
    // A test that passes at the second attempt is one that sometimes fails.
    Tally { passed: count("expected"), failed: count("unexpected") + count("flaky") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(of_libtest_line(line), Some(Tally { passed: 12, failed: 1 }));
        assert_eq!(of_libtest_line("test storage::plans ... ok"), None);
    }

    #[test]
    fn lines_of_pytest_and_node_are_counted() {
        let line = "=========== 1 failed, 12 passed, 2 errors, 1 skipped in 3.45s ============";
        assert_eq!(of_pytest_line(line), Some(Tally { passed: 12, failed: 4 }));
        assert_eq!(
            of_pytest_line("==== 21 passed in 63.02s (0:01:03) ===="),
            Some(Tally { passed: 21, failed: 0 })
        );
        assert_eq!(of_pytest_line("======= test session starts ======="), None);
        assert_eq!(of_tap_line("# pass 12"), Some(Tally { passed: 12, failed: 0 }));
        assert_eq!(of_tap_line("# fail 1"), Some(Tally { passed: 0, failed: 1 }));
        assert_eq!(of_tap_line("# Subtest: chat"), None);
    }

    #[test]
    fn a_run_that_tested_nothing_has_failed() {
        assert_eq!(Tally::default().of_run(true), Tally::failure());
        assert_eq!(Tally { passed: 3, failed: 0 }.of_run(false), Tally { passed: 3, failed: 1 });
        assert_eq!(Tally { passed: 3, failed: 2 }.of_run(false), Tally { passed: 3, failed: 2 });
        assert_eq!(Tally { passed: 3, failed: 0 }.of_run(true), Tally { passed: 3, failed: 0 });
    }

    #[test]
    fn playwright_s_flaky_tests_count_as_failed() {
        let report = serde_json::json!({"stats": {"expected": 5, "unexpected": 1, "flaky": 2, "skipped": 1}});
        assert_eq!(of_playwright(&report), Tally { passed: 5, failed: 3 });
    }
}
