//! What the terminal shows while we work: numbered headings, and how long each piece took.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::interrupt;

/// A run of known length, each piece under a heading `[2/4] …`.
pub struct Progress {
    total: usize,
    done: usize,
    started: Instant,
}

impl Progress {
    pub fn new(total: usize) -> Self {
        Self { total, done: 0, started: Instant::now() }
    }

    /// Prints the heading, does the work, and prints how long it took.
    pub fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        interrupt::check()?;
        self.done += 1;
        println!("[{}/{}] {title}", self.done, self.total);
        let started = Instant::now();
        let result = work()?;
        println!("      {}, {} since the start", human(started.elapsed()), human(self.started.elapsed()));
        Ok(result)
    }
}

/// `0.4 s`, `12 s`, `3 min 05 s`.
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let mut text = String::new();
    let _ = match seconds {
        0..10 => write!(text, "{:.1} s", duration.as_secs_f64()),
        10..60 => write!(text, "{seconds} s"),
        _ => write!(text, "{} min {:02} s", seconds / 60, seconds % 60),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(human(Duration::from_millis(420)), "0.4 s");
        assert_eq!(human(Duration::from_secs(42)), "42 s");
        assert_eq!(human(Duration::from_secs(185)), "3 min 05 s");
    }
}
