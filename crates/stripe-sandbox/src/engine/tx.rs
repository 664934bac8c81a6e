//! A transaction: what a request reads, changes and announces before any of it is kept.

use std::sync::Arc;

use serde_json::{Value, json};

use super::error::ApiError;
use super::kind::Kind;
use super::state::{Doc, State, Writes};

/// Where a change comes from, as its events show. Both empty: from the passing of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// Reads and changes, seen by itself only until it is committed.
pub(crate) struct Tx<'a> {
    pub(super) state: &'a State,
    pub(super) writes: Writes,
    pub(super) events: Vec<Value>,
    pub(super) deliveries: Vec<String>,
    /// The events that listeners are to be told of.
    pub(super) told: Vec<String>,
    last_seq: i64,
    now: i64,
    pub(super) wall: i64,
    base_url: &'a str,
    pub(super) cause: Cause,
}

impl<'a> Tx<'a> {
    /// `now` is the time of the objects it touches, `wall` the sandbox's own, both Unix seconds; `base_url` is
    /// the sandbox's address.
    pub(super) fn new(state: &'a State, now: i64, wall: i64, base_url: &'a str, cause: Cause) -> Self {
        Self {
            state,
            writes: Writes::new(),
            events: Vec::new(),
            deliveries: Vec::new(),
            told: Vec::new(),
            last_seq: state.last_seq(),
            now,
            wall,
            base_url,
            cause,
        }
    }

