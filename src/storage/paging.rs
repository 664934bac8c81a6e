//! Lists in pages by key: each page begins after the row the last one ended with, and costs the same wherever it is.

/// Which part of a list: at most `limit` rows, after the one with the key `after`, or from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    pub after: Option<K>,
    pub limit: usize,
}

impl<K> PageRequest<K> {
    /// The whole list as one page.
    pub fn all() -> Self {
        Self { after: None, limit: usize::MAX }
    }

    /// How many rows to read: one more than asked for tells whether another page follows.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
    }

    /// Makes a page of the rows read.
    pub(super) fn page<T>(&self, mut rows: Vec<T>) -> PageRows<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        PageRows { rows, more }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRows<T> {
    pub rows: Vec<T>,
    /// Whether there is another after it.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_too_many_tells_of_another_page() {
        let request = PageRequest { after: None::<u8>, limit: 2 };
        assert_eq!(request.rows(), 3);
        assert_eq!(request.page(vec![1, 2]), PageRows { rows: vec![1, 2], more: false });
        assert_eq!(request.page(vec![1, 2, 3]), PageRows { rows: vec![1, 2], more: true });
    }
}
