//! How many tokens earlier responses had: a request that goes on from one is read with all of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::domain::GroupId;

/// Responses that are remembered, in all groups together; the oldest are forgotten.
const REMEMBERED: usize = 1 << 16;
/// The longest id that is remembered, in bytes.
const LONGEST_ID: usize = 128;

/// Tokens of earlier responses and conversations, in this process.
#[derive(Debug, Default)]
pub struct Earlier(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tokens: HashMap<(GroupId, String), i64>,
    order: VecDeque<(GroupId, String)>,
}

impl Earlier {
    /// The tokens that a response had, its own prompt included.
    pub fn tokens(&self, group: GroupId, id: &str) -> Option<i64> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.tokens.get(&(group, id.to_owned())).copied()
    }

    pub fn remember(&self, group: GroupId, id: &str, tokens: i64) {
        if id.len() > LONGEST_ID {
            return;
        }
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (group, id.to_owned());
        if inner.tokens.insert(key.clone(), tokens).is_none() {
            inner.order.push_back(key);
        }
        if inner.order.len() > REMEMBERED
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.tokens.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_group_knows_its_own_responses_and_the_oldest_are_forgotten() {
        let (ours, theirs) = (GroupId::from(Uuid::now_v7()), GroupId::from(Uuid::now_v7()));
        let earlier = Earlier::default();
        earlier.remember(ours, "resp_1", 7);
        earlier.remember(ours, "resp_1", 9);
        assert_eq!((earlier.tokens(ours, "resp_1"), earlier.tokens(theirs, "resp_1")), (Some(9), None));
        for index in 0..REMEMBERED {
            earlier.remember(theirs, &index.to_string(), 1);
        }
        assert_eq!((earlier.tokens(ours, "resp_1"), earlier.tokens(theirs, "0")), (None, Some(1)));
    }
}
