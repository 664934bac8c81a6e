//! What a question is about, and how long an answer it wants.

/// The most characters of a subject that are repeated.
const TOPIC_LENGTH: usize = 60;
/// The most words of an answer: more would not fit into the most tokens that one may have.
const MOST_WORDS: usize = 12_000;
/// What "long" means.
const LONG_WORDS: usize = 500;

/// How questions begin that are about what follows. Longer ones first.
const BEGINNINGS: [&str; 38] = [
    "hello",
    "hi",
    "hey",
    "please",
    "thanks",
    "can you",
    "could you",
    "would you",
    "will you",
    "i want to know",
    "i would like to know",
    "tell me",
    "explain to me",
    "explain",
    "describe",
    "summarize",
    "summarise",
    "write me",
    "write",
    "give me",
    "show me",
    "what is",
    "what are",
    "what was",
    "what's",
    "whats",
    "what about",
    "how about",
    "who is",
    "who was",
    "how do i",
    "how do you",
    "how does",
    "how to",
    "why is",
    "about",
    "and",
    "so",
];

/// What the question is about: its first sentence without the words that only ask.
pub fn topic(question: &str) -> Option<String> {
    let line = question.lines().map(str::trim).find(|line| !line.is_empty())?;
    let plain: String = line.chars().filter(|c| !"*_`~[]<>|\\#".contains(*c) && !c.is_control()).collect();
    let mut rest = plain.split_inclusive(['?', '!', '.']).map(str::trim).find_map(|sentence| {
        let rest = without_beginnings(sentence.trim_end_matches(['?', '!', '.', ',', ':', ' ']));
        (!rest.is_empty()).then_some(rest)
    })?;
    // "a long answer about cats" is about cats.
    if let Some((_, subject)) = rest.rsplit_once(" about ") {
        rest = subject;
    }
    let mut topic = String::new();
    for word in rest.split_whitespace() {
        if topic.chars().count() + word.chars().count() >= TOPIC_LENGTH {
            // A single word may be longer than all that.
            if topic.is_empty() {
                topic.extend(word.chars().take(TOPIC_LENGTH));
            }
            break;
        }
        if !topic.is_empty() {
            topic.push(' ');
        }
        topic.push_str(word);
    }
    Some(topic)
}

fn without_beginnings(sentence: &str) -> &str {
    let mut rest = sentence;
    while let Some(shorter) = BEGINNINGS.iter().find_map(|beginning| {
        let head = rest.get(..beginning.len())?;
        let tail = &rest[beginning.len()..];
        let whole_word = !tail.starts_with(|c: char| c.is_alphanumeric() || c == '\'');
        (head.eq_ignore_ascii_case(beginning) && whole_word).then_some(tail)
    }) {
        rest = shorter.trim_start_matches([' ', ',', ':', '!', '-']);
    }
    rest
}

/// How long an answer is to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Length {
    Usual,
    Words(usize),
}

/// "in 300 words", "a 1,500-word essay", "a long answer".
pub fn length(question: &str) -> Length {
    let lower = question.to_lowercase();
    let mut before: Option<usize> = None;
    for part in lower.split(|c: char| c.is_whitespace() || c == '-') {
        let number = part.replace(',', "").parse();
        if let Some(words) = before.filter(|_| part.starts_with("word")) {
            return Length::Words(words.clamp(1, MOST_WORDS));
        }
        before = number.ok();
    }
    let long =
        ["long answer", "long text", "long story", "longer", "at length", "in detail", "detailed", "essay"];
    if long.iter().any(|sign| lower.contains(sign)) { Length::Words(LONG_WORDS) } else { Length::Usual }
}

/// The language that code is asked for in, and a sample of it.
pub fn code(question: &str) -> Option<(&'static str, &'static str)> {
    const SAMPLES: [(&[&str], &str, &str); 6] = [
        (&["rust"], "rust", "fn greet(name: &str) -> String {\n    format!(\"Hello, {name}!\")\n}"),
        (
            &["javascript", "typescript", "node", "js"],
            "javascript",
            "function greet(name) {\n  return `Hello, ${name}!`;\n}",
        ),
        (&["sql"], "sql", "SELECT name, count(*) AS visits\nFROM guests\nGROUP BY name;"),
        (&["bash", "shell", "curl"], "sh", "name=world\necho \"Hello, $name!\""),
        (&["python"], "python", "def greet(name: str) -> str:\n    return f\"Hello, {name}!\""),
        (
            &["code", "function", "program", "script", "snippet"],
            "python",
            "def greet(name: str) -> str:\n    return f\"Hello, {name}!\"",
        ),
    ];
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    SAMPLES
        .iter()
        .find(|(signs, ..)| signs.iter().any(|sign| words.contains(sign)))
        .map(|(_, language, code)| (*language, *code))
}

#[cfg(test)]
mod tests {
    use super::{Length, length, topic};

    #[test]
    fn the_subject_is_what_remains_without_the_asking() {
        for (question, subject) in [
            ("What is the capital of France?", "the capital of France"),
            ("Hi! Can you explain **photosynthesis** to me?", "photosynthesis to me"),
            ("Write a 500 words long answer about cats. Thanks!", "cats"),
            ("hello", ""),
            ("And what about butter?", "butter"),
            ("Why?\nBecause", "Why"),
            ("日本の首都はどこですか", "日本の首都はどこですか"),
        ] {
            assert_eq!(topic(question).unwrap_or_default(), subject, "{question}");
        }
        assert!(topic(&"word ".repeat(100)).is_some_and(|topic| topic.len() <= 60));
        assert!(topic(&"x".repeat(1000)).is_some_and(|topic| topic.len() == 60));
    }

    #[test]
    fn lengths_are_read_from_words() {
        assert_eq!(length("in 300 words"), Length::Words(300));
        assert_eq!(length("a 1,500-word essay"), Length::Words(1500));
        assert_eq!(length("a detailed answer"), Length::Words(500));
        assert_eq!(length("99999999999 words"), Length::Words(12_000));
        assert_eq!(length("0 words"), Length::Words(1));
        assert_eq!(length("in other words"), Length::Usual);
    }
}
