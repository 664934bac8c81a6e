//! `POST /v1/audio/speech`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{Server, count};

const TEXT: &str = "Hello there. The quick brown fox, number 7, jumps over the lazy dog!";

fn samples(wav: &[u8]) -> Vec<i16> {
    let reader = hound::WavReader::new(wav).expect("a WAV");
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 24_000, 16));
    reader.into_samples().map(|sample| sample.expect("a sample")).collect()
}

/// The root mean square, as a share of the loudest possible.
fn loudness(samples: &[i16]) -> f64 {
    let squares: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (squares / samples.len() as f64).sqrt() / f64::from(i16::MAX)
}

#[tokio::test]
async fn speech_is_a_wav_that_can_be_heard() {
    let server = Server::start().await;
    let speech = server.speak(TEXT, json!({ "response_format": "wav" })).await;
    assert_eq!((speech.status, speech.content_type()), (200, "audio/wav"));
    let samples = samples(&speech.bytes);
    let seconds = samples.len() as f64 / 24_000.0;
    assert!((3.0..10.0).contains(&seconds), "{seconds} s");
    assert!((0.05..0.5).contains(&loudness(&samples)), "{}", loudness(&samples));
    let clipped = samples.iter().filter(|sample| sample.unsigned_abs() > 32_700).count();
    assert!(clipped * 100 < samples.len(), "{clipped} samples at the limit");
    // Speech is loud and quiet by turns.
    let pieces: Vec<f64> = samples.chunks(1200).map(loudness).collect();
    assert!(pieces.iter().filter(|piece| **piece < 0.01).count() >= 5, "pauses");
    assert!(pieces.iter().filter(|piece| **piece > 0.05).count() > pieces.len() / 3, "voice");
    let data = speech.bytes.windows(4).position(|name| name == b"data").unwrap();
    assert_eq!(data + 8 + samples.len() * 2, speech.bytes.len(), "the sizes are true");
    let riff = u32::from_le_bytes(speech.bytes[4..8].try_into().unwrap());
    assert_eq!(riff as usize + 8, speech.bytes.len());
}

#[tokio::test]
async fn pcm_is_the_samples_alone() {
    let server = Server::start().await;
    let wav = server.speak(TEXT, json!({ "response_format": "wav" })).await;
    let pcm = server.speak(TEXT, json!({ "response_format": "pcm" })).await;
    assert_eq!(pcm.content_type(), "audio/pcm");
    assert!(wav.bytes.ends_with(&pcm.bytes));
    assert_eq!(pcm.bytes.len(), samples(&wav.bytes).len() * 2);
}

#[tokio::test]
async fn another_format_is_answered_with_a_wav_that_says_so() {
    let server = Server::start().await;
    for more in [json!({}), json!({ "response_format": "mp3" }), json!({ "response_format": "opus" })] {
        let speech = server.speak("Hello", more).await;
        assert_eq!(speech.content_type(), "audio/wav");
        samples(&speech.bytes);
    }
}

#[tokio::test]
async fn speed_and_voice_are_heard() {
    let server = Server::start().await;
    let usual = samples(&server.speak(TEXT, json!({})).await.bytes);
    let fast = samples(&server.speak(TEXT, json!({ "speed": 2.0 })).await.bytes);
    assert!((1.9..2.1).contains(&(usual.len() as f64 / fast.len() as f64)));
    assert_ne!(usual, samples(&server.speak(TEXT, json!({ "voice": "onyx" })).await.bytes));
    assert_eq!(usual, samples(&server.speak(TEXT, json!({})).await.bytes), "the same is the same");
    samples(&server.speak("Hi", json!({ "voice": { "id": "voice_1" } })).await.bytes);
}

#[tokio::test]
async fn any_script_can_be_heard() {
    let server = Server::start().await;
    for text in ["Добрый день", "日本語", "1234567890", "ß"] {
        assert!(loudness(&samples(&server.speak(text, json!({})).await.bytes)) > 0.02, "{text}");
    }
}

#[tokio::test]
async fn speech_can_be_streamed_as_events() {
    let server = Server::start().await;
    let pcm = server.speak("Hello", json!({ "response_format": "pcm" })).await.bytes;
    let streamed = server.speak("Hello", json!({ "response_format": "pcm", "stream_format": "sse" })).await;
    let mut events: Vec<Value> =
        streamed.events().iter().map(|(_, data)| serde_json::from_str(data).unwrap()).collect();
    let done = events.pop().unwrap();
    let audio: Vec<u8> = events
        .iter()
        .flat_map(|event| {
            assert_eq!(event["type"], "speech.audio.delta");
            BASE64_STANDARD.decode(event["audio"].as_str().unwrap()).unwrap()
        })
        .collect();
    assert_eq!(audio, pcm);
    assert_eq!(
        (&done["type"], &done["usage"]["input_tokens"]),
        (&json!("speech.audio.done"), &json!(count("Hello")))
    );
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let server = Server::start().await;
    for (more, param, code) in [
        (json!({ "input": null }), "input", "invalid_type"),
        (json!({ "input": "" }), "input", "string_below_min_length"),
        (json!({ "input": "x".repeat(4097) }), "input", "string_above_max_length"),
        (json!({ "voice": 5 }), "voice", "invalid_type"),
        (json!({ "speed": 5 }), "speed", "decimal_above_max_value"),
        (json!({ "response_format": "midi" }), "response_format", "invalid_value"),
    ] {
        assert_eq!(server.speak("Hi", more).await.error(), (400, json!(param), json!(code)));
    }
    let refused = server.post("/v1/audio/speech", &json!({ "model": "demo-speech", "input": "Hi" })).await;
    assert_eq!(refused.error(), (400, json!("voice"), json!("missing_required_parameter")));
}
