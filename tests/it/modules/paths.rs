//! Every path that a source file names, resolved: what it uses of its own crate and of others.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemMod, ItemUse, Macro, Meta, UseTree};

/// Something that a file uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Used {
    /// Of this crate, from its root: `["storage", "Store"]`.
    Own(Vec<String>),
    /// Of another crate, whose name comes first: `["sqlx", "query"]`.
    External(Vec<String>),
}

/// What stands in a file apart from its paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// `#[cfg(feature = …)]` on a `mod` line.
    pub on_modules: usize,
    /// Gates on anything else, in attributes or as `cfg!(…)`.
    pub elsewhere: usize,
    /// `#[cfg_attr(feature = …, …)]`.
    pub derives: usize,
    /// `#[path = …]`.
    pub paths: usize,
}

/// What the file of the module `module` (`["web", "ssr"]`) uses outside its unit tests. `crates` are the names by
/// which other crates are known.
pub fn used(source: &str, module: &[String], crates: &BTreeSet<String>) -> syn::Result<BTreeSet<Used>> {
    let file = syn::parse_file(source)?;
    let mut collector = Collector {
        crates,
        scope: Scope::new(module.to_vec(), &file.items),
        outer: Vec::new(),
        found: BTreeSet::new(),
    };
    collector.visit_file(&file);
    Ok(collector.found)
}

/// The gates of a file.
pub fn gates(source: &str) -> syn::Result<Gates> {
    let file: File = syn::parse_file(source)?;
    let mut gates = Gates::default();
    gates.visit_file(&file);
    Ok(gates)
}

/// A module as names are looked up in it.
struct Scope {
    module: Vec<String>,
    /// What `use` and `mod` bring into it: by name, the path as it stands there.
    names: BTreeMap<String, Vec<String>>,
    /// The modules declared in it, which hide crates of the same name.
    modules: BTreeSet<String>,
}

impl Scope {
    fn new(module: Vec<String>, items: &[Item]) -> Self {
        let declared = items.iter().filter_map(|item| match item {
            Item::Mod(item) => Some(item.ident.to_string()),
            _ => None,
        });
        Self { module, names: names(items), modules: declared.collect() }
    }
}

struct Collector<'a> {
    crates: &'a BTreeSet<String>,
    scope: Scope,
    outer: Vec<Scope>,
    found: BTreeSet<Used>,
}

impl Collector<'_> {
    fn add(&mut self, path: &[String]) {
        if let Some(used) = self.resolve(path, 0) {
            self.found.insert(used);
        }
    }

    fn resolve(&self, path: &[String], depth: usize) -> Option<Used> {
        let (first, rest) = path.split_first()?;
        let own = |module: &[String], rest: &[String]| Some(Used::Own([module, rest].concat()));
        match first.as_str() {
            "crate" | "tollgate" => own(&[], rest),
            "self" => own(&self.scope.module, rest),
            "super" => {
                let supers = path.iter().take_while(|segment| *segment == "super").count();
                let module = &self.scope.module[..self.scope.module.len().saturating_sub(supers)];
                own(module, &path[supers..])
            }
            "std" | "core" | "alloc" => None,
            name => match self.scope.names.get(name) {
                // `use a::b; b::c` is `a::b::c`. A name may stand for itself (`use serde_json;`).
                Some(target) if depth < 8 && target != path && target.first() != Some(first) => {
                    self.resolve(&[target.as_slice(), rest].concat(), depth + 1)
                }
                Some(target) if target.first().is_some_and(|root| self.crates.contains(root)) => {
                    Some(Used::External([target.as_slice(), rest].concat()))
                }
                _ if self.crates.contains(name) => Some(Used::External(path.to_vec())),
                _ => None,
            },
        }
    }

    /// Paths in the tokens of a macro: `a::b`, `$crate::a`, `a::{b, c}`.
    fn add_tokens(&mut self, tokens: TokenStream, prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut trees = tokens.into_iter().peekable();
        while let Some(tree) = trees.next() {
            match tree {
                TokenTree::Ident(ident) => {
                    path.push(ident.to_string());
                    if !is_separator(&mut trees) {
                        self.add_path_of_tokens(&mut path, prefix);
                    }
                }
                TokenTree::Group(group) => {
                    let continues = group.delimiter() == Delimiter::Brace && path.len() > prefix.len();
                    let nested = if continues { path.clone() } else { prefix.to_vec() };
                    self.add_tokens(group.stream(), if continues { &nested } else { &[] });
                    path = prefix.to_vec();
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => path = prefix.to_vec(),
            }
        }
    }

    fn add_path_of_tokens(&mut self, path: &mut Vec<String>, prefix: &[String]) {
        if path.len() > 1 {
            self.add(path);
        }
        *path = prefix.to_vec();
    }
}

