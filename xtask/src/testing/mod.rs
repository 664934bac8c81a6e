//! `make test`: a table of steps, run in order, and what came of them.

mod clients;
mod report;
mod schemathesis;
mod steps;
mod stripe;
mod tally;

use std::cell::OnceCell;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::interrupt;
use crate::postgres::{Commits, Postgres};

use report::{Line, Outcome};
use steps::STEPS;
use tally::Tally;

/// What steps share: started when the first of them asks, stopped when the run ends.
#[derive(Default)]
pub struct Context {
    postgres: OnceCell<Postgres>,
    site: OnceCell<()>,
}

impl Context {
    /// The address of a throwaway PostgreSQL.
    fn postgres(&self) -> Result<String> {
        if self.postgres.get().is_none() {
            println!("      starting a PostgreSQL for this run");
            let _ = self.postgres.set(Postgres::start(Commits::Fast)?);
        }
        Ok(self.postgres.get().map(Postgres::url).unwrap_or_default())
    }

    /// Makes sure that what the server embeds is up to date, once per run.
    fn site(&self) -> Result<()> {
        if self.site.get().is_none() {
            crate::site::build()?;
            let _ = self.site.set(());
        }
        Ok(())
    }
}

type Run = fn(&Context) -> Result<Tally>;

/// One line of the table.
pub struct Step {
    name: &'static str,
    about: &'static str,
    essential: bool,
    run: Run,
}

impl Step {
    const fn new(name: &'static str, about: &'static str, run: Run) -> Self {
        Self { name, about, essential: false, run }
    }

    /// When it fails, the steps after it can't say anything.
    const fn essential(self) -> Self {
        Self { essential: true, ..self }
    }
}

/// Runs the named steps, or all. Ends the program if any of them fails: the closing line has said all there is.
///
/// # Errors
/// A name that isn't in the table, or Ctrl-C.
pub fn run(names: &[String]) -> Result<()> {
    if names.iter().any(|name| name == "help") {
        for step in STEPS {
            println!("  {:<14}{}", step.name, step.about);
        }
        return Ok(());
    }
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("no step {unknown:?}: there are {}", known.join(", "));
    }
    let chosen: Vec<&Step> =
        STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)).collect();

    let started = Instant::now();
    let lines = run_all(&chosen)?;
    if !report::print(&lines, started.elapsed()) {
        std::process::exit(1);
    }
    Ok(())
}

fn run_all(steps: &[&Step]) -> Result<Vec<Line>> {
    let context = Context::default();
    let mut lines = Vec::new();
    let mut blocked = false;
    for (index, step) in steps.iter().enumerate() {
        if blocked {
            lines.push(Line { name: step.name, outcome: Outcome::NotRun, took: None });
            continue;
        }
        println!("[{}/{}] {}: {}", index + 1, steps.len(), step.name, step.about);
        let started = Instant::now();
        let tally = (step.run)(&context).unwrap_or_else(|error| {
            eprintln!("      {error:#}");
            Tally::failure()
        });
        // The clean-up happens on the way out, as `context` goes.
        interrupt::check()?;
        blocked = step.essential && tally.failed > 0;
        lines.push(Line { name: step.name, outcome: Outcome::Ran(tally), took: Some(started.elapsed()) });
        println!("      {}\n", crate::progress::human(started.elapsed()));
    }
    Ok(lines)
}
