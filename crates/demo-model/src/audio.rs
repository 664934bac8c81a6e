//! Speech and transcription.

pub mod speech;
mod subtitles;
pub mod transcriptions;
mod upload;
mod voice;
