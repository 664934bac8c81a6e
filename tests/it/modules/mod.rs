//! Who may use whom. The map stands in `src/lib.rs`, the reasons in `docs/ARCHITECTURE.md`; this holds the code to it.

mod paths;
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use paths::{Gates, Used, gates, used};
use rules::{RULES, Rule};

/// A source file by its place in the crate: `["web", "ssr", "forms"]`, and its text.
struct SourceFile {
    module: Vec<String>,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the crate but the unit tests that have one of their own.
fn source_files() -> Vec<SourceFile> {
    fn walk(folder: &Path, module: &[String], found: &mut Vec<SourceFile>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
            let nested = [module, std::slice::from_ref(&stem)].concat();
            if path.is_dir() {
                walk(&path, &nested, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") && stem != "tests" {
                let module = if stem == "mod" { module.to_vec() } else { nested };
                found.push(SourceFile { module, text: fs::read_to_string(&path).expect("a file") });
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &[], &mut found);
    assert!(found.len() > 100, "only {} files", found.len());
    found
}

/// The names by which the manifest's dependencies are known in code.
fn crates() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let dependencies = manifest.split_once("\n[dependencies]\n").expect("dependencies").1;
    let dependencies = dependencies.split("\n[dev-dependencies]").next().expect("dependencies");
    let names = dependencies.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    // `async-stripe-billing` is `stripe_billing` in code.
    let in_code =
        names.map(|name| name.strip_prefix("async-").filter(|n| n.starts_with("stripe")).unwrap_or(name));
    in_code.filter(|name| !name.starts_with(' ')).map(|name| name.replace('-', "_")).collect()
}

/// What is wrong with one file.
fn violations(file: &SourceFile, crates: &BTreeSet<String>) -> Vec<String> {
    let name = file.module.join("/");
    let Some(rule) = Rule::of_file(&file.module) else {
        return vec![format!("{name} falls under no rule")];
    };
    let all = used(&file.text, &file.module, crates).expect("the file is Rust");
    all.iter().filter(|used| !rule.allows(used)).map(|used| format!("{name} uses {used:?}")).collect()
}

#[test]
fn every_module_uses_only_what_it_may() {
    let crates = crates();
    let wrong: Vec<_> = source_files().iter().flat_map(|file| violations(file, &crates)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_is_about_a_module_that_exists() {
    let files = source_files();
    for rule in RULES {
        let found =
            files.iter().any(|file| Rule::of_file(&file.module).is_some_and(|of| of.module == rule.module));
        assert!(found, "there is no module {}", rule.module);
    }
}

/// Feature gates stand on `mod` lines of `lib.rs` and `web/mod.rs`, and on derives in `domain`; files stand where their
/// modules say.
#[test]
fn gates_stand_on_modules_and_derives() {
    for file in source_files() {
        let name = file.module.join("/");
        let found = gates(&file.text).expect("the file is Rust");
        let may_gate = matches!(name.as_str(), "lib" | "web");
        let may_derive = file.module.first().is_some_and(|module| module == "domain");
        let expected = Gates {
            on_modules: if may_gate { found.on_modules } else { 0 },
            derives: if may_derive { found.derives } else { 0 },
            ..Gates::default()
        };
        assert_eq!(found, expected, "{name}");
    }
}

/// Each breaks one rule, in a way of its own.
#[test]
fn the_check_sees_code_that_breaks_a_rule() {
    let breaches = [
        ("metering", "use sqlx::query;"),
        ("metering", "use sqlx::{self as database};"),
        ("metering", r#"async fn f() { sqlx::query("SELECT 1"); }"#),
        ("metering", r#"async fn f() { sqlx::query_as::<_, (i64,)>("SELECT 1"); }"#),
        ("metering", r#"async fn f() { ::sqlx::query("SELECT 1"); }"#),
        ("metering", r#"fn f() { dbg!(vec![sqlx::query("SELECT 1")]); }"#),
        ("metering", "fn f(a: stripe_shared::Invoice) {}"),
        ("metering", "use crate::{domain::Plan, http};"),
        ("metering", "use crate::{domain, web::{ssr, pages}};"),
        ("metering", "use super::api::json;"),
        ("metering", "mod inner { use super::super::api; }"),
        ("metering", "use crate as tollgate_itself; fn f() { tollgate_itself::api::routes(); }"),
        ("accounts/team", "fn f() { leptos_axum::redirect(\"/\"); }"),
        ("accounts/team", "use super::super::http::problem;"),
        ("accounts/team", "fn f() { println!(\"{}\", crate::api::NAME); }"),
        ("billing/sync", "use axum::Json;"),
        ("notify", "impl From<stripe::StripeError> for E {}"),
        ("domain/plan", "use crate::storage::Store;"),
        ("domain/plan", "#[derive(sqlx::FromRow)] struct Plan;"),
        ("domain/plan", "use tokio::time;"),
        ("storage/users", "use crate::accounts::Accounts;"),
        ("storage/users", "macro_rules! user { () => { $crate::accounts::User } }"),
        ("storage/users", "macro_rules! user { () => { use $crate::{domain::User, accounts::team}; } }"),
        ("storage/users", "use reqwest::Client;"),
        ("http/problem", "use leptos::prelude::*;"),
        ("api/plans", "use sqlx::query;"),
        ("api/plans", "use crate::web::pages;"),
        ("web/pages/team", "use crate::storage::Store;"),
        ("web/pages/team", "async fn f() { crate::storage::Store::open(\"\").await; }"),
        ("web/components/bar", "use crate::accounts::Accounts;"),
        ("web/islands/checkout", "use crate::web::ssr::context;"),
        ("web/server_fns/team", "use sqlx::query;"),
        ("web/server_fns/team", "use crate::storage::Store;"),
        ("web/ssr/forms", "use crate::storage::Store;"),
        ("web/client/stripe", "use crate::web::ssr;"),
        ("web/format", "use crate::services::Services;"),
        ("cli", "use crate::web::pages;"),
        ("start", "use sqlx::query;"),
        ("jobs", "use axum::Router;"),
        ("demo", "use crate::http;"),
        ("router", "use sqlx::query;"),
        ("services", "use axum::Router;"),
        ("config", "use crate::storage::Store;"),
        ("clock", "use crate::config::Config;"),
        ("error", "use crate::storage::Store;"),
        ("reports", "use crate::metering::Metering;"),
        ("exports", "use std::fmt;"),
        ("web/admin", "use std::fmt;"),
    ];
    let crates = crates();
    for (module, code) in breaches {
        let module = module.split('/').map(str::to_owned).collect();
        let file = SourceFile { module, text: code.to_owned() };
        assert!(!violations(&file, &crates).is_empty(), "not seen: {code}");
    }
}

#[test]
fn the_check_lets_pass_what_breaks_none() {
    let allowed = [
        ("metering", "use crate::{domain::Plan, storage::Store};"),
        ("metering", "mod writer; use writer::Writer; fn f() { writer::start(); }"),
        ("metering", "/// See `crate::api` and sqlx::query.\nfn f() { let text = \"sqlx::query\"; }"),
        ("metering", "#[cfg(test)] mod tests { use crate::api; use sqlx::query; }"),
        ("storage/users", r#"async fn f() { sqlx::query("SELECT 1"); }"#),
        ("web/pages/team", "use super::super::components::bar;"),
        ("web/islands/checkout", "fn f(sqlx: u8) -> u8 { sqlx }"),
    ];
    let crates = crates();
    for (module, code) in allowed {
        let module = module.split('/').map(str::to_owned).collect();
        let file = SourceFile { module, text: code.to_owned() };
        assert_eq!(violations(&file, &crates), [""; 0], "{code}");
    }
}

#[test]
fn the_check_sees_gates_wherever_they_stand() {
    let elsewhere = [
        "#[cfg(feature = \"ssr\")] fn f() {}",
        "#[cfg(feature = \"ssr\")] use a::b;",
        "fn f() { #[cfg(not(feature = \"ssr\"))] let a = 1; }",
        "fn f() { if cfg!(feature = \"ssr\") {} }",
        "mod a { #[cfg(any(feature = \"ssr\", test))] fn f() {} }",
        "struct S { #[cfg(feature = \"ssr\")] a: u8 }",
    ];
    for code in elsewhere {
        assert_eq!(gates(code).unwrap(), Gates { elsewhere: 1, ..Gates::default() }, "{code}");
    }
    let derive = "#[cfg_attr(feature = \"ssr\", derive(Debug))] struct S;";
    assert_eq!(gates(derive).unwrap(), Gates { derives: 1, ..Gates::default() });
    let path = "#[path = \"../a.rs\"] mod a;";
    assert_eq!(gates(path).unwrap(), Gates { paths: 1, ..Gates::default() });
    let module = "#[cfg(feature = \"ssr\")] mod a;";
    assert_eq!(gates(module).unwrap(), Gates { on_modules: 1, ..Gates::default() });
}

#[test]
fn names_are_resolved_as_the_compiler_does() {
    let crates = BTreeSet::from(["sqlx".to_owned()]);
    let own = |path: &str| Used::Own(path.split("::").map(str::to_owned).collect());
    let module = ["a".to_owned(), "b".to_owned()];
    for (code, expected) in [
        ("use super::c::D;", own("a::c::D")),
        ("use self::c::D;", own("a::b::c::D")),
        ("mod c; fn f() { c::d(); }", own("a::b::c::d")),
        ("use crate::x as y; fn f() { y::z(); }", own("x::z")),
        ("mod c { fn f() { super::super::d(); } }", own("a::d")),
        ("fn f() { format!(\"{}\", super::NAME); }", own("a::NAME")),
        ("use sqlx::query as ask; fn f() { ask(); }", Used::External(vec!["sqlx".into(), "query".into()])),
    ] {
        assert!(used(code, &module, &crates).unwrap().contains(&expected), "{code}");
    }
}
