//! `POST /v1/audio/transcriptions` and `/v1/audio/translations`.

use serde_json::{Value, json};

use crate::support::{Answer, Server, count};

const SPOKEN: &str = "The ship sails at nine. Bring your passport, and a warm coat!";

async fn transcribe(server: &Server, file: &[u8], more: &[(&str, &str)]) -> Answer {
    let fields = [&[("model", "demo-transcribe")], more].concat();
    server.upload("/v1/audio/transcriptions", "sound.wav", file, &fields).await
}

#[tokio::test]
async fn what_it_spoke_itself_is_written_down() {
    let server = Server::start().await;
    for spoken in [SPOKEN, "Größe, 寸法 and 🎧", "x"] {
        let wav = server.speak(spoken, json!({})).await.bytes;
        let transcription = transcribe(&server, &wav, &[]).await.ok();
        assert_eq!(transcription["text"], spoken);
        let samples = hound::WavReader::new(wav.as_slice()).unwrap().duration();
        let audio = (f64::from(samples) / 2400.0).ceil() as u64;
        let usage = &transcription["usage"];
        assert_eq!((&usage["type"], &usage["input_tokens"]), (&json!("tokens"), &json!(audio)));
        assert_eq!(usage["output_tokens"], count(spoken));
        assert_eq!(usage["total_tokens"], audio + count(spoken));
    }
}

#[tokio::test]
async fn the_longest_speech_is_written_down() {
    let server = Server::start().await;
    let spoken = "字".repeat(4096);
    let wav = server.speak(&spoken, json!({ "speed": 4.0 })).await.bytes;
    assert_eq!(transcribe(&server, &wav, &[]).await.ok()["text"], spoken);
}

#[tokio::test]
async fn of_any_other_sound_it_says_that_it_is_a_demo() {
    let server = Server::start().await;
    let mut wav = std::io::Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut wav, spec).unwrap();
    (0..2 * 8000 * 3).for_each(|at| writer.write_sample((at % 100) as i16).unwrap());
    writer.finalize().unwrap();
    let text = transcribe(&server, &wav.into_inner(), &[]).await.ok()["text"].clone();
    let text = text.as_str().unwrap();
    assert!(text.contains("offline demo model") && text.contains("3.0 seconds"), "{text}");

    let mp3 = server
        .upload("/v1/audio/transcriptions", "a.mp3", &[0x55; 32_000], &[("model", "demo-transcribe")])
        .await
        .ok();
    assert!(mp3["text"].as_str().unwrap().contains("2.0 seconds"));
}

#[tokio::test]
async fn each_format_is_openais() {
    let server = Server::start().await;
    let wav = server.speak(SPOKEN, json!({})).await.bytes;
    let text = transcribe(&server, &wav, &[("response_format", "text")]).await;
    assert_eq!((text.text(), text.content_type()), (&*format!("{SPOKEN}\n"), "text/plain; charset=utf-8"));
    let srt = transcribe(&server, &wav, &[("response_format", "srt")]).await;
    assert!(srt.text().starts_with("1\n00:00:00,000 --> 00:00:0"), "{}", srt.text());
    assert!(srt.text().contains("\nThe ship sails at nine.\n\n2\n"));
    let vtt = transcribe(&server, &wav, &[("response_format", "vtt")]).await;
    assert!(vtt.text().starts_with("WEBVTT\n\n00:00:00.000 --> "), "{}", vtt.text());

    let fields =
        [("response_format", "verbose_json"), ("timestamp_granularities[]", "word"), ("language", "en")];
    let verbose = transcribe(&server, &wav, &fields).await.ok();
    assert_eq!((&verbose["text"], &verbose["language"]), (&json!(SPOKEN), &json!("en")));
    assert_eq!(verbose["segments"].as_array().unwrap().len(), 2);
    assert_eq!(verbose["segments"][1]["end"], verbose["duration"]);
    assert_eq!(verbose["words"].as_array().unwrap().len(), SPOKEN.split_whitespace().count());
}

#[tokio::test]
async fn a_transcription_can_be_streamed() {
    let server = Server::start().await;
    let wav = server.speak(SPOKEN, json!({})).await.bytes;
    let whole = transcribe(&server, &wav, &[]).await.ok();
    let mut events: Vec<Value> = transcribe(&server, &wav, &[("stream", "true")])
        .await
        .events()
        .iter()
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect();
    let done = events.pop().unwrap();
    assert_eq!((&done["type"], &done["text"]), (&json!("transcript.text.done"), &json!(SPOKEN)));
    assert_eq!(done["usage"], whole["usage"]);
    assert!(events.iter().all(|event| event["type"] == "transcript.text.delta"));
    assert_eq!(events.iter().map(|event| event["delta"].as_str().unwrap()).collect::<String>(), SPOKEN);
}

#[tokio::test]
async fn a_translation_has_its_own_shape() {
    let server = Server::start().await;
    let wav = server.speak(SPOKEN, json!({})).await.bytes;
    let upload = async |fields: &[(&str, &str)]| {
        server.upload("/v1/audio/translations", "sound.wav", &wav, fields).await.ok()
    };
    assert_eq!(upload(&[("model", "demo-transcribe")]).await, json!({ "text": SPOKEN }));
    let verbose = upload(&[("model", "demo-transcribe"), ("response_format", "verbose_json")]).await;
    assert_eq!((&verbose["task"], &verbose["language"]), (&json!("translate"), &json!("english")));
}

#[tokio::test]
async fn a_file_above_25_megabytes_is_refused() {
    let server = Server::start().await;
    let within = vec![1; 25 << 20];
    transcribe(&server, &within, &[]).await.ok();
    for size in [(25 << 20) + 1, 27 << 20] {
        let refused = transcribe(&server, &vec![1; size], &[]).await;
        assert_eq!(refused.error(), (413, Value::Null, Value::Null));
    }
}

#[tokio::test]
async fn a_bad_form_is_refused() {
    let server = Server::start().await;
    let path = "/v1/audio/transcriptions";
    let model = [("model", "demo-transcribe")];
    for (name, file, fields, param) in [
        ("a.wav", &b"x"[..], &[][..], "model"),
        ("a.txt", b"x", &model, "file"),
        ("a.wav", b"", &model, "file"),
        ("a.wav", b"x", &[("model", "demo-transcribe"), ("response_format", "pdf")], "response_format"),
    ] {
        let (status, refused, _) = server.upload(path, name, file, fields).await.error();
        assert_eq!((status, refused), (400, json!(param)));
    }
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ndemo-transcribe\r\n--b--\r\n";
    let without_file = server.post_bytes(path, "multipart/form-data; boundary=b", form).await;
    assert_eq!(without_file.error(), (400, json!("file"), json!("missing_required_parameter")));
    assert_eq!(server.post(path, &json!({})).await.error().0, 400);
    let cut_off = server.post_bytes(path, "multipart/form-data; boundary=b", &form[..60]).await;
    assert_eq!(cut_off.error().0, 400);
}
