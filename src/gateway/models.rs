//! What is known of models: how their text is counted, how much they read and answer, what an image costs.
//!
//! Sources: <https://platform.openai.com/docs/models>, and for images
//! <https://platform.openai.com/docs/guides/images-vision#calculating-costs>. A model that isn't here is counted by
//! bounds: see [`UNKNOWN`].

use super::tokens::{Tokenizer, whole};

/// What is known of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    pub tokenizer: Tokenizer,
    /// The most tokens a prompt and its answer may have together.
    pub context: i64,
    /// The most tokens an answer may have, hidden reasoning included.
    pub max_output: i64,
    pub image: ImageRule,
    /// The field that limits an answer of the chat API. Reasoning models refuse the older one; other providers' servers
    /// may not know the newer.
    pub chat_maximum: &'static str,
}

/// What an image costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageRule {
    /// A base, and so much for each tile of 512 by 512 after scaling.
    Tiles { base: i64, tile: i64 },
    /// Patches of 32 by 32, at most `most` of them, times `thousandths`.
    Patches { most: i64, thousandths: i64 },
}

const fn tiles(base: i64, tile: i64) -> ImageRule {
    ImageRule::Tiles { base, tile }
}

const fn patches(thousandths: i64) -> ImageRule {
    ImageRule::Patches { most: 1_536, thousandths }
}

impl ImageRule {
    /// What an image costs. Of one whose size isn't known (width and height in pixels), the most that any can.
    pub fn cost(self, low_detail: bool, size: Option<(usize, usize)>) -> i64 {
        match self {
            Self::Tiles { base, .. } if low_detail => base,
            Self::Tiles { base, tile } => base + tile * size.map_or(MOST_TILES, count_tiles),
            Self::Patches { most, thousandths } => {
                let patches = size.map_or(most, |(width, height)| {
                    whole(width.div_ceil(PATCH)).saturating_mul(whole(height.div_ceil(PATCH))).min(most)
                });
                (patches * thousandths + 999) / 1_000
            }
        }
    }
}

/// A patch's side in pixels.
const PATCH: usize = 32;
/// A tile's.
const TILE: usize = 512;
/// Scaled to fit 2,048 by 2,048, and then its shorter side to 768, an image has at most 4 by 2 tiles.
const MOST_TILES: i64 = 8;

/// The tiles of an image after scaling, which only ever makes it smaller.
fn count_tiles((width, height): (usize, usize)) -> i64 {
    let (longer, shorter) = (width.max(height).max(1), width.min(height).max(1));
    // Rounded up at each step, so that no tile is missed.
    let fitted =
        (longer.min(2_048), if longer > 2_048 { (shorter * 2_048).div_ceil(longer) } else { shorter });
    let (longer, shorter) = match fitted {
        (longer, shorter) if shorter > 768 => ((longer * 768).div_ceil(shorter), 768),
        fitted => fitted,
    };
    whole(longer.div_ceil(TILE) * shorter.div_ceil(TILE)).min(MOST_TILES)
}

const fn openai(tokenizer: Tokenizer, context: i64, max_output: i64, image: ImageRule) -> Model {
    Model { tokenizer, context, max_output, image, chat_maximum: "max_completion_tokens" }
}

use Tokenizer::{Cl100k, O200k};

