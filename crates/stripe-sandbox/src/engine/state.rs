//! The documents in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::collection::Collection;
use super::kind::Kind;
use super::packed::Kept;

/// A document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Doc {
    /// Its position in the order of creation, across all kinds.
    #[serde(skip)]
    pub(crate) seq: i64,
    /// The object as the API shows it, but for what [`super::Tx::view`] fills in.
    pub(crate) object: Value,
    /// What the API doesn't show: a card's behaviour, whose intent this is, and such.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) hidden: Value,
}

impl Doc {
    pub(crate) fn id(&self) -> &str {
        self.object["id"].as_str().unwrap_or_default()
    }

    /// When the object was made, in Unix seconds.
    pub(crate) fn created(&self) -> Option<i64> {
        self.object["created"].as_i64()
    }

    /// Deleted objects stay as what Stripe answers for them: an id and `deleted: true`. Those that others go on showing
    /// stay whole.
    pub(crate) fn is_deleted(&self) -> bool {
        self.object["deleted"] == true || self.hidden["deleted"] == true
    }

    /// The test clock that it lives by, if not by the sandbox's own.
    pub(crate) fn test_clock(&self) -> Option<&str> {
        self.object["test_clock"].as_str()
    }

    /// Whether a delivery is still to be made.
    pub(crate) fn is_pending(&self) -> bool {
        self.object["state"] == "pending"
    }
}

/// Changes by key; `None` removes the document.
pub(super) type Writes = BTreeMap<(Kind, String), Option<Arc<Doc>>>;

/// When a document has to be seen to next, in Unix seconds, if ever.
pub(crate) type DueAt = fn(Kind, &Doc) -> Option<i64>;

/// What falls due, and when, in Unix seconds of its clock.
pub(super) type Step = (i64, Kind, String);

/// All documents, and the times at which some of them fall due.
pub(super) struct State {
    due_at: DueAt,
    collections: HashMap<Kind, Collection>,
    /// By the test clock that says when; `None` for the sandbox's own.
    due: HashMap<Option<String>, BTreeSet<Step>>,
    last_seq: i64,
    undelivered: usize,
}

impl State {
    pub(super) fn new(due_at: DueAt) -> Self {
        Self { due_at, collections: HashMap::new(), due: HashMap::new(), last_seq: 0, undelivered: 0 }
    }

    pub(super) fn get(&self, kind: Kind, id: &str) -> Option<Arc<Doc>> {
        self.collections.get(&kind)?.get(id)
    }

    /// A document's position, if there is such a document.
    pub(super) fn seq_of(&self, kind: Kind, id: &str) -> Option<i64> {
        self.collections.get(&kind)?.seq_of(id)
    }

    /// Documents of a kind between two positions, both excluded; newest first, or oldest first where `ascending`.
    pub(super) fn between<'s>(
        &'s self,
        kind: Kind,
        by: Option<(&'s str, Vec<&'s str>)>,
        bounds: (i64, i64),
        ascending: bool,
    ) -> impl Iterator<Item = (i64, &'s Kept)> {
        self.collections.get(&kind).map(|all| all.between(by, bounds, ascending)).into_iter().flatten()
    }

    /// The values of an indexed field that documents of a kind have.
    pub(super) fn values<'s>(&'s self, kind: Kind, field: &'s str) -> impl Iterator<Item = &'s str> {
        self.collections.get(&kind).into_iter().flat_map(move |all| all.values(field))
    }

    /// How many documents of a kind there are, without deleted ones.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.collections.get(&kind).map_or(0, Collection::live)
    }

    pub(super) fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// How many deliveries are still to be made.
    pub(super) fn undelivered(&self) -> usize {
        self.undelivered
    }

    /// What falls due first by a test clock, or by the sandbox's own.
    pub(super) fn first_due(&self, clock: Option<&str>) -> Option<&Step> {
        self.due.get(&clock.map(str::to_owned))?.first()
    }

    pub(super) fn apply(&mut self, writes: Writes) {
        for ((kind, id), doc) in writes {
            self.put(kind, id, doc);
        }
    }

    pub(super) fn put(&mut self, kind: Kind, id: String, doc: Option<Arc<Doc>>) {
        let collection = self.collections.entry(kind).or_default();
        if let Some(old) = collection.remove(kind, &id) {
            if let Some(at) = (self.due_at)(kind, &old) {
                let clock = old.test_clock().map(str::to_owned);
                let steps = self.due.entry(clock.clone()).or_default();
                steps.remove(&(at, kind, id.clone()));
                if steps.is_empty() {
                    self.due.remove(&clock);
                }
            }
            self.undelivered -= usize::from(is_waiting(kind, &old));
        }
        if let Some(doc) = doc {
            if let Some(at) = (self.due_at)(kind, &doc) {
                let clock = doc.test_clock().map(str::to_owned);
                self.due.entry(clock).or_default().insert((at, kind, id.clone()));
            }
            self.undelivered += usize::from(is_waiting(kind, &doc));
            self.last_seq = self.last_seq.max(doc.seq);
            collection.insert(kind, &id, doc);
        }
    }
}

fn is_waiting(kind: Kind, doc: &Doc) -> bool {
    kind == Kind::Delivery && doc.is_pending()
}
