//! Every statement on a table that a group owns in bulk names the group, so that the same program runs where these
//! tables are spread over many machines by `group_id` (`docs/SCALE.md`): a statement that doesn't would ask all of them.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Lit, LitStr};

/// The tables that are spread.
const BULK: [&str; 8] = [
    "usage_events",
    "usage_summaries",
    "usage_quarters",
    "usage_shares",
    "invoices",
    "invoice_lines",
    "credit_notes",
    "refunds",
];

/// The texts in the code that may be SQL, those inside macros too, without the unit tests.
fn literals(source: &str) -> Vec<String> {
    fn walk(tokens: TokenStream, found: &mut Vec<String>) {
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => walk(group.stream(), found),
                TokenTree::Literal(literal) => {
                    if let Lit::Str(text) = Lit::new(literal) {
                        found.push(LitStr::value(&text));
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
    let code = source.split("#[cfg(test)]").next().expect("a beginning");
    let mut found = Vec::new();
    walk(code.parse().expect("the file is Rust"), &mut found);
    found
}

/// Names and signs, in lower case: `u.group_id` is one, `(` is one.
fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    for c in sql.chars() {
        if c.is_alphanumeric() || "_.$".contains(c) {
            token.extend(c.to_lowercase());
            continue;
        }
        if !token.is_empty() {
            tokens.push(std::mem::take(&mut token));
        }
        if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    tokens.extend(Some(token).filter(|token| !token.is_empty()));
    tokens
}

/// What stands in the parentheses that open at `at`.
fn list(tokens: &[String], at: usize) -> &[String] {
    let end = tokens[at..].iter().position(|token| token == ")").map_or(tokens.len(), |length| at + length);
    &tokens[at..end]
}

/// Every file under a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// What is wrong with a statement, or a part of one.
fn violations(sql: &str) -> Vec<String> {
    let tokens = tokens(sql);
    let mut wrong = Vec::new();
    for (at, table) in tokens.iter().enumerate().filter(|(_, token)| BULK.contains(&token.as_str())) {
        let before = at.checked_sub(1).map_or("", |before| tokens[before].as_str());
        match before {
            "into" => {
                if !list(&tokens, at).iter().any(|column| column == "group_id") {
                    wrong.push(format!("inserts into {table} without group_id"));
                }
                let conflict = tokens.windows(2).position(|pair| pair == ["on", "conflict"]);
                if conflict.is_some_and(|at| !list(&tokens, at).iter().any(|column| column == "group_id")) {
                    wrong.push(format!("a conflict on {table} without group_id"));
                }
            }
            "from" | "join" | "update" => {
                let alias = match tokens.get(at + 1).map(String::as_str) {
                    Some("as") => tokens.get(at + 2),
                    next => tokens.get(at + 1).filter(|_| !next.is_some_and(is_keyword)),
                };
                let column = alias.map_or_else(|| "group_id".to_owned(), |alias| format!("{alias}.group_id"));
                let qualified = format!("{table}.group_id");
                let is_column = |token: &String| *token == column || (alias.is_none() && *token == qualified);
                let compared =
                    tokens[at..].windows(3).any(|window| {
                        (is_column(&window[0]) && ["=", "in"].contains(&window[1].as_str()))
                            || (is_column(&window[2]) && window[1] == "=")
                    }) || tokens[at..].windows(2).any(|window| window[0] == "=" && is_column(&window[1]));
                if !compared {
                    wrong.push(format!("{before} {table} without a condition on {column}"));
                }
            }
            _ => {}
        }
    }
    wrong
}

fn is_keyword(token: &str) -> bool {
    let keywords = ["set", "where", "on", "join", "left", "order", "group", "limit", "cross", ")", ",", ";"];
    keywords.contains(&token)
}

#[test]
fn every_statement_on_a_group_s_bulk_names_the_group() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage"), &mut paths);
    let (mut wrong, mut statements) = (Vec::new(), 0);
    for path in paths {
        for literal in literals(&fs::read_to_string(&path).expect("a file")) {
            statements += usize::from(BULK.iter().any(|table| literal.contains(table)));
            wrong.extend(violations(&literal).into_iter().map(|what| format!("{}: {what}", path.display())));
        }
    }
    assert!(statements >= 8, "only {statements} statements were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_sees_a_statement_that_leaves_the_group_out() {
    for sql in [
        "SELECT * FROM usage_events WHERE external_id = $1",
        "SELECT group_id FROM usage_events WHERE external_id = $1",
        "SELECT 1 FROM subscriptions s LEFT JOIN usage_summaries u ON u.subscription_id = s.id WHERE s.group_id = $1",
        "SELECT 1 FROM usage_summaries AS u WHERE u.id = $1 ORDER BY u.group_id",
        "UPDATE usage_summaries SET llm_used = llm_used + $1 WHERE id = $2",
        "UPDATE usage_summaries u SET llm_used = 1 FROM batch b WHERE b.id = u.id",
        "DELETE FROM usage_summaries WHERE subscription_id = $1",
        "INSERT INTO usage_events (external_id, summary_id) VALUES ($1, $2)",
        "INSERT INTO usage_summaries (group_id, id) VALUES ($1, $2) ON CONFLICT (subscription_id) DO NOTHING",
        "FROM usage_summaries u JOIN subscriptions s ON s.id = u.subscription_id WHERE u.period_end > $1",
    ] {
        assert!(!violations(sql).is_empty(), "not seen: {sql}");
    }
    for sql in [
        "SELECT * FROM usage_events WHERE group_id = $1 AND external_id = $2",
        "SELECT 1 FROM subscriptions s LEFT JOIN usage_summaries u ON u.group_id = s.group_id AND u.id = s.id",
        "SELECT 1 FROM subscriptions s JOIN usage_summaries u ON s.group_id = u.group_id",
        "SELECT 1 FROM usage_summaries AS u WHERE u.group_id IN (SELECT 1)",
        "UPDATE usage_summaries SET llm_used = 1 WHERE usage_summaries.group_id = $1",
        "INSERT INTO usage_summaries (group_id, id) VALUES ($1, $2) ON CONFLICT (group_id, id) DO NOTHING",
        "DELETE FROM sessions WHERE id_hash = $1",
    ] {
        assert_eq!(violations(sql), [""; 0], "{sql}");
    }
    let code = r#"macro_rules! m { () => { concat!("DELETE FROM usage_events ", "WHERE id = 1") } }"#;
    assert_eq!(literals(code), ["DELETE FROM usage_events ", "WHERE id = 1"]);
}

/// Keys that begin with the group let an engine keep a group's rows together, and check them where they are.
#[test]
fn the_keys_of_a_group_s_bulk_begin_with_the_group() {
    for database in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        for entry in fs::read_dir(folder).expect("a folder") {
            let sql = fs::read_to_string(entry.expect("an entry").path()).expect("a file");
            let code: String = sql
                .lines()
                .filter(|line| !line.trim_start().starts_with("--"))
                .collect::<Vec<_>>()
                .join("\n");
            for statement in code.split(';') {
                let tokens = tokens(statement);
                let table = tokens.windows(2).find(|pair| pair[0] == "table").map(|pair| pair[1].clone());
                let owned = table.as_ref().is_some_and(|table| BULK.contains(&table.as_str()));
                for (at, token) in tokens.iter().enumerate() {
                    let is_key = owned && ["key", "unique"].contains(&token.as_str());
                    let refers = token == "references" && BULK.contains(&tokens[at + 1].as_str());
                    if is_key || refers {
                        let columns = list(&tokens, at + usize::from(refers));
                        assert!(
                            columns.get(2).is_some_and(|first| first == "group_id"),
                            "{table:?}: {columns:?}"
                        );
                    }
                }
            }
        }
    }
}
