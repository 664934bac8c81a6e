//! How many tokens fit: under a key's cap, a member's cap and the group's allowance at once.

use crate::domain::LimitScope;

/// Tokens that an answer gets where so many are left, however many others spend from the same allowance.
const FAIR_ANSWER: i64 = 4_096;
/// The shortest answer worth asking for.
const SHORTEST_ANSWER: i64 = 16;
/// No answer gets more than this share of what remains, so that one long answer doesn't block the others.
const SHARE: i64 = 8;

/// One limit, and how far it is taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub scope: LimitScope,
    pub limit: i64,
    pub used: i64,
    pub held: i64,
}

impl Bound {
    /// What is left beside what is used and held.
    fn left(&self) -> i64 {
        self.limit.saturating_sub(self.used).saturating_sub(self.held)
    }

    /// What would be left if nothing were held.
    fn unused(&self) -> i64 {
        self.limit.saturating_sub(self.used)
    }
}

/// How many tokens are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Exactly(i64),
    /// An answer of up to `most`, after `prompt` tokens that are spent in any case.
    Answer {
        prompt: i64,
        most: i64,
        /// Rather wait for others' holds to settle than get less than what is fair.
        patient: bool,
    },
}

/// Tokens that don't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The first limit that stopped it.
    pub scope: LimitScope,
    /// Whether they fit once others' holds are settled.
    pub only_held: bool,
}

/// How many tokens are granted under all of the limits, which are checked in the order given.
///
/// # Errors
/// [`Shortage`] where they don't fit.
pub fn fit(bounds: &[Bound], size: Size) -> Result<i64, Shortage> {
    match size {
        Size::Exactly(tokens) => within(bounds, tokens).map(|()| tokens),
        Size::Answer { prompt, most, patient } => {
            let left = bounds.iter().map(Bound::left).min().unwrap_or(i64::MAX);
            let unused = bounds.iter().map(Bound::unused).min().unwrap_or(i64::MAX);
            let least = SHORTEST_ANSWER.min(most);
            let answer = most.min((left / SHARE).max(FAIR_ANSWER)).min(left.saturating_sub(prompt));
            let fair = most.min(FAIR_ANSWER).min(unused.saturating_sub(prompt));
            let enough = if patient { least.max(fair) } else { least };
            if answer < enough {
                within(bounds, prompt.saturating_add(enough))?;
            }
            Ok(prompt.saturating_add(answer))
        }
    }
}

fn within(bounds: &[Bound], tokens: i64) -> Result<(), Shortage> {
    match bounds.iter().find(|bound| bound.left() < tokens) {
        None => Ok(()),
        Some(first) => Err(Shortage {
            scope: first.scope,
            only_held: bounds.iter().all(|bound| bound.unused() >= tokens),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(limit: i64, used: i64, held: i64) -> Bound {
        Bound { scope: LimitScope::Group, limit, used, held }
    }

    fn answer(bounds: &[Bound], prompt: i64, most: i64) -> Result<i64, Shortage> {
        fit(bounds, Size::Answer { prompt, most, patient: false }).map(|tokens| tokens - prompt)
    }

    #[test]
    fn the_last_token_fits_and_none_beyond() {
        assert_eq!(fit(&[group(100, 60, 30)], Size::Exactly(10)), Ok(10));
        let over = |only_held| Err(Shortage { scope: LimitScope::Group, only_held });
        assert_eq!(fit(&[group(100, 60, 30)], Size::Exactly(11)), over(true));
        assert_eq!(fit(&[group(100, 60, 30)], Size::Exactly(40)), over(true));
        assert_eq!(fit(&[group(100, 60, 30)], Size::Exactly(41)), over(false));
        assert_eq!(fit(&[], Size::Exactly(i64::MAX)), Ok(i64::MAX));
    }

    #[test]
    fn the_first_limit_that_stopped_it_is_named() {
        let key = Bound { scope: LimitScope::Key, limit: 50, used: 45, held: 0 };
        let member = Bound { scope: LimitScope::Member, limit: 50, used: 40, held: 5 };
        let bounds = [key, member, group(100, 90, 5)];
        assert_eq!(fit(&bounds, Size::Exactly(5)), Ok(5));
        assert_eq!(fit(&bounds, Size::Exactly(6)).map_err(|short| short.scope), Err(LimitScope::Key));
        let shortage = fit(&bounds[1..], Size::Exactly(6));
        assert_eq!(shortage, Err(Shortage { scope: LimitScope::Member, only_held: true }));
    }

    #[test]
    fn an_answer_gets_an_eighth_of_what_remains_but_4096_where_so_much_is_left() {
        assert_eq!(answer(&[group(1_000_000, 200_000, 0)], 100, 200_000), Ok(100_000));
        assert_eq!(answer(&[group(1_000_000, 200_000, 0)], 100, 16_000), Ok(16_000));
        assert_eq!(answer(&[group(20_000, 0, 0)], 100, 16_000), Ok(4_096));
        assert_eq!(answer(&[group(20_000, 0, 19_000)], 100, 16_000), Ok(900));
        assert_eq!(answer(&[], 100, 16_000), Ok(16_000));
    }

    #[test]
    fn an_answer_is_never_shorter_than_16_unless_it_may_not_be_longer() {
        assert_eq!(answer(&[group(116, 0, 0)], 100, 16_000), Ok(16));
        assert_eq!(answer(&[group(115, 0, 0)], 100, 16_000).map_err(|s| s.only_held), Err(false));
        assert_eq!(answer(&[group(115, 0, 0)], 100, 5), Ok(5));
        assert_eq!(answer(&[group(200, 0, 90)], 100, 16_000).map_err(|s| s.only_held), Err(true));
    }

    #[test]
    fn a_patient_caller_waits_for_a_fair_answer_rather_than_take_a_short_one() {
        let patient =
            |bounds: &[Bound]| fit(bounds, Size::Answer { prompt: 100, most: 16_000, patient: true });
        assert_eq!(patient(&[group(20_000, 0, 19_000)]).map_err(|s| s.only_held), Err(true));
        assert_eq!(patient(&[group(20_000, 19_000, 0)]), Ok(1_000), "nothing to wait for");
        assert_eq!(patient(&[group(20_000, 0, 4_000)]), Ok(4_196));
    }
}
