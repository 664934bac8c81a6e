//! Counting tests in what test runners print.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process::cannot_start;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// What failed, as its runner names it, for the end of the report: the place in a long log is far above.
    pub failures: Vec<String>,
}

impl Tally {
    /// Of a step that is one test in itself.
    pub fn success() -> Self {
        Self::of_counts(1, 0)
    }

    pub fn failure() -> Self {
        Self::of_counts(0, 1)
    }

    fn of_counts(passed: u64, failed: u64) -> Self {
        Self { passed, failed, failures: Vec::new() }
    }

    fn of_failed_test(name: &str) -> Self {
        Self { failures: vec![name.trim().to_owned()], ..Self::default() }
    }

    /// A runner that fails without a failed test to show for it (it didn't compile, it crashed, it found nothing)
    /// has failed all the same.
    fn of_run(self, ended_well: bool) -> Self {
        let nothing_ran = self.passed == 0;
        if self.failed == 0 && (!ended_well || nothing_ran) { Self { failed: 1, ..self } } else { self }
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
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
        tally.add(found.or_else(|| failed_test(&line)).unwrap_or_default());
    }
    Ok(tally.of_run(child.wait()?.success()))
}

/// `test result: ok. 12 passed; 1 failed; 0 ignored; …`
fn of_libtest_line(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |label: &str| {
        counts.split(';').find_map(|part| part.trim().strip_suffix(label)?.trim().parse::<u64>().ok())
    };
    Some(Tally::of_counts(count("passed")?, count("failed")?))
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
    Some(Tally::of_counts(count("passed"), failed))
}

/// `# pass 12`, and `# fail 1`, of Node's report in TAP.
fn of_tap_line(line: &str) -> Option<Tally> {
    let (name, count) = line.strip_prefix("# ")?.split_once(' ')?;
    let count = count.parse().ok()?;
    match name {
        "pass" => Some(Tally::of_counts(count, 0)),
        "fail" | "cancelled" | "skipped" | "todo" => Some(Tally::of_counts(0, count)),
        _ => None,
    }
}

/// The line in which a runner names a test that failed: libtest's `test a::b ... FAILED`, `FAILED a.py::b` of pytest's
/// summary, `not ok 3 - b` in TAP.
fn failed_test(line: &str) -> Option<Tally> {
    let of_libtest = || line.strip_prefix("test ")?.strip_suffix(" ... FAILED");
    let of_pytest = || line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "));
    let of_tap = || Some(line.trim_start().strip_prefix("not ok ")?.split_once(" - ")?.1);
    of_libtest().or_else(of_pytest).or_else(of_tap).map(Tally::of_failed_test)
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
    let mut tally = Tally::of_counts(count("expected"), count("unexpected") + count("flaky"));
    for suite in each(report, "suites") {
        add_failed_specs(suite, &mut tally);
    }
    tally
}

/// A file's suite holds its specs and the suites of its `describe` blocks.
fn add_failed_specs(suite: &Value, tally: &mut Tally) {
    for spec in each(suite, "specs").filter(|spec| spec["ok"] == false) {
        let name = format!("{}: {}", text(&spec["file"]), text(&spec["title"]));
        let error = each(spec, "tests").flat_map(|test| each(test, "results")).find_map(|result| {
            let message = result["error"]["message"].as_str()?;
            Some(
                message
                    .lines()
                    .take(LINES_OF_AN_ERROR)
                    .map(|line| format!("\n        {line}"))
                    .collect::<String>(),
            )
        });
        tally.failures.push(name + &error.unwrap_or_default());
    }
    for inner in each(suite, "suites") {
        add_failed_specs(inner, tally);
    }
}

/// Enough for what was expected, what was found and where.
const LINES_OF_AN_ERROR: usize = 12;

fn each<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value[list].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(of_libtest_line(line), Some(Tally::of_counts(12, 1)));
        assert_eq!(of_libtest_line("test storage::plans ... ok"), None);
    }

    #[test]
    fn lines_of_pytest_and_node_are_counted() {
        let line = "=========== 1 failed, 12 passed, 2 errors, 1 skipped in 3.45s ============";
        assert_eq!(of_pytest_line(line), Some(Tally::of_counts(12, 4)));
        assert_eq!(of_pytest_line("==== 21 passed in 63.02s (0:01:03) ===="), Some(Tally::of_counts(21, 0)));
        assert_eq!(of_pytest_line("======= test session starts ======="), None);
        assert_eq!(of_tap_line("# pass 12"), Some(Tally::of_counts(12, 0)));
        assert_eq!(of_tap_line("# fail 1"), Some(Tally::of_counts(0, 1)));
        assert_eq!(of_tap_line("# Subtest: chat"), None);
    }

    #[test]
    fn a_run_that_tested_nothing_has_failed() {
        assert_eq!(Tally::default().of_run(true), Tally::failure());
        assert_eq!(Tally::of_counts(3, 0).of_run(false), Tally::of_counts(3, 1));
        assert_eq!(Tally::of_counts(3, 2).of_run(false), Tally::of_counts(3, 2));
        assert_eq!(Tally::of_counts(3, 0).of_run(true), Tally::of_counts(3, 0));
    }

    #[test]
    fn playwright_s_flaky_tests_count_as_failed() {
        let report = serde_json::json!({"stats": {"expected": 5, "unexpected": 1, "flaky": 2, "skipped": 1}});
        assert_eq!(of_playwright(&report), Tally::of_counts(5, 3));
    }

    #[test]
    fn a_failed_test_is_named_with_its_error() {
        let spec = |title: &str, ok: bool| {
            let results = serde_json::json!([{"error": {"message": "Error: no bar\nLocator: x"}}]);
            serde_json::json!({"title": title, "file": "usage.spec.ts", "ok": ok, "tests": [{"results": results}]})
        };
        let inner = serde_json::json!({"specs": [spec("turns red", false)]});
        let report = serde_json::json!({
            "stats": {"expected": 1, "unexpected": 1},
            "suites": [{"specs": [spec("turns yellow", true)], "suites": [inner]}],
        });
        let found = of_playwright(&report);
        assert_eq!(found.failures, ["usage.spec.ts: turns red\n        Error: no bar\n        Locator: x"]);

        let named = |line| failed_test(line).map(|found| found.failures);
        assert_eq!(named("test holds::leak ... FAILED"), Some(vec!["holds::leak".to_owned()]));
        assert_eq!(named("FAILED a.py::b - assert 1 == 2"), Some(vec!["a.py::b - assert 1 == 2".to_owned()]));
        assert_eq!(named("    not ok 3 - chat"), Some(vec!["chat".to_owned()]));
        assert_eq!(named("test holds::leak ... ok"), None);
    }
}
