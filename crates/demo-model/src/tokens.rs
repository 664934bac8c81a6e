//! Counting with OpenAI's tokenizer, `o200k_base`.

use tiktoken_rs::{CoreBPE, Rank};

/// Above this many characters of whitespace at a stretch the tokenizer's regular expression overflows its stack (at a
/// million) and panics. Longer stretches are counted in parts, which may add a token a part.
const WHITESPACE_PART: usize = 100_000;

/// Reads the vocabulary, if that hasn't been done. It takes a fifth of a second.
pub fn load() {
    tokenizer();
}

fn tokenizer() -> &'static CoreBPE {
    tiktoken_rs::o200k_base_singleton()
}

/// The tokens of a text; what looks like a special token is text too.
pub fn encode(text: &str) -> Vec<Rank> {
    parts(text).into_iter().flat_map(|part| tokenizer().encode_ordinary(part)).collect()
}

/// How many tokens a text has.
pub fn count(text: &str) -> u64 {
    encode(text).len() as u64
}

/// Whether these are tokens of the vocabulary.
pub fn known(tokens: &[Rank]) -> bool {
    tokenizer().decode_bytes(tokens).is_ok()
}

/// The beginning of a text that has at most `most` tokens, counted as a reader of that beginning would.
#[derive(Debug)]
pub struct Beginning {
    pub text: String,
    pub tokens: u64,
    /// Whether something was cut off.
    pub cut: bool,
}

/// Cuts a text to `most` tokens: exactly, except where that many would end inside a character; then the character is
/// left out as a whole.
pub fn cut(text: &str, most: u64) -> Beginning {
    let tokens = encode(text);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if tokens.len() <= most {
        return Beginning { text: text.to_owned(), tokens: tokens.len() as u64, cut: false };
    }
    for taken in (1..=most).rev() {
        let Ok(beginning) = tokenizer().decode(&tokens[..taken]) else { continue };
        // Without what followed, a word may be tokenised otherwise.
        let counted = encode(&beginning).len();
        if counted <= most {
            return Beginning { text: beginning, tokens: counted as u64, cut: true };
        }
    }
    Beginning { text: String::new(), tokens: 0, cut: true }
}

fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut stretch) = (0, 0);
    for (at, c) in text.char_indices() {
        if stretch == WHITESPACE_PART {
            parts.push(&text[start..at]);
            (start, stretch) = (at, 0);
        }
        stretch = if c.is_whitespace() { stretch + 1 } else { 0 };
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::{count, cut};

    #[test]
    fn a_cut_text_has_as_many_tokens_as_asked_for() {
        let text =
            "Hello! Here's a *list*:\n\n- **One.** First   thing\n- Two's company\n\n```py\nprint(1)\n```\n";
        for most in 1..count(text) {
            let beginning = cut(text, most);
            assert_eq!((beginning.tokens, count(&beginning.text)), (most, most), "{:?}", beginning.text);
            assert!(text.starts_with(&beginning.text) && beginning.cut);
        }
        assert!(!cut(text, count(text)).cut);
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        let text = "𒀀𒀁𒀂 and 🧑‍🚀";
        for most in 0..count(text) {
            let beginning = cut(text, most);
            assert!(text.starts_with(&beginning.text) && beginning.tokens <= most);
        }
    }

    #[test]
    fn two_million_spaces_are_counted() {
        assert!(count(&" ".repeat(2_000_000)) > 1000);
    }
}
