//! A value for each kind of token.

use std::ops::{AddAssign, Index, IndexMut};

use serde::{Deserialize, Serialize};

use super::UsageType;

/// One `T` for LLM tokens and one for voice tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PerType<T> {
    pub llm: T,
    pub voice: T,
}

impl<T> PerType<T> {
    /// The value `of` gives for each kind.
    pub fn of(mut of: impl FnMut(UsageType) -> T) -> Self {
        Self { llm: of(UsageType::Llm), voice: of(UsageType::Voice) }
    }

    /// Each kind with its value, in the order they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (UsageType, &T)> {
        UsageType::ALL.into_iter().map(|usage_type| (usage_type, &self[usage_type]))
    }

    /// What `map` makes of each value.
    pub fn map<U>(self, mut map: impl FnMut(T) -> U) -> PerType<U> {
        PerType { llm: map(self.llm), voice: map(self.voice) }
    }
}

impl<T: AddAssign> AddAssign for PerType<T> {
    fn add_assign(&mut self, other: Self) {
        self.llm += other.llm;
        self.voice += other.voice;
    }
}

impl<T> Index<UsageType> for PerType<T> {
    type Output = T;

    fn index(&self, usage_type: UsageType) -> &T {
        match usage_type {
            UsageType::Llm => &self.llm,
            UsageType::Voice => &self.voice,
        }
    }
}

impl<T> IndexMut<UsageType> for PerType<T> {
    fn index_mut(&mut self, usage_type: UsageType) -> &mut T {
        match usage_type {
            UsageType::Llm => &mut self.llm,
            UsageType::Voice => &mut self.voice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own() {
        let mut counts = PerType::of(|usage_type| usage_type.as_str().len());
        assert_eq!(counts, PerType { llm: 3, voice: 5 });
        counts[UsageType::Voice] += 1;
        let shown: Vec<_> = counts.iter().map(|(usage_type, count)| (usage_type, *count)).collect();
        assert_eq!(shown, [(UsageType::Llm, 3), (UsageType::Voice, 6)]);
        assert_eq!(counts.map(|count| count * 2), PerType { llm: 6, voice: 12 });
    }
}