    /// The time of the objects in hand, in Unix seconds. Nothing else may be asked for it: this is what a
    /// step that fell due earlier, or a customer's own clock, changes.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Does something of which nothing stays, neither changes nor events nor the time.
    pub(crate) fn provisionally<T>(&mut self, with: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.writes.clone(), self.events.len(), self.deliveries.len(), self.last_seq, self.now);
        let outcome = with(self);
        let (writes, events, deliveries, last_seq, now) = before;
        (self.writes, self.last_seq, self.now) = (writes, last_seq, now);
        self.events.truncate(events);
        self.deliveries.truncate(deliveries);
        outcome
    }

    /// Goes on at another time: that of the test clock which the objects in hand live by, or one that is looked ahead to.
    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// The sandbox's own time, in Unix seconds, whatever that of the objects in hand is.
    pub(crate) fn wall(&self) -> i64 {
        self.wall
    }

    /// The sandbox's address, without a slash at the end.
    pub(crate) fn base_url(&self) -> &'a str {
        self.base_url
    }

    pub(crate) fn get(&self, kind: Kind, id: &str) -> Option<Arc<Doc>> {
        match self.writes.get(&(kind, id.to_owned())) {
            Some(written) => written.clone(),
            None => self.state.get(kind, id),
        }
    }

    /// The document named by the parameter `param`, `id` standing for the address itself.
    ///
    /// # Errors
    /// `resource_missing` if it isn't there or was deleted.
    pub(crate) fn find(&self, kind: Kind, id: &str, param: &str) -> Result<Arc<Doc>, ApiError> {
        self.get(kind, id).filter(|doc| !doc.is_deleted()).ok_or_else(|| ApiError::missing(kind, id, param))
    }

    /// Keeps a new object, which must have an `id`.
    pub(crate) fn insert(&mut self, kind: Kind, object: Value, hidden: Value) {
        self.last_seq += 1;
        let doc = Doc { seq: self.last_seq, object, hidden };
        self.writes.insert((kind, doc.id().to_owned()), Some(Arc::new(doc)));
    }

    /// Changes a document in place; does nothing if it isn't there.
    pub(crate) fn change(&mut self, kind: Kind, id: &str, with: impl FnOnce(&mut Doc)) {
        if let Some(doc) = self.get(kind, id) {
            let mut doc = Arc::unwrap_or_clone(doc);
            with(&mut doc);
            self.writes.insert((kind, id.to_owned()), Some(Arc::new(doc)));
        }
    }

    /// Changes a document and announces it as `event` with what the changed fields were before. A change
    /// that changes nothing is not announced, as at Stripe.
    pub(crate) fn update(&mut self, kind: Kind, id: &str, event: &str, with: impl FnOnce(&mut Doc)) {
        let before = self.view(kind, id);
        self.change(kind, id, with);
        if let Some(before) = before {
            self.emit_changes(&before, event, kind, id);
        }
    }

    /// Announces as `event` what has changed in an object since it was shown like this, if anything has.
    pub(crate) fn emit_changes(&mut self, before: &Value, event: &str, kind: Kind, id: &str) {
        self.emit_changes_at(self.mark(), before, event, kind, id);
    }

    /// As [`Tx::emit_changes`], at an earlier position.
    pub(crate) fn emit_changes_at(&mut self, mark: usize, before: &Value, event: &str, kind: Kind, id: &str) {
        if let Some(after) = self.view(kind, id)
            && let Some(previous) = difference(before, &after)
        {
            let data = json!({"object": after, "previous_attributes": previous});
            self.events.insert(mark, json!({"type": event, "data": data}));
        }
    }

    /// As [`Tx::emit_changes`], of an object that is another's in a different shape.
    pub(crate) fn emit_difference(&mut self, event: &str, before: &Value, after: Value) {
        if let Some(previous) = difference(before, &after) {
            let data = json!({"object": after, "previous_attributes": previous});
            self.events.push(json!({"type": event, "data": data}));
        }
    }

    /// Leaves of a document only that it was deleted.
    pub(crate) fn mark_deleted(&mut self, kind: Kind, id: &str) -> Value {
        let tombstone = json!({"id": id, "object": kind.object(), "deleted": true});
        self.change(kind, id, |doc| doc.object = tombstone.clone());
        tombstone
    }

    /// Removes a document without a trace.
    pub(crate) fn remove(&mut self, kind: Kind, id: &str) {
        self.writes.insert((kind, id.to_owned()), None);
    }

    /// Announces an object as it is now.
    pub(crate) fn emit(&mut self, event: &str, kind: Kind, id: &str) {
        let at = self.mark();
        self.emit_at(at, event, kind, id);
    }

    /// Announces an object that is another's in a different shape.
    pub(crate) fn emit_object(&mut self, event: &str, object: Value) {
        self.events.push(json!({"type": event, "data": {"object": object}}));
    }

    /// A position among the events, for one that comes before others but shows what the object became.
    pub(crate) fn mark(&self) -> usize {
        self.events.len()
    }

    /// Announces an object as it is now, at an earlier position.
    pub(crate) fn emit_at(&mut self, mark: usize, event: &str, kind: Kind, id: &str) {
        let object = self.shown(kind, id);
        self.events.insert(mark, json!({"type": event, "data": {"object": object}}));
    }
}

#[cfg(test)]
impl Tx<'_> {
    /// All that it has changed and announced so far, for comparison with another's.
    pub(crate) fn trace(&self) -> String {
        format!("{:?} {:?}", self.writes, self.events)
    }
}

/// What the fields that differ were before, nested objects field by field; `None` if nothing differs.
fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| before.clone());
    };
    // Lists are given as a whole, as are objects that changed their kind.
    if old.get("object") == Some(&json!("list")) {
        return (before != after).then(|| before.clone());
    }
    let mut previous = serde_json::Map::new();
    for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
        let (was, is) = (old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null));
        if let Some(changed) = difference(was, is) {
            previous.insert(key.clone(), changed);
        }
    }
    (!previous.is_empty()).then_some(Value::Object(previous))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_attributes_name_what_changed_and_nothing_else() {
        let before = json!({"a": 1, "metadata": {"x": "1", "y": "2"}, "same": [1]});
        let after = json!({"a": 1, "metadata": {"x": "3", "y": "2", "z": "4"}, "same": [1]});
        assert_eq!(difference(&before, &after), Some(json!({"metadata": {"x": "1", "z": null}})));
        assert_eq!(difference(&before, &before), None);
    }
}
