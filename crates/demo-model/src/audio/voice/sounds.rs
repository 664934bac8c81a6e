//! Which sounds a text is read as. Formants are those that Peterson and Barney measured (1952), rounded.

/// One sound.
#[derive(Clone, Copy, Debug)]
pub struct Sound {
    pub seconds: f32,
    /// Resonances of the mouth, in hertz.
    pub formants: [f32; 3],
    /// How much of the source is breath, not voice: 0 to 1.
    pub breath: f32,
    /// 0 is silence.
    pub loudness: f32,
}

impl Sound {
    /// Between words.
    pub const PAUSE: Self =
        Self { seconds: 0.06, formants: [500.0, 1500.0, 2500.0], breath: 0.5, loudness: 0.0 };
}

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// The sounds of a text, a pause for each space and a longer one where a sentence ends.
pub fn sounds(text: &str) -> Vec<Sound> {
    let mut sounds = vec![Sound::PAUSE];
    for c in text.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                sounds.extend(DIGITS[digit as usize].chars().flat_map(of_letter));
                sounds.push(Sound::PAUSE);
            }
            None => sounds.extend(c.to_lowercase().flat_map(of_letter)),
        }
    }
    sounds.push(Sound { seconds: 0.2, ..Sound::PAUSE });
    sounds
}

/// A letter is one sound, or two: a stop is silence and a burst.
fn of_letter(c: char) -> Vec<Sound> {
    let vowel = |formants| vec![Sound { seconds: 0.1, formants, breath: 0.03, loudness: 1.0 }];
    let voiced = |formants| vec![Sound { seconds: 0.065, formants, breath: 0.05, loudness: 0.55 }];
    let hissed = |formants, breath| vec![Sound { seconds: 0.08, formants, breath, loudness: 0.6 }];
    let stop = |formants, breath| {
        let closed = Sound { seconds: 0.04, formants, breath, loudness: 0.02 };
        vec![closed, Sound { seconds: 0.025, loudness: 0.9, ..closed }]
    };
    match c {
        'a' | 'à' | 'á' | 'â' | 'å' => vowel([730.0, 1090.0, 2440.0]),
        'e' | 'è' | 'é' | 'ê' | 'ä' => vowel([530.0, 1840.0, 2480.0]),
        'i' | 'í' | 'î' | 'y' => vowel([270.0, 2290.0, 3010.0]),
        'o' | 'ó' | 'ô' => vowel([570.0, 840.0, 2410.0]),
        'u' | 'ú' => vowel([300.0, 870.0, 2240.0]),
        'ö' | 'ü' | 'ø' => vowel([380.0, 1600.0, 2200.0]),
        'm' => voiced([250.0, 1000.0, 2200.0]),
        'n' | 'ñ' => voiced([280.0, 1450.0, 2500.0]),
        'l' => voiced([360.0, 1300.0, 2700.0]),
        'r' => voiced([310.0, 1060.0, 1380.0]),
        'w' => voiced([300.0, 610.0, 2200.0]),
        'j' => voiced([270.0, 2100.0, 2900.0]),
        's' | 'ß' | 'c' => hissed([4500.0, 5800.0, 7200.0], 1.0),
        'z' => hissed([4200.0, 5500.0, 7000.0], 0.7),
        'f' => hissed([1400.0, 4200.0, 7600.0], 1.0),
        'v' => hissed([1200.0, 3800.0, 7000.0], 0.6),
        'h' => hissed([600.0, 1500.0, 2600.0], 0.95),
        'p' => stop([600.0, 1100.0, 2200.0], 1.0),
        'b' => stop([400.0, 900.0, 2200.0], 0.3),
        't' => stop([2600.0, 4000.0, 5600.0], 1.0),
        'd' => stop([350.0, 1800.0, 2700.0], 0.3),
        'k' | 'q' => stop([1500.0, 2200.0, 3300.0], 1.0),
        'g' => stop([350.0, 1700.0, 2100.0], 0.3),
        'x' => stop([1500.0, 4500.0, 6000.0], 1.0),
        '.' | '!' | '?' | '\n' => vec![Sound { seconds: 0.3, ..Sound::PAUSE }],
        ',' | ';' | ':' => vec![Sound { seconds: 0.15, ..Sound::PAUSE }],
        // Any other script is read as vowels: audible, if not intelligible.
        other if other.is_alphabetic() => of_letter(['a', 'e', 'i', 'o', 'u'][other as usize % 5]),
        _ => vec![Sound::PAUSE],
    }
}
