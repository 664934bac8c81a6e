//! A short text that matches a regular expression.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The most bytes of a text that is made: a short expression can ask for gigabytes.
const MOST_BYTES: usize = 1 << 16;

/// A text of at least `least` characters, and as short as can be told, that matches `pattern`.
pub fn matching(pattern: &str, least: usize) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    // What repeats repeats more often until the text is long enough.
    for more in 0..=u32::try_from(least).ok()? {
        let mut text = String::new();
        write(&hir, more, &mut text)?;
        if text.chars().count() >= least {
            return Some(text);
        }
    }
    None
}

/// Nothing, if it gets too long.
fn write(hir: &Hir, more: u32, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.push(member(class)),
        HirKind::Repetition(repetition) => {
            let times = repetition.min.saturating_add(more).min(repetition.max.unwrap_or(u32::MAX));
            let before = text.len();
            for _ in 0..times {
                write(&repetition.sub, more, text)?;
                // Repeating nothing is still nothing.
                if text.len() == before {
                    break;
                }
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, more, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, more, text))?,
        HirKind::Alternation(alternatives) => write(alternatives.first()?, more, text)?,
    }
    (text.len() <= MOST_BYTES).then_some(())
}

/// One of a class: a letter or a digit if there is one.
fn member(class: &Class) -> char {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let within = |c: &char| ranges.iter().any(|(start, end)| (start..=end).contains(&c));
    let plain = ('a'..='z').chain('A'..='Z').chain('0'..='9');
    plain.into_iter().find(within).or(ranges.first().map(|range| range.0)).unwrap_or('a')
}
