//! How wide text is in Helvetica, and which characters it has: those of Windows-1252, since the fonts that every PDF reader
//! brings have no others.

/// Widths of the characters from space to tilde, in thousandths of the font's size. Source: Adobe's metrics of the 14 fonts.
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// The characters from 0x80 to 0x9F, where Windows-1252 isn't Latin-1; five are none.
const UPPER: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A text in Windows-1252; a question mark stands for what it doesn't have.
pub(super) fn encoded(text: &str) -> Vec<u8> {
    text.chars().map(byte).collect()
}

fn byte(char: char) -> u8 {
    match u8::try_from(u32::from(char)) {
        Ok(byte @ (0x20..=0x7e | 0xa0..=0xff)) => byte,
        _ => {
            let found = UPPER.iter().position(|upper| *upper == char && !char.is_control());
            found.and_then(|at| u8::try_from(0x80 + at).ok()).unwrap_or(b'?')
        }
    }
}

/// How wide a text is at this size, in points.
pub(super) fn width(text: &str, bold: bool, size: f32) -> f32 {
    let widths = if bold { &BOLD } else { &REGULAR };
    let of = |byte: u8| match byte {
        0x20..=0x7e => widths[usize::from(byte - 0x20)],
        // The signs of currencies, and dashes.
        0x80 | 0xa2..=0xa5 | 0x96 => 556,
        0xd7 => 584,
        // No letter with an accent is wider than this but in capitals.
        _ => 722,
    };
    encoded(text).into_iter().map(|byte| f32::from(of(byte))).sum::<f32>() * size / 1000.0
}

/// A text in lines no wider than `max` points. Words that are too long by themselves are broken.
pub(super) fn wrapped(text: &str, bold: bool, size: f32, max: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().cloned().unwrap_or_default();
        let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&joined, bold, size) <= max {
            lines.pop();
            lines.push(joined);
            continue;
        }
        if line.is_empty() {
            lines.pop();
        }
        lines.extend(broken(word, bold, size, max));
    }
    lines
}

fn broken(word: &str, bold: bool, size: f32, max: f32) -> Vec<String> {
    let mut parts = vec![String::new()];
    for char in word.chars() {
        let part = parts.last().cloned().unwrap_or_default() + char.encode_utf8(&mut [0; 4]);
        if width(&part, bold, size) <= max || part.chars().count() == 1 {
            parts.pop();
            parts.push(part);
        } else {
            parts.push(char.to_string());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_the_characters_that_the_font_has() {
        assert_eq!(encoded("€5 – Ünïcödé ×"), b"\x805 \x96 \xdcn\xefc\xf6d\xe9 \xd7");
        assert_eq!(encoded("日本\u{81}\n"), b"????");
    }

    #[test]
    fn lines_are_as_wide_as_they_may_be_and_no_wider() {
        let text = "A name of several words and Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
        let lines = wrapped(text, false, 10.0, 200.0);
        assert!(lines.len() > 2, "{lines:?}");
        assert!(lines.iter().all(|line| width(line, false, 10.0) <= 200.0), "{lines:?}");
        let together = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(together(&lines.concat()), together(text));
        assert_eq!(wrapped("", false, 10.0, 200.0), [""]);
    }
}
