//! Holds the modules to their layers: each uses what is below it, and nothing else of the crate.

use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{File, ItemExternCrate, ItemMod, ItemUse, Macro, UseTree, Visibility};

/// From the bottom up. Modules of one layer don't use each other.
const LAYERS: &[&[&str]] = &[
    &["clock", "error", "money"],
    &["engine"],
    &["webhooks"],
    &["http"],
    &["cards"],
    &["payments"],
    &["billing"],
    &["resources"],
    &["dispatch"],
    &["panel", "browser", "cli"],
];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// What of a module's code uses something that isn't below the module.
struct Check {
    /// The module that is being read, from the crate's root.
    module: Vec<String>,
    violations: Vec<String>,
}

impl Check {
    /// The violations in the file of `module`.
    fn run(module: &[&str], source: &str) -> Vec<String> {
        let file: File = syn::parse_str(source).unwrap();
        let module = module.iter().map(|part| (*part).to_owned()).collect();
        let mut check = Self { module, violations: Vec::new() };
        check.visit_file(&file);
        check.violations
    }

    /// Judges a path by its parts, if it leads through the crate: `crate::…`, `super::…`, `self::…`.
    fn path(&mut self, parts: &[String]) {
        let mut at = match parts.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            // Another crate's, or a module below this one.
            _ => return,
        };
        for part in parts {
            match part.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name => at.push(name.to_owned()),
            }
        }
        let own = &self.module[0];
        let allowed = match at.first() {
            Some(target) if target == own => true,
            Some(target) => layer_of(target).zip(layer_of(own)).is_some_and(|(target, own)| target < own),
            // The root itself, from which everything can be reached.
            None => false,
        };
        if !allowed {
            self.violations.push(format!("{} uses {}", self.module.join("::"), parts.join("::")));
        }
    }

    fn use_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |part: String| [before, &[part]].concat();
        match tree {
            UseTree::Path(path) => self.use_tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.path(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.path(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.path(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(before, tree)),
        }
    }

    /// Finds the paths in what a macro is given, which isn't parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.path(&std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        _ => {}
                    }
                }
            }
        }
        self.path(&path);
    }
}

impl<'ast> Visit<'ast> for Check {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.use_tree(&[], &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        if item.ident == "self" {
            self.violations.push(format!("{} renames the crate", self.module.join("::")));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // `self` alone is a value.
        if parts != ["self"] {
            self.path(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.tokens(call.tokens.clone());
    }

    /// `pub(super)` says who may see, and uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Every file below a folder, with its module's path from the crate's root.
fn modules(folder: &Path, inside: &[String], found: &mut Vec<(Vec<String>, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if name == "mod" { inside.to_vec() } else { [inside, &[name]].concat() };
        if path.is_dir() {
            modules(&path, &module, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((module, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_module_uses_only_what_is_below_it() {
    let mut found = Vec::new();
    modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut found);
    // The root joins them all, and this is its test.
    found.retain(|(module, _)| !["lib", "layers"].contains(&&*module[0]));
    assert!(found.len() > 50, "the code is somewhere else: {}", found.len());
    let mut violations = Vec::new();
    for (module, source) in &found {
        let module: Vec<&str> = module.iter().map(String::as_str).collect();
        assert!(layer_of(module[0]).is_some(), "{} has no layer", module[0]);
        violations.extend(Check::run(&module, source));
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn what_breaks_the_rule_is_found_however_it_is_written() {
    for source in [
        "use crate::panel;",
        "use crate::panel as other;",
        "use crate::{clock::Clock, engine::{Tx, Doc}, panel::{self, layout::{page, notice}}};",
        "use super::super::panel::layout;",
        "use super::{super::{panel::layout}, state};",
        "use self::super::super::panel;",
        "use super::super::*;",
        "use super::super as root;",
        "use crate as root;",
        "extern crate self as root;",
        "pub(crate) use crate::panel::layout::page;",
        "fn page() -> crate::panel::Page { todo!() }",
        "fn page() { super::super::panel::layout::page(); }",
        "fn page() -> Vec<crate::panel::Page> { Vec::new() }",
        "fn page() { html! { p { (crate::panel::page()) } } }",
        "macro_rules! page { () => { $crate::panel::page() } }",
        "impl crate::panel::Shown for Tx {}",
        "mod inside { use super::super::super::panel; }",
        "mod inside { mod deeper { fn page() { super::super::super::super::panel::page() } } }",
        "#[cfg(test)] mod tests { use crate::panel; }",
        "fn page() { use crate::panel; }",
        "use crate::Options;",
        "use crate::unlisted::Thing;",
        "use crate::webhooks::Webhook;",
    ] {
        assert!(!Check::run(&["engine", "tx"], source).is_empty(), "{source}");
    }
    assert_eq!(Check::run(&["engine"], "use super::panel;").len(), 1);
    assert_eq!(Check::run(&["panel"], "use crate::browser;").len(), 1, "of the same layer");
    assert_eq!(Check::run(&["money"], "use crate::clock;").len(), 1, "of the same layer");
}

#[test]
fn what_keeps_to_the_rule_is_left_alone() {
    for source in [
        "use crate::{clock::Clock, engine::Tx, error::StartError as Error};",
        "use super::{super::super::money, state};",
        "use super::*;",
        "use serde_json::{Value, json};",
        "use axum::http::panel;",
        "pub(super) fn money(self: &Self) -> String { crate::money::with_sign(self.amount, \"usd\") }",
        "fn page() { html! { p { (super::state::panel()) } } }",
        "mod inside { use super::super::super::money; }",
        "pub(in crate::engine) struct Doc;",
    ] {
        assert_eq!(Check::run(&["engine", "tx"], source), [""; 0], "{source}");
    }
}
