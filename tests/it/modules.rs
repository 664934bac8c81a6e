//! Who may import whom. The map stands in `src/lib.rs`; this holds the code to it.

use std::fs;
use std::path::Path;

/// A room, and the rooms of the house it may use. Rooms not listed as one may use everything.
const RULES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &[]),
    ("config", &[]),
    ("error", &["domain"]),
    ("storage", &["clock", "domain", "error"]),
    ("notify", &["clock", "config", "error", "storage"]),
    ("accounts", &["clock", "config", "domain", "error", "notify", "storage"]),
    ("metering", &["clock", "domain", "error", "storage"]),
    ("billing", &["clock", "config", "domain", "error", "storage"]),
    ("sandbox", &["clock"]),
    ("services", &["accounts", "billing", "clock", "config", "error", "metering", "notify", "storage"]),
    ("server", &["accounts", "domain", "error"]),
    (
        "api",
        &["accounts", "billing", "clock", "domain", "error", "metering", "server", "services", "storage"],
    ),
    ("web/pages", &["accounts", "domain", "web_server"]),
    ("web/server_fns", &["accounts", "domain", "web_server"]),
    ("web/components", &["domain", "web_browser"]),
    ("web/islands", &["domain", "web_browser"]),
];

/// What a room must not name at all: its kind of work is another's.
const FOREIGN: &[(&str, &[&str])] = &[
    ("domain", &["sqlx", "axum", "leptos", "stripe", "tokio", "reqwest"]),
    ("accounts", &["sqlx::query", "axum", "leptos"]),
    ("metering", &["sqlx::query", "axum", "leptos", "stripe"]),
    ("billing", &["sqlx::query", "axum", "leptos"]),
    ("notify", &["sqlx::query", "axum", "leptos", "stripe"]),
    ("api", &["sqlx::query", "leptos"]),
    ("web", &["sqlx"]),
];

/// The floors of the sandbox, from the ground up.
const FLOORS: &[&str] = &[
    "engine",
    "webhooks",
    "http",
    "cards",
    "payments",
    "billing",
    "resources",
    "dispatch",
    "panel",
    "browser",
];

fn files(room: &Path, found: &mut Vec<(String, String)>) {
    if room.is_dir() {
        for entry in fs::read_dir(room).expect("a folder") {
            files(&entry.expect("an entry").path(), found);
        }
    } else if room.extension().is_some_and(|ending| ending == "rs") {
        found.push((room.display().to_string(), fs::read_to_string(room).expect("a file")));
    }
}

/// The files of a room, a folder or a single file.
fn room(name: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name);
    let mut found = Vec::new();
    files(&if path.is_dir() { path } else { path.with_extension("rs") }, &mut found);
    assert!(!found.is_empty(), "there is no room {name}");
    found
}

/// Code without its comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or(line))
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let mut wrong = Vec::new();
    for (name, allowed) in RULES {
        let own = name.split('/').next().unwrap_or(name);
        for (file, text) in room(name) {
            for line in code(&text) {
                for used in line.split("crate::").skip(1) {
                    let used: String =
                        used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                    if !used.is_empty() && used != own && !allowed.contains(&used.as_str()) {
                        wrong.push(format!("{file} uses {used}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rooms_leave_other_rooms_work_alone() {
    let mut wrong = Vec::new();
    for (name, foreign) in FOREIGN {
        for (file, text) in room(name) {
            for line in code(&text) {
                for word in *foreign {
                    let outside = |at: usize| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:\"".contains(c))
                    };
                    if line.match_indices(&format!("{word}::")).any(|(at, _)| outside(at)) {
                        wrong.push(format!("{file} speaks to {word}: {}", line.trim()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_floor_of_the_sandbox_uses_only_those_below_it() {
    let mut wrong = Vec::new();
    for (height, floor) in FLOORS.iter().enumerate() {
        for (file, text) in room(&format!("sandbox/{floor}")) {
            for (_, used) in code(&text).filter_map(|line| line.split_once("sandbox::")) {
                let words: Vec<&str> = used.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
                for upper in FLOORS[height + 1..].iter().filter(|upper| words.contains(upper)) {
                    wrong.push(format!("{file} uses {upper}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