/// Takes a `::` off the front.
fn is_separator(trees: &mut std::iter::Peekable<impl Iterator<Item = TokenTree>>) -> bool {
    let is_colon = |tree: Option<&TokenTree>| matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == proc_macro2::Spacing::Joint);
    if is_colon(trees.peek()) {
        trees.next();
        trees.next();
        return true;
    }
    false
}

/// The names that items bring into their module.
fn names(items: &[Item]) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::new();
    for item in items {
        match item {
            Item::Use(item) => {
                for (name, path) in flatten(&item.tree, &[]) {
                    names.insert(name, path);
                }
            }
            Item::Mod(item) => {
                names.insert(item.ident.to_string(), vec!["self".into(), item.ident.to_string()]);
            }
            _ => {}
        }
    }
    names
}

/// The paths of a `use`, each with the name it is known by afterwards (`*` for all).
fn flatten(tree: &UseTree, prefix: &[String]) -> Vec<(String, Vec<String>)> {
    let with = |name: &str| [prefix, &[name.to_owned()]].concat();
    match tree {
        UseTree::Path(path) => flatten(&path.tree, &with(&path.ident.to_string())),
        UseTree::Name(name) if name.ident == "self" => {
            vec![(prefix.last().cloned().unwrap_or_default(), prefix.to_vec())]
        }
        UseTree::Name(name) => vec![(name.ident.to_string(), with(&name.ident.to_string()))],
        UseTree::Rename(rename) if rename.ident == "self" => {
            vec![(rename.rename.to_string(), prefix.to_vec())]
        }
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), with(&rename.ident.to_string()))],
        UseTree::Glob(_) => vec![("*".into(), prefix.to_vec())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| flatten(tree, prefix)).collect(),
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, Meta::List(list) if list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        let Some((_, items)) = &item.content else { return };
        let module = [self.scope.module.as_slice(), &[item.ident.to_string()]].concat();
        let inner = Scope::new(module, items);
        self.outer.push(std::mem::replace(&mut self.scope, inner));
        visit::visit_item_mod(self, item);
        if let Some(outer) = self.outer.pop() {
            self.scope = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for (_, path) in flatten(&item.tree, &[]) {
            let is_module = |name: &String| self.scope.modules.contains(name);
            match path.first() {
                Some(name) if self.crates.contains(name) && !is_module(name) => {
                    self.found.insert(Used::External(path));
                }
                _ => self.add(&path),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // `<T>::f` has the colon too.
        if path.leading_colon.is_some() && self.crates.contains(&segments[0]) {
            self.found.insert(Used::External(segments));
        } else if segments.len() > 1 || self.scope.names.contains_key(&segments[0]) {
            self.add(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.add_tokens(item.tokens.clone(), &[]);
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.add_tokens(list.tokens.clone(), &[]);
        }
        visit::visit_attribute(self, attribute);
    }
}

/// Whether tokens name a feature.
fn names_feature(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == "feature",
        TokenTree::Group(group) => names_feature(&group.stream()),
        _ => false,
    })
}

impl Gates {
    fn add(&mut self, attributes: &[Attribute], on_module: bool) {
        for attribute in attributes {
            let name = attribute.path().get_ident().map(ToString::to_string).unwrap_or_default();
            let gated = matches!(&attribute.meta, Meta::List(list) if names_feature(&list.tokens));
            match name.as_str() {
                "path" => self.paths += 1,
                "cfg" if gated && on_module => self.on_modules += 1,
                "cfg" if gated => self.elsewhere += 1,
                "cfg_attr" if gated => self.derives += 1,
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Gates {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.add(&item.attrs, true);
        for item in item.content.iter().flat_map(|(_, items)| items) {
            self.visit_item(item);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.add(std::slice::from_ref(attribute), false);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        // The crate's refusal to be built for both sides at once.
        if !item.mac.path.is_ident("compile_error") {
            visit::visit_item_macro(self, item);
        }
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        if item.path.is_ident("cfg") && names_feature(&item.tokens) {
            self.elsewhere += 1;
        }
    }
}
