//! Finding documents: all of a kind, those that have something in a field, those from a position on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::collection::{indexed, is_indexed};
use super::kind::Kind;
use super::packed::Kept;
use super::state::Doc;
use super::tx::Tx;

/// Which documents to look at, before any filter.
#[derive(Clone, Default)]
pub(crate) struct Walk<'w> {
    /// A field that they are indexed by, and what it has to be one of.
    pub(crate) by: Option<(&'w str, Vec<&'w str>)>,
    /// The positions that they lie between.
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
    /// Oldest first, rather than newest first.
    pub(crate) ascending: bool,
    /// Which times of making will do.
    pub(crate) created: Option<&'w dyn Fn(Option<i64>) -> bool>,
}

/// Documents on the way.
pub(crate) type Found<'r> = Box<dyn Iterator<Item = Arc<Doc>> + 'r>;

/// Where a document that was found is.
enum Source<'s> {
    Kept(&'s Kept),
    Changed(Arc<Doc>),
}

impl Tx<'_> {
    /// All documents of a kind, newest first, without deleted ones.
    pub(crate) fn all(&self, kind: Kind) -> Found<'_> {
        self.walk(kind, Walk::default())
    }

    /// The documents of a kind that have `value` in an indexed field, newest first, without deleted ones.
    pub(crate) fn all_with<'r>(&'r self, kind: Kind, field: &'r str, value: &'r str) -> Found<'r> {
        self.walk(kind, Walk { by: Some((field, vec![value])), ..Walk::default() })
    }

    /// Whether documents of a kind can be found by a field without a look at each.
    pub(crate) fn is_indexed(kind: Kind, field: &str) -> bool {
        is_indexed(kind, field)
    }

    /// The values of an indexed field that the kept documents of a kind have.
    pub(crate) fn values<'r>(&'r self, kind: Kind, field: &'r str) -> impl Iterator<Item = &'r str> {
        self.state.values(kind, field)
    }

    /// The documents of a kind that a walk leads past, without deleted ones.
    pub(crate) fn walk<'r>(&'r self, kind: Kind, walk: Walk<'r>) -> Found<'r> {
        let Walk { by, after, before, ascending, created } = walk;
        let bounds = (after.unwrap_or(i64::MIN), before.unwrap_or(i64::MAX));
        let fits = move |at: Option<i64>| created.is_none_or(|fits| fits(at));
        let changed = self.changed(kind, by.as_ref(), bounds, &fits);
        let kept = self.state.between(kind, by, bounds, ascending);
        // Reading a packed one costs more than looking at when it was made.
        let kept = kept.filter(move |(_, kept)| created.is_none() || fits(kept.created()));
        let found: Found = if changed.is_empty() {
            Box::new(kept.map(|(seq, kept)| kept.open(seq)))
        } else {
            let kept = kept.filter(|(seq, _)| !changed.contains_key(seq));
            let mut all: Vec<(i64, Source)> = kept.map(|(seq, kept)| (seq, Source::Kept(kept))).collect();
            all.extend(changed.into_iter().filter_map(|(seq, doc)| Some((seq, Source::Changed(doc?)))));
            all.sort_by_key(|(seq, _)| if ascending { *seq } else { -*seq });
            Box::new(all.into_iter().map(|(seq, source)| match source {
                Source::Kept(kept) => kept.open(seq),
                Source::Changed(doc) => doc,
            }))
        };
        Box::new(found.filter(|doc| !doc.is_deleted()))
    }

    /// What this transaction has changed, by position; `None` stands for what the walk no longer leads past.
    fn changed(
        &self,
        kind: Kind,
        by: Option<&(&str, Vec<&str>)>,
        (after, before): (i64, i64),
        fits: &dyn Fn(Option<i64>) -> bool,
    ) -> BTreeMap<i64, Option<Arc<Doc>>> {
        let is_wanted = |doc: &Arc<Doc>| {
            let value = |field| indexed(kind, &doc.object, field);
            fits(doc.created())
                && by.is_none_or(|(field, values)| value(field).is_some_and(|value| values.contains(&value)))
        };
        let own = self.writes.range((kind, String::new())..).take_while(|((of, _), _)| *of == kind);
        let positions = own.filter_map(|((_, id), doc)| {
            let seq = doc.as_ref().map(|doc| doc.seq).or_else(|| self.state.seq_of(kind, id))?;
            (after < seq && seq < before).then(|| (seq, doc.clone().filter(is_wanted)))
        });
        positions.collect()
    }
}
