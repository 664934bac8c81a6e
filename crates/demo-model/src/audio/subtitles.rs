//! A transcription in pieces with times, which are shared out by the number of characters.

use std::fmt::Write as _;

use serde::Serialize;

/// The most words of a piece, if no sentence ends before.
const MOST_WORDS: usize = 12;

#[derive(Debug, PartialEq)]
pub struct Segment {
    /// In seconds.
    pub start: f64,
    pub end: f64,
    pub text: String,
}

/// One word with its times, as OpenAI names them.
#[derive(Debug, Serialize)]
pub struct Word {
    word: String,
    start: f64,
    end: f64,
}

pub fn words(text: &str, seconds: f64) -> Vec<Word> {
    let words = text.split_whitespace().map(str::to_owned).collect();
    timed(words, seconds)
        .into_iter()
        .map(|Segment { start, end, text }| Word { word: text, start, end })
        .collect()
}

/// Sentences, or parts of long ones.
pub fn segments(text: &str, seconds: f64) -> Vec<Segment> {
    let mut pieces: Vec<Vec<&str>> = vec![Vec::new()];
    for word in text.split_whitespace() {
        let ended = |piece: &Vec<&str>| {
            piece.len() == MOST_WORDS || piece.last().is_some_and(|last| last.ends_with(['.', '!', '?']))
        };
        if pieces.last().is_some_and(ended) {
            pieces.push(Vec::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(word);
        }
    }
    timed(
        pieces.into_iter().map(|piece| piece.join(" ")).filter(|piece| !piece.is_empty()).collect(),
        seconds,
    )
}

fn timed(pieces: Vec<String>, seconds: f64) -> Vec<Segment> {
    let length = |piece: &String| piece.chars().count();
    let all = pieces.iter().map(length).sum::<usize>().max(1);
    let mut before = 0;
    let at = |characters: usize| seconds * characters as f64 / all as f64;
    pieces
        .into_iter()
        .map(|text| {
            let start = before;
            before += length(&text);
            Segment { start: at(start), end: at(before), text }
        })
        .collect()
}

pub fn srt(segments: &[Segment]) -> String {
    let mut srt = String::new();
    for (at, segment) in segments.iter().enumerate() {
        let (start, end) = (time(segment.start, ','), time(segment.end, ','));
        let _ = write!(srt, "{}\n{start} --> {end}\n{}\n\n", at + 1, segment.text);
    }
    srt
}

pub fn vtt(segments: &[Segment]) -> String {
    let mut vtt = "WEBVTT\n\n".to_owned();
    for segment in segments {
        let (start, end) = (time(segment.start, '.'), time(segment.end, '.'));
        let _ = write!(vtt, "{start} --> {end}\n{}\n\n", segment.text);
    }
    vtt
}

/// Hours, minutes, seconds and milliseconds.
fn time(seconds: f64, separator: char) -> String {
    let all = (seconds * 1000.0).round() as u64;
    let (hours, minutes, seconds) = (all / 3_600_000, all / 60_000 % 60, all / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{separator}{:03}", all % 1000)
}

#[cfg(test)]
mod tests {
    use super::{segments, srt, vtt};

    #[test]
    fn sentences_share_the_time_by_their_length() {
        let segments = segments("One two. Six ten.", 4.0);
        assert_eq!(
            srt(&segments),
            "1\n00:00:00,000 --> 00:00:02,000\nOne two.\n\n2\n00:00:02,000 --> 00:00:04,000\nSix ten.\n\n"
        );
        assert!(vtt(&segments).starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nOne two.\n"));
    }
}
