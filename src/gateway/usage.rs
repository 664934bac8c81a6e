//! What an answer cost, as the upstream reports it, in the ledger's terms.

use super::json::Json;
use crate::domain::{Details, MAX_COUNT};

/// What a request cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub tokens: i64,
    pub details: Option<Details>,
    /// Whether we counted, for want of a provider's own count.
    pub estimated: bool,
}

impl Spent {
    /// Of what is counted by a rule of its own, without classes.
    pub fn of(tokens: i64) -> Self {
        Self { tokens, details: None, estimated: false }
    }

    /// What we counted ourselves.
    pub fn estimate(prompt: i64, answer: i64) -> Self {
        let (input, output) = (prompt.max(0), answer.max(0));
        let details = Details { input, output, ..Details::default() };
        Self { tokens: input + output, details: Some(details), estimated: true }
    }

    /// Reads the `usage` of an answer: chat completions and embeddings speak of prompt and completion, responses of
    /// input and output. None where it says nothing: absent, null, all zeros or no counts at all.
    pub fn read(usage: &Json<'_>) -> Option<Self> {
        let either = |names: [&str; 2]| names.into_iter().find_map(|name| usage.count_of(name));
        let part = |of: [&str; 2], name: &str| {
            let details = of.into_iter().find_map(|details| usage.get(details));
            details.and_then(|details| details.count_of(name)).unwrap_or(0)
        };
        const INPUT: [&str; 2] = ["prompt_tokens_details", "input_tokens_details"];
        const OUTPUT: [&str; 2] = ["completion_tokens_details", "output_tokens_details"];
        let prompt = either(["prompt_tokens", "input_tokens"]).unwrap_or(0);
        let answer = either(["completion_tokens", "output_tokens"]).unwrap_or(0);
        let total = match usage.count_of("total_tokens") {
            Some(total) if total > 0 => total,
            _ => prompt.saturating_add(answer),
        };
        if !(1..=MAX_COUNT).contains(&total) {
            return None;
        }
        // The total is what counts. Parts that say more are cut to it; what they leave open was thought, not shown:
        // some providers report hidden reasoning in the total alone.
        let prompt = prompt.min(total);
        let answer = answer.min(total - prompt);
        let hidden = total - prompt - answer;
        let mut left = prompt;
        let cached_input = take(&mut left, part(INPUT, "cached_tokens"));
        let audio_input = take(&mut left, part(INPUT, "audio_tokens"));
        let input = left;
        let mut left = answer;
        let reasoning = take(&mut left, part(OUTPUT, "reasoning_tokens")) + hidden;
        let audio_output = take(&mut left, part(OUTPUT, "audio_tokens"));
        let details = Details { input, cached_input, output: left, reasoning, audio_input, audio_output };
        Some(Self { tokens: total, details: Some(details), estimated: false })
    }
}

/// Takes as much of what is left as is wanted and there.
fn take(left: &mut i64, wanted: i64) -> i64 {
    let taken = wanted.min(*left);
    *left -= taken;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Spent> {
        Spent::read(&Json::parse(text).unwrap())
    }

    #[test]
    fn cached_reasoned_and_spoken_tokens_are_classes_of_the_whole() {
        let spent = read(
            r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
                "prompt_tokens_details":{"cached_tokens":60,"audio_tokens":10},
                "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5,
                    "accepted_prediction_tokens":1,"rejected_prediction_tokens":2}}"#,
        )
        .unwrap();
        let details = Details {
            input: 30,
            cached_input: 60,
            output: 25,
            reasoning: 20,
            audio_input: 10,
            audio_output: 5,
        };
        assert_eq!(spent, Spent { tokens: 150, details: Some(details), estimated: false });
    }

    #[test]
    fn responses_and_embeddings_are_read_too() {
        let spent = read(
            r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":3,
                "output_tokens_details":{"reasoning_tokens":1},"total_tokens":12}"#,
        )
        .unwrap();
        let details = Details { input: 5, cached_input: 4, output: 2, reasoning: 1, ..Details::default() };
        assert_eq!((spent.tokens, spent.details), (12, Some(details)));
        let details = Details { input: 8, ..Details::default() };
        assert_eq!(read(r#"{"prompt_tokens":8,"total_tokens":8}"#).unwrap().details, Some(details));
    }

    #[test]
    fn a_usage_that_says_nothing_is_none() {
        for text in [
            "null",
            "{}",
            "7",
            r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#,
            r#"{"total_tokens":-5}"#,
            r#"{"total_tokens":"many"}"#,
            r#"{"total_tokens":1e300}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(r#"{"prompt_tokens":3,"completion_tokens":4}"#).unwrap().tokens, 7);
    }

    #[test]
    fn what_only_the_total_knows_of_was_reasoning() {
        let spent = read(r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":40}"#).unwrap();
        assert_eq!((spent.tokens, spent.details.unwrap().reasoning), (40, 25));
    }

    proptest! {
        #[test]
        fn the_classes_always_add_up_to_the_total(counts in proptest::array::uniform7(0..1_000_i64)) {
            let [prompt, answer, total, cached, heard, reasoned, spoken] = counts;
            let text = format!(
                r#"{{"prompt_tokens":{prompt},"completion_tokens":{answer},"total_tokens":{total},
                "prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":{heard}}},
                "completion_tokens_details":{{"reasoning_tokens":{reasoned},"audio_tokens":{spoken}}}}}"#
            );
            if let Some(spent) = read(&text) {
                let classes = spent.details.unwrap().classes();
                prop_assert!(classes.iter().all(|(_, count)| *count >= 0));
                prop_assert_eq!(classes.iter().map(|(_, count)| count).sum::<i64>(), spent.tokens);
            }
        }
    }
}
