//! The documents of one kind: by id, in the order of their making, and by the fields that lists are filtered by.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::Excluded;
use std::sync::Arc;

use serde_json::Value;

use super::kind::Kind;
use super::objects::Invoice;
use super::packed::Kept;
use super::state::Doc;

/// The fields that documents of any kind can be found by, where they have them as texts.
const INDEXED: [&str; 12] = [
    "charge",
    "collection_method",
    "customer",
    "email",
    "invoice",
    "payment_intent",
    "product",
    "setup_intent",
    "source",
    "status",
    "subscription",
    "test_clock",
];

/// Positions by value, in order.
type Index = HashMap<Box<str>, Vec<i64>>;

#[derive(Default)]
pub(super) struct Collection {
    seqs: HashMap<Box<str>, i64>,
    docs: BTreeMap<i64, Kept>,
    live: usize,
    indexes: HashMap<&'static str, Index>,
}

/// Whether documents of a kind can be found by a field.
pub(super) fn is_indexed(kind: Kind, field: &str) -> bool {
    match field {
        "type" => kind == Kind::Event,
        "state" => kind == Kind::Delivery,
        "currency" => kind == Kind::BalanceTransaction,
        _ => INDEXED.contains(&field),
    }
}

/// What an indexed field of a document is.
pub(super) fn indexed<'a>(kind: Kind, object: &'a Value, field: &str) -> Option<&'a str> {
    match (kind, field) {
        // Where invoices name theirs.
        (Kind::Invoice, "subscription") => Invoice(object).subscription(),
        _ => object[field].as_str(),
    }
}

impl Collection {
    pub(super) fn get(&self, id: &str) -> Option<Arc<Doc>> {
        let seq = self.seq_of(id)?;
        self.docs.get(&seq).map(|kept| kept.open(seq))
    }

    pub(super) fn seq_of(&self, id: &str) -> Option<i64> {
        self.seqs.get(id).copied()
    }

    /// How many there are, without deleted ones.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn between(
        &self,
        by: Option<(&str, Vec<&str>)>,
        (after, before): (i64, i64),
        ascending: bool,
    ) -> Box<dyn Iterator<Item = (i64, &Kept)> + '_> {
        let Some((field, values)) = by else {
            let range = self.docs.range((Excluded(after), Excluded(before))).map(|(seq, kept)| (*seq, kept));
            return if ascending { Box::new(range) } else { Box::new(range.rev()) };
        };
        let cut = |value: &str| {
            let seqs =
                self.indexes.get(field).and_then(|index| index.get(value)).map_or(&[][..], Vec::as_slice);
            let from = seqs.partition_point(|seq| *seq <= after);
            &seqs[from..seqs.partition_point(|seq| *seq < before).max(from)]
        };
        if let [value] = values[..] {
            return self.at(cut(value).iter().copied(), ascending);
        }
        let mut seqs: Vec<i64> = values.into_iter().flat_map(cut).copied().collect();
        seqs.sort_unstable();
        seqs.dedup();
        self.at(seqs.into_iter(), ascending)
    }

    /// The documents at these positions.
    fn at<'s>(
        &'s self,
        seqs: impl DoubleEndedIterator<Item = i64> + 's,
        ascending: bool,
    ) -> Box<dyn Iterator<Item = (i64, &'s Kept)> + 's> {
        let found = seqs.filter_map(|seq| Some((seq, self.docs.get(&seq)?)));
        if ascending { Box::new(found) } else { Box::new(found.rev()) }
    }

    pub(super) fn values<'s>(&'s self, field: &'s str) -> impl Iterator<Item = &'s str> {
        self.indexes.get(field).into_iter().flat_map(|index| index.keys().map(|value| &**value))
    }

    pub(super) fn insert(&mut self, kind: Kind, id: &str, doc: Arc<Doc>) {
        let seq = doc.seq;
        for (field, value) in places(kind, &doc.object) {
            let index = self.indexes.entry(field).or_default();
            match index.get_mut(value) {
                Some(seqs) => {
                    if let Err(at) = seqs.binary_search(&seq) {
                        seqs.insert(at, seq);
                    }
                }
                None => drop(index.insert(value.into(), vec![seq])),
            }
        }
        self.live += usize::from(!doc.is_deleted());
        self.seqs.insert(id.into(), seq);
        self.docs.insert(seq, Kept::new(kind, doc));
    }

    pub(super) fn remove(&mut self, kind: Kind, id: &str) -> Option<Arc<Doc>> {
        let seq = self.seqs.remove(id)?;
        let doc = self.docs.remove(&seq)?.open(seq);
        self.live -= usize::from(!doc.is_deleted());
        for (field, value) in places(kind, &doc.object) {
            let Some(index) = self.indexes.get_mut(field) else { continue };
            let Some(seqs) = index.get_mut(value) else { continue };
            if let Ok(at) = seqs.binary_search(&seq) {
                seqs.remove(at);
            }
            if seqs.is_empty() {
                index.remove(value);
            }
        }
        Some(doc)
    }
}

/// Where a document stands in the indexes.
fn places(kind: Kind, object: &Value) -> impl Iterator<Item = (&'static str, &str)> {
    let fields =
        INDEXED.into_iter().chain(["type", "state", "currency"]).filter(move |field| is_indexed(kind, field));
    fields.filter_map(move |field| Some((field, indexed(kind, object, field)?)))
}
