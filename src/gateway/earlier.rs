//! How many tokens earlier responses had: a request that goes on from one is read with all of it.

use moka::sync::Cache;

use crate::domain::GroupId;

/// Responses that are remembered, in all groups together; those least asked for are forgotten.
const REMEMBERED: u64 = 1 << 16;
/// The longest id that is remembered, in bytes.
const LONGEST_ID: usize = 128;

/// Tokens of earlier responses and conversations, in this process. What isn't here is held by a bound.
#[derive(Clone, Debug)]
pub struct Earlier(Cache<(GroupId, String), i64>);

impl Default for Earlier {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Earlier {
    /// The tokens that a response had, its own prompt included.
    pub fn tokens(&self, group: GroupId, id: &str) -> Option<i64> {
        self.0.get(&(group, id.to_owned()))
    }

    pub fn remember(&self, group: GroupId, id: &str, tokens: i64) {
        if id.len() <= LONGEST_ID {
            self.0.insert((group, id.to_owned()), tokens);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_group_knows_its_own_responses() {
        let (ours, theirs) = (GroupId::from(Uuid::now_v7()), GroupId::from(Uuid::now_v7()));
        let earlier = Earlier::default();
        earlier.remember(ours, "resp_1", 7);
        earlier.remember(ours, "resp_1", 9);
        assert_eq!((earlier.tokens(ours, "resp_1"), earlier.tokens(theirs, "resp_1")), (Some(9), None));
        earlier.remember(ours, &"x".repeat(1_000), 1);
        assert_eq!(earlier.tokens(ours, &"x".repeat(1_000)), None);
    }
}
