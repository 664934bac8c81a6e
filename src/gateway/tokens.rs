//! Counting text in tokens, by OpenAI's own tokenizers. Their vocabularies, 5.5 MB, are in the binary.

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

/// A text is counted in pieces of at most so many bytes. The tokenizer takes more than linear time over one long word,
/// and overflows its stack over a million spaces.
const PIECE: usize = 8 << 10;

/// How a model's text is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokenizer {
    O200k,
    Cl100k,
    /// Not known. As an estimate, o200k's count; as a bound, twice that, and never more than the text has bytes: all
    /// vocabularies in use have a token for each byte.
    Unknown,
}

/// Reads the vocabularies, if that hasn't been done: some tenths of a second. Blocks.
pub fn load() {
    for tokenizer in [Tokenizer::O200k, Tokenizer::Cl100k] {
        tokenizer.vocabulary();
    }
}

impl Tokenizer {
    fn vocabulary(self) -> &'static CoreBPE {
        match self {
            Self::O200k | Self::Unknown => o200k_base_singleton(),
            Self::Cl100k => cl100k_base_singleton(),
        }
    }

    /// The tokens of a text; what looks like a special token is text too. Time and memory are linear in its length.
    pub fn count(self, text: &str) -> i64 {
        let vocabulary = self.vocabulary();
        pieces(text).map(|piece| whole(vocabulary.count_ordinary(piece))).sum()
    }

    /// The most tokens that a text can have, of which `count` tokens were counted.
    pub fn bound(self, count: i64, bytes: usize) -> i64 {
        match self {
            Self::O200k | Self::Cl100k => count,
            Self::Unknown => count.saturating_mul(2).min(whole(bytes)),
        }
    }
}

/// A length as a count.
pub fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Cuts a text where two words meet, so that the pieces have as many tokens as the whole. A piece without such a place
/// is cut anywhere, which may add a token.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(cut(rest));
        rest = after;
        Some(piece)
    })
}

fn cut(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let bytes = text.as_bytes();
    let between = |at: &usize| {
        let (before, space, after) = (bytes[at - 1], bytes[*at], bytes[at + 1]);
        before.is_ascii_alphanumeric() && space == b' ' && after.is_ascii_alphabetic()
    };
    (PIECE / 2..PIECE).rev().find(between).unwrap_or_else(|| text.floor_char_boundary(PIECE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_models_own_vocabulary_counts() {
        assert_eq!(Tokenizer::O200k.count("Hello, world!"), 4);
        assert_eq!(Tokenizer::Cl100k.count("Привет, мир"), 6);
        assert_eq!(Tokenizer::O200k.count("Привет, мир"), 4);
        assert_eq!(Tokenizer::O200k.count(""), 0);
        assert!(Tokenizer::O200k.count("<|endoftext|>") > 1);
    }

    #[test]
    fn a_text_in_pieces_has_as_many_tokens_as_whole() {
        let text = "A sentence of nine words, or so it seems. ".repeat(1_000);
        assert!(pieces(&text).count() > 4);
        assert_eq!(Tokenizer::O200k.count(&text), whole(o200k_base_singleton().count_ordinary(&text)));
    }

    #[test]
    fn megabytes_of_one_character_are_counted() {
        for character in ["a", " ", "\n", "é", "字"] {
            let counted = Tokenizer::O200k.count(&character.repeat(2 << 20));
            assert!(counted > 1_000, "{character:?}: {counted}");
        }
    }

    #[test]
    fn a_model_that_is_not_known_has_twice_the_tokens_and_no_more_than_bytes() {
        assert_eq!(Tokenizer::Unknown.bound(10, 100), 20);
        assert_eq!(Tokenizer::Unknown.bound(10, 15), 15);
        assert_eq!(Tokenizer::O200k.bound(10, 15), 10);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in ".{0,40}", times in 1_usize..1_000) {
            let text = text.repeat(times);
            prop_assert_eq!(pieces(&text).collect::<String>(), text.clone());
            prop_assert!(pieces(&text).all(|piece| piece.len() <= PIECE));
        }
    }
}
