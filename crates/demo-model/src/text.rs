//! What the demo model says: sentences that fit any subject, around the subject of the question.

mod phrases;
mod question;

use std::fmt::Write as _;

pub use question::topic;

use crate::seed::mix;
use phrases::{CLOSINGS, LEADS, OPENINGS, POINTS, SENTENCES};
use question::Length;

/// What a text is composed from.
pub struct Brief<'a> {
    pub question: &'a str,
    pub earlier_topic: Option<&'a str>,
    pub tool_result: Option<&'a str>,
    pub images: u64,
    pub sounds: u64,
    pub files: u64,
    /// The same seed gives the same text.
    pub seed: u64,
}

/// Some 60 to 150 tokens of Markdown, or as many words as the question asks for.
pub fn compose(brief: &Brief<'_>) -> String {
    let mut text = opening(brief);
    match question::length(brief.question) {
        Length::Words(words) if words < 60 => {
            lengthen(&mut text, words, brief.seed);
            return first_words(&text, words);
        }
        Length::Words(words) => {
            body(&mut text, brief);
            lengthen(&mut text, words, brief.seed);
        }
        Length::Usual => {
            body(&mut text, brief);
            push_paragraph(&mut text, pick(CLOSINGS, brief.seed ^ 3));
        }
    }
    text
}

fn opening(brief: &Brief<'_>) -> String {
    let mut text = String::new();
    if let Some(result) = brief.tool_result {
        let shown: String = result.trim().chars().take(200).collect();
        let _ = write!(
            text,
            "I'm the offline demo model, and I called the tool. It answered:\n\n> {}",
            shown.replace('\n', "\n> ")
        );
        return text;
    }
    match topic(brief.question) {
        Some(topic) => text.push_str(&pick(OPENINGS, brief.seed).replace("{}", &topic)),
        None => text.push_str(
            "Hello! I'm the offline demo model: ask me about anything, and I'll answer with a sample.",
        ),
    }
    if let Some(earlier) = brief.earlier_topic {
        let _ = write!(text, " Before, you asked about {earlier}.");
    }
    let attached: Vec<String> =
        [(brief.images, "picture"), (brief.sounds, "recording"), (brief.files, "file")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
            .collect();
    if !attached.is_empty() {
        let _ =
            write!(text, " It came with {}, which a demo can count but not look into.", listed(&attached));
    }
    text
}

/// "one", "one and two", "one, two and three".
fn listed(items: &[String]) -> String {
    match items {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => items.concat(),
    }
}

/// A list, and code if that was asked for.
fn body(text: &mut String, brief: &Brief<'_>) {
    if let Some((language, code)) = question::code(brief.question) {
        push_paragraph(text, &format!("A short example:\n\n```{language}\n{code}\n```"));
    }
    push_paragraph(text, pick(LEADS, brief.seed ^ 1));
    text.push('\n');
    for at in order(POINTS.len(), brief.seed ^ 2).into_iter().take(3) {
        let _ = write!(text, "\n- {}", POINTS[at]);
    }
}

/// Paragraphs of four sentences until there are that many words.
fn lengthen(text: &mut String, words: usize, seed: u64) {
    let mut have = count_words(text);
    let mut round = seed;
    while have < words {
        round = mix(round);
        for (at, sentence) in order(SENTENCES.len(), round).into_iter().enumerate() {
            if have >= words {
                break;
            }
            if at % 4 == 0 {
                push_paragraph(text, SENTENCES[sentence]);
            } else {
                text.push(' ');
                text.push_str(SENTENCES[sentence]);
            }
            have += count_words(SENTENCES[sentence]);
        }
    }
}

fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn first_words(text: &str, words: usize) -> String {
    let mut short = text.split_whitespace().take(words).collect::<Vec<_>>().join(" ");
    if !short.ends_with(['.', '!', '?']) {
        short.truncate(short.trim_end_matches([',', ':', ';']).len());
        short.push('.');
    }
    short
}

fn push_paragraph(text: &mut String, paragraph: &str) {
    text.push_str("\n\n");
    text.push_str(paragraph);
}

fn pick(from: &[&'static str], seed: u64) -> &'static str {
    from[(mix(seed) % from.len() as u64) as usize]
}

/// The numbers below `count` in an order that follows from the seed.
fn order(count: usize, seed: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    numbers.sort_by_key(|number| mix(seed ^ (*number as u64 + 1)));
    numbers
}

#[cfg(test)]
mod tests {
    use super::{Brief, compose};

    fn say(question: &str) -> String {
        compose(&Brief {
            question,
            earlier_topic: None,
            tool_result: None,
            images: 0,
            sounds: 0,
            files: 0,
            seed: 7,
        })
    }

    #[test]
    fn an_answer_names_its_subject_and_says_who_it_is() {
        let text = say("What is the tallest tower in Paris?");
        assert!(text.contains("**the tallest tower in Paris**"), "{text}");
        assert!(text.contains("offline demo model") && text.contains("\n- **"), "{text}");
    }

    #[test]
    fn the_usual_length_is_60_to_150_tokens() {
        for question in ["", "Hi", "What is love?", "Explain the offside rule to a child of five years"] {
            for seed in 0..50 {
                let brief = Brief {
                    question,
                    earlier_topic: None,
                    tool_result: None,
                    images: 0,
                    sounds: 0,
                    files: 0,
                    seed,
                };
                let tokens = crate::tokens::count(&compose(&brief));
                assert!((60..=150).contains(&tokens), "{tokens} tokens for {question:?}");
            }
        }
    }

    #[test]
    fn as_many_words_as_asked_for() {
        let words = |question: &str| say(question).split_whitespace().count();
        assert_eq!(words("Describe the sea in 12 words"), 12);
        assert!((800..830).contains(&words("Write 800 words about the sea")));
        assert!((1500..1530).contains(&words("A 1,500-word essay, please")));
        assert!(words("Give me a long answer about the sea") >= 500);
    }

    #[test]
    fn code_comes_in_a_block() {
        assert!(say("Write a Python function that adds").contains("```python\n"));
        assert!(say("How do I join two tables in SQL?").contains("```sql\n"));
        assert!(!say("How do I bake bread?").contains("```"));
    }
}
