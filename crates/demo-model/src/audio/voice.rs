//! A formant synthesiser: each letter is a sound, made of a source (the pulses of a voice, or noise) that is filtered by
//! the resonances of the mouth. It makes speech-like sound from any text; hardly a word of it can be understood.

mod sounds;

use crate::seed;
use sounds::{Sound, sounds};

use crate::wav::SAMPLE_RATE;

const RATE: f32 = SAMPLE_RATE as f32;
/// How long one sound takes to become the next, in seconds.
const GLIDE: f32 = 0.03;
/// How wide the formants are, in hertz.
const BANDWIDTHS: [f32; 3] = [80.0, 110.0, 160.0];
/// How strong they are.
const STRENGTHS: [f32; 3] = [1.0, 0.6, 0.3];
/// A gain at which the loudest vowels don't distort much.
const GAIN: f32 = 2.5;

/// A text being spoken, sound after sound.
pub struct Speech {
    sounds: std::vec::IntoIter<Sound>,
    before: Sound,
    speed: f32,
    /// Of the voice, in hertz.
    pitch: f32,
    /// Where in its period it is, from 0 to 1.
    phase: f32,
    /// How many samples there were, which is also the noise's seed.
    spoken: u64,
    resonators: [Resonator; 3],
}

impl Speech {
    /// The voice's name chooses the pitch. `speed` is 1 for the usual pace.
    pub fn new(text: &str, voice: &str, speed: f32) -> Self {
        let pitch = 150.0 + 60.0 * seed::signed_unit(seed::of(voice));
        Self {
            sounds: sounds(text).into_iter(),
            before: Sound::PAUSE,
            speed,
            pitch,
            phase: 0.0,
            spoken: 0,
            resonators: Default::default(),
        }
    }

    /// How many samples are still to come.
    pub fn samples(&self) -> u32 {
        self.sounds.as_slice().iter().map(|sound| self.length(sound)).sum()
    }

    fn length(&self, sound: &Sound) -> u32 {
        (sound.seconds / self.speed * RATE) as u32
    }

    fn speak(&mut self, sound: &Sound) -> Vec<i16> {
        let length = self.length(sound);
        let glide = (GLIDE * RATE).min(length as f32);
        let before = std::mem::replace(&mut self.before, *sound);
        (0..length)
            .map(|at| {
                let progress = (at as f32 / glide).min(1.0);
                let between = |from: f32, to: f32| from + (to - from) * progress;
                let release = ((length - at) as f32 / glide).min(1.0);
                let loudness = between(before.loudness, sound.loudness) * (0.5 + 0.5 * release);
                let formants: [f32; 3] =
                    std::array::from_fn(|at| between(before.formants[at], sound.formants[at]));
                let breath = between(before.breath, sound.breath);
                let source = self.pulse() * (1.0 - breath) + self.noise() * breath;
                let mouth: f32 = self
                    .resonators
                    .iter_mut()
                    .enumerate()
                    .map(|(at, resonator)| {
                        STRENGTHS[at] * resonator.next(source, formants[at], BANDWIDTHS[at])
                    })
                    .sum();
                self.spoken += 1;
                // Soft clipping: what is too loud is pressed, not cut.
                ((mouth * loudness * GAIN).tanh() * f32::from(i16::MAX)) as i16
            })
            .collect()
    }

    /// The vocal folds: open slowly, shut at once. The pitch falls and rises a little, as in speech.
    fn pulse(&mut self) -> f32 {
        let seconds = self.spoken as f32 / RATE;
        let pitch = self.pitch * (1.0 + 0.08 * (seconds * 4.1).sin() + 0.03 * (seconds * 17.0).sin());
        self.phase = (self.phase + pitch / RATE).fract();
        if self.phase < 0.7 { (self.phase / 0.7 * std::f32::consts::PI).sin() - 0.45 } else { -0.45 }
    }

    fn noise(&self) -> f32 {
        seed::signed_unit(self.spoken)
    }
}

/// One sound's samples at a time.
impl Iterator for Speech {
    type Item = Vec<i16>;

    fn next(&mut self) -> Option<Vec<i16>> {
        let sound = self.sounds.next()?;
        Some(self.speak(&sound))
    }
}

/// A two-pole filter: one formant.
#[derive(Default)]
struct Resonator {
    last: [f32; 2],
}

impl Resonator {
    fn next(&mut self, input: f32, frequency: f32, bandwidth: f32) -> f32 {
        let radius = (-std::f32::consts::PI * bandwidth / RATE).exp();
        let angle = std::f32::consts::TAU * frequency / RATE;
        let feedback = [2.0 * radius * angle.cos(), -radius * radius];
        let gain = (1.0 - radius) * (1.0 - 2.0 * radius * (2.0 * angle).cos() + radius * radius).sqrt();
        let output = gain * input + feedback[0] * self.last[0] + feedback[1] * self.last[1];
        self.last = [output, self.last[0]];
        output
    }
}