/// By the beginning of a name; the first that fits.
const MODELS: &[(&str, Model)] = &[
    ("gpt-5-chat", openai(O200k, 128_000, 16_384, tiles(70, 140))),
    ("gpt-5-mini", openai(O200k, 400_000, 128_000, patches(1_620))),
    ("gpt-5-nano", openai(O200k, 400_000, 128_000, patches(2_460))),
    // Later versions take images of up to 10,000 patches.
    ("gpt-5.", openai(O200k, 1_050_000, 128_000, ImageRule::Patches { most: 10_000, thousandths: 1_620 })),
    ("gpt-5", openai(O200k, 400_000, 128_000, tiles(70, 140))),
    ("gpt-4.1-mini", openai(O200k, 1_047_576, 32_768, patches(1_620))),
    ("gpt-4.1-nano", openai(O200k, 1_047_576, 32_768, patches(2_460))),
    ("gpt-4.1", openai(O200k, 1_047_576, 32_768, tiles(85, 170))),
    ("gpt-4.5", openai(O200k, 128_000, 16_384, tiles(85, 170))),
    ("gpt-4o-mini", openai(O200k, 128_000, 16_384, tiles(2_833, 5_667))),
    ("gpt-4o", openai(O200k, 128_000, 16_384, tiles(85, 170))),
    ("chatgpt-4o", openai(O200k, 128_000, 16_384, tiles(85, 170))),
    ("gpt-4-turbo", openai(Cl100k, 128_000, 4_096, tiles(85, 170))),
    ("gpt-4-0125", openai(Cl100k, 128_000, 4_096, tiles(85, 170))),
    ("gpt-4-1106", openai(Cl100k, 128_000, 4_096, tiles(85, 170))),
    ("gpt-4-32k", openai(Cl100k, 32_768, 32_768, tiles(85, 170))),
    ("gpt-4", openai(Cl100k, 8_192, 8_192, tiles(85, 170))),
    ("gpt-3.5", openai(Cl100k, 16_385, 4_096, tiles(85, 170))),
    ("gpt-35", openai(Cl100k, 16_385, 4_096, tiles(85, 170))),
    ("gpt-oss", Model { chat_maximum: "max_tokens", ..openai(O200k, 131_072, 131_072, tiles(85, 170)) }),
    ("gpt-", openai(O200k, 1_050_000, 128_000, ImageRule::Patches { most: 10_000, thousandths: 1_620 })),
    ("codex-mini", openai(O200k, 200_000, 100_000, tiles(75, 150))),
    ("computer-use", openai(O200k, 8_192, 1_024, tiles(65, 129))),
    ("o4-mini", openai(O200k, 200_000, 100_000, patches(1_720))),
    ("o1-mini", openai(O200k, 128_000, 65_536, tiles(75, 150))),
    ("o1-preview", openai(O200k, 128_000, 32_768, tiles(75, 150))),
    ("o1", openai(O200k, 200_000, 100_000, tiles(75, 150))),
    ("o3", openai(O200k, 200_000, 100_000, tiles(75, 150))),
    ("o4", openai(O200k, 200_000, 100_000, tiles(75, 150))),
    // Up to 2,048 inputs of 8,192 tokens in one request, but no more than 300,000 together.
    ("text-embedding-", openai(Cl100k, 300_000, 0, tiles(0, 0))),
    // The built-in demo model.
    ("demo-", openai(O200k, 1_000_000, 16_384, tiles(85, 170))),
];

/// A model that isn't in the table: no bound on what it reads, answers of up to 16,384 tokens unless the request says
/// more, and what the dearest of the usual rules gives for an image, 4,096 tokens.
pub const UNKNOWN: Model = Model {
    tokenizer: Tokenizer::Unknown,
    context: i64::MAX,
    max_output: 16_384,
    image: ImageRule::Patches { most: 4_096, thousandths: 1_000 },
    chat_maximum: "max_tokens",
};

/// What is known of a model of this name. A fine-tuned one (`ft:gpt-4o:…`) is as its base; a router's `openai/…` as the
/// model itself.
pub fn find(name: &str) -> Model {
    let name = name.strip_prefix("openai/").unwrap_or(name);
    let base = name.strip_prefix("ft:").map_or(name, |rest| rest.split(':').next().unwrap_or(rest));
    MODELS.iter().find(|(start, _)| base.starts_with(start)).map_or(UNKNOWN, |(_, model)| *model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_particular_name_comes_first() {
        for (index, (name, _)) in MODELS.iter().enumerate() {
            let hidden = MODELS[..index].iter().find(|(earlier, _)| name.starts_with(earlier));
            assert!(hidden.is_none(), "{name} is never found");
        }
    }

    #[test]
    fn names_are_found_with_their_dates_and_owners() {
        assert_eq!(find("gpt-4o-mini-2024-07-18").image, tiles(2_833, 5_667));
        assert_eq!(find("ft:gpt-3.5-turbo:acme::7p4lURel").max_output, 4_096);
        assert_eq!(find("openai/o3").max_output, 100_000);
        assert_eq!(find("gpt-4o").tokenizer, O200k);
        assert_eq!(find("gpt-4").tokenizer, Cl100k);
        assert_eq!(find("llama-3.3-70b"), UNKNOWN);
    }

    #[test]
    fn an_image_costs_what_the_provider_publishes() {
        // The examples of its page, and the most that any image costs.
        let gpt = |low, size| find("gpt-4o").image.cost(low, size);
        assert_eq!(gpt(true, Some((4_096, 8_192))), 85);
        assert_eq!(gpt(false, Some((1_024, 1_024))), 765);
        assert_eq!(gpt(false, Some((2_048, 4_096))), 1_105);
        assert_eq!(gpt(false, Some((100, 100))), 255);
        assert_eq!(gpt(false, None), 1_445);
        let mini = |size| find("gpt-4.1-mini").image.cost(false, size);
        assert_eq!(mini(Some((1_024, 1_024))), 1_659);
        assert_eq!(mini(Some((1_800, 2_400))), 2_489);
        assert_eq!(find("o4-mini").image.cost(false, None), 2_642);
    }

    #[test]
    fn no_size_costs_more_than_one_that_is_not_known() {
        for size in [(0, 0), (1, 1_000_000), (100_000, 100_000), (2_049, 769), (usize::MAX >> 20, 1)] {
            for name in ["gpt-4o", "gpt-4o-mini", "gpt-5-mini", "other"] {
                let rule = find(name).image;
                assert!(rule.cost(false, Some(size)) <= rule.cost(false, None), "{name} {size:?}");
            }
        }
    }
}
