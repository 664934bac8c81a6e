//! Bounds on what isn't text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::gateway::tokens::whole;

/// Bytes a second of audio that isn't a WAV: 16 kbit/s, the least at which speech is usually sent.
const LEAST_RATE: usize = 2_000;
/// Tokens for a second of audio.
/// Source: <https://platform.openai.com/docs/guides/realtime-costs>, 1 token for 100 ms.
const TOKENS_A_SECOND: i64 = 10;
/// Base64 characters of PCM at 24 kHz for one spoken token: 1 token for 50 ms, 2,400 bytes, and 4 characters for 3.
const SPOKEN: usize = 3_200;

/// How many bytes base64 text stands for, within two. A `data:` URL's head counts as part of it.
pub fn decoded_length(base64: &str) -> usize {
    base64.len() / 4 * 3
}

/// The width and height of an image in a `data:` URL, as its head states them.
pub fn image_size(url: &str) -> Option<(usize, usize)> {
    /// Base64 characters that are read: a photograph's own notes stand before its size.
    const HEAD: usize = 256 << 10;
    let base64 = url.strip_prefix("data:")?.split_once(";base64,")?.1;
    let end = base64.len().min(HEAD) / 4 * 4;
    let head = STANDARD.decode(base64.get(..end)?).ok()?;
    let size = imagesize::blob_size(&head).ok()?;
    Some((size.width, size.height))
}

/// The most tokens that audio in base64 counts as.
pub fn audio(base64: &str) -> i64 {
    let rate = wav_rate(base64).unwrap_or(LEAST_RATE);
    whole(decoded_length(base64).div_ceil(rate)).saturating_mul(TOKENS_A_SECOND)
}

/// The tokens that were spent on speaking so much base64.
pub fn spoken(base64: &str) -> i64 {
    whole(base64.len().div_ceil(SPOKEN))
}

/// The bytes a second that a WAV's header states.
fn wav_rate(base64: &str) -> Option<usize> {
    // RIFF, size, WAVE, "fmt ", size, format, channels, samples a second, and then: 28 bytes before it.
    let head = STANDARD.decode(base64.get(..48)?).ok()?;
    let is_wav = head.starts_with(b"RIFF") && &head[8..16] == b"WAVEfmt ";
    let rate = u32::from_le_bytes(head[28..32].try_into().ok()?);
    // A header that states next to nothing would make an hour of a minute.
    is_wav.then_some(usize::try_from(rate).ok()?).filter(|rate| (LEAST_RATE..1 << 24).contains(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(bytes_a_second: u32, seconds: usize) -> String {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(24_000_u32.to_le_bytes());
        wav.extend(bytes_a_second.to_le_bytes());
        wav.extend(vec![0; bytes_a_second as usize * seconds]);
        STANDARD.encode(wav)
    }

    #[test]
    fn a_wav_is_as_long_as_its_header_says() {
        assert_eq!(audio(&wav(48_000, 3)), 40);
        assert_eq!(audio(&wav(16_000, 10)), 110);
    }

    #[test]
    fn an_images_size_is_read_from_its_head() {
        let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
        assert_eq!(image_size(&format!("data:image/png;base64,{png}")), Some((1, 1)));
        for url in ["https://example.com/a.png", "data:image/png;base64,!", "data:image/png;base64,", "data:"]
        {
            assert_eq!(image_size(url), None, "{url}");
        }
    }

    #[test]
    fn a_header_that_lies_makes_nothing_cheap() {
        let honest = audio(&STANDARD.encode(vec![0; 480_000]));
        for rate in [0, 1, u32::MAX] {
            let mut lie = STANDARD.decode(wav(48_000, 10)).unwrap();
            lie[28..32].copy_from_slice(&rate.to_le_bytes());
            assert!(audio(&STANDARD.encode(lie)) >= honest, "{rate}");
        }
        assert_eq!(audio(""), 0);
    }
}
