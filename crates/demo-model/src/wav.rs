//! WAV files: what `speech` writes and `transcriptions` reads.
//!
//! The spoken words are in the file itself, as the comment of its INFO list, so that a recording can be transcribed
//! wherever it has been meanwhile.

use hound::{SampleFormat, WavSpec};

/// Samples a second, as OpenAI's speech has.
pub const SAMPLE_RATE: u32 = 24_000;
/// One channel of 16 bits.
pub const BYTES_PER_SAMPLE: u32 = 2;
/// Marks a recording as this program's own.
const SOFTWARE: &str = "demo-speech";
/// What sound that doesn't say how long it is is taken for: 128 kbit/s, a usual MP3.
const ASSUMED_BYTES_PER_SECOND: f64 = 16_000.0;
/// `RIFF`, its size, `WAVE`.
const RIFF_HEADER: usize = 12;
/// A chunk's name and size.
const CHUNK_HEADER: usize = 8;

/// Everything before the samples of a file that has `samples` of them and says `words`.
pub fn header(samples: u32, words: &str) -> Vec<u8> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    // hound writes the header of a file without end. The list goes before its last chunk, the data; the sizes are set.
    let endless = spec.into_header_for_infinite_file();
    let (format, data) = endless.split_at(endless.len() - CHUNK_HEADER);
    let mut list = b"INFO".to_vec();
    list.extend(chunk(b"ISFT", SOFTWARE));
    list.extend(chunk(b"ICMT", words));

    let data_size = samples * BYTES_PER_SAMPLE;
    let mut header = format.to_vec();
    header.extend(b"LIST");
    header.extend((list.len() as u32).to_le_bytes());
    header.extend(list);
    header.extend(&data[..4]);
    header.extend(data_size.to_le_bytes());
    let riff_size = (header.len() - CHUNK_HEADER) as u32 + data_size;
    header[4..8].copy_from_slice(&riff_size.to_le_bytes());
    header
}

/// A text of the INFO list: it ends with a zero, and is filled up to an even length.
fn chunk(name: &[u8; 4], text: &str) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend((text.len() as u32 + 1).to_le_bytes());
    chunk.extend(text.as_bytes());
    chunk.push(0);
    if chunk.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

/// What can be told of a recording from its beginning.
#[derive(Debug, PartialEq)]
pub struct Recording {
    pub seconds: f64,
    /// What it says, if it is one of this program's own.
    pub words: Option<String>,
}

impl Recording {
    /// `beginning` is the first part of a file of `size` bytes. Whatever it is, there is an answer: what isn't a WAV is
    /// as long as it would be at 128 kbit/s.
    pub fn read(beginning: &[u8], size: u64) -> Self {
        let mut recording = Self { seconds: size as f64 / ASSUMED_BYTES_PER_SECOND, words: None };
        if !(beginning.starts_with(b"RIFF") && beginning.get(8..RIFF_HEADER) == Some(b"WAVE")) {
            return recording;
        }
        let mut bytes_per_second = 0;
        for Chunk { name, length, content, start } in chunks(&beginning[RIFF_HEADER..]) {
            match name {
                b"fmt " => bytes_per_second = content.get(8..12).map_or(0, little_endian),
                b"LIST" if content.starts_with(b"INFO") => recording.words = own_words(&content[4..]),
                b"data" if bytes_per_second > 0 => {
                    // A file written as a stream may not know its length.
                    let held = (length as u64).min(size.saturating_sub((RIFF_HEADER + start) as u64));
                    recording.seconds = held as f64 / bytes_per_second as f64;
                }
                _ => {}
            }
        }
        recording
    }
}

fn own_words(list: &[u8]) -> Option<String> {
    let text = |wanted: &[u8]| {
        let found = chunks(list).find(|chunk| chunk.name == wanted)?;
        Some(String::from_utf8_lossy(found.content).trim_end_matches('\0').to_owned())
    };
    (text(b"ISFT")? == SOFTWARE).then(|| text(b"ICMT"))?
}

struct Chunk<'a> {
    name: &'a [u8],
    /// As the chunk says.
    length: usize,
    /// As much of it as there is.
    content: &'a [u8],
    /// Where the content begins.
    start: usize,
}

/// Chunks that follow each other.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let start = at.checked_add(CHUNK_HEADER)?;
        let header = bytes.get(at..start)?;
        let length = little_endian(&header[4..]);
        let end = start.saturating_add(length);
        // A chunk of odd length is filled up.
        at = end.saturating_add(length % 2);
        Some(Chunk { name: &header[..4], length, content: &bytes[start..end.min(bytes.len())], start })
    })
}

fn little_endian(bytes: &[u8]) -> usize {
    bytes.iter().take(4).rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{Recording, header};

    #[test]
    fn what_is_no_wav_is_taken_for_128_kbit_a_second() {
        for bytes in [&b""[..], b"RIFF", b"RIFF....WAVE", b"ID3 something"] {
            let recording = Recording::read(bytes, 32_000);
            assert_eq!(recording, Recording { seconds: 2.0, words: None });
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_is_read_without_a_panic() {
        let whole = header(24_000, "One, two, three");
        for end in 0..whole.len() {
            Recording::read(&whole[..end], end as u64);
        }
        let read = Recording::read(&whole, whole.len() as u64 + 48_000);
        assert_eq!(read, Recording { seconds: 1.0, words: Some("One, two, three".into()) });
    }
}
