//! What a history is made of: what people do in the application and past it, and what becomes of Stripe's events.

use proptest::prelude::*;
use proptest::sample::Index;

/// How many plans there are to choose from (`World::open` makes them).
const PLANS: usize = 6;
const GOOD: &str = "pm_card_visa";
const BAD: &str = "pm_card_chargeCustomerFail";
/// The bank asks its cardholder each time.
const ASKING: &str = "pm_card_authenticationRequired";

/// One history, and what it can be had again by.
#[derive(Clone, Debug)]
pub struct Script {
    /// When it begins: the month's ends are what billing has to get right.
    pub day_of_year: u32,
    pub hour: u32,
    pub steps: Vec<Step>,
    /// In which order what is left is delivered in the end.
    pub order: u64,
}

/// What a person does, by the REST API.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Buy {
        plan: usize,
        card: Option<&'static str>,
    },
    Cancel {
        at_period_end: bool,
    },
    /// Takes the cancellation back.
    Resume,
    /// Dearer or cheaper, of the same interval or another, or the plan there is, which takes back what was to come.
    ChangePlan(usize),
    PayBy(&'static str),
    Spend,
}

/// What becomes of events of Stripe's.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Arrives,
    /// It is kept, and the server stops before its effect.
    CrashesBeforeItsEffect,
    /// Stripe doesn't answer when its effect is to be had.
    MeetsAnOutage,
    /// It arrives, and Stripe fails to say what became of what is asked of it meanwhile.
    AnswersAreLost,
    /// It never arrives.
    IsLost,
}

/// What is done at Stripe, past the application: by the operator, in the customer portal, on an invoice's page.
#[derive(Clone, Copy, Debug)]
pub enum AtStripe {
    ChangeCard(&'static str),
    /// A price of the same interval.
    ChangePrice(usize),
    EndLater(bool),
    End,
    /// What becomes of a trial without a card.
    PauseAfterTrial,
    EndTrial,
    GoOnAfterPause,
    /// Stops or takes up again the collection of invoices.
    PauseCollection(bool),
    PayInvoice,
    VoidInvoice,
    Refund,
    /// What becomes of a subscription after the last retry, for all of them.
    AfterLastRetry(&'static str),
}

#[derive(Clone, Debug)]
pub enum Step {
    Act(Act),
    /// The customer confirms what is left to confirm, in the card form.
    Confirm(&'static str),
    /// The customer answers the bank.
    Authenticate(bool),
    AtStripe(AtStripe),
    /// Hours.
    Wait(i64),
    /// Events, some of them perhaps for the second time, all at once and while a person does something.
    Events(Vec<Index>, Fate, Option<Act>),
    RetryInbox,
}

fn cards() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(GOOD), 2 => Just(BAD), 1 => Just(ASKING)]
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..PLANS, prop::option::of(cards())).prop_map(|(plan, card)| Act::Buy { plan, card }),
        2 => any::<bool>().prop_map(|at_period_end| Act::Cancel { at_period_end }),
        1 => Just(Act::Resume),
        5 => (0..PLANS).prop_map(Act::ChangePlan),
        2 => cards().prop_map(Act::PayBy),
        2 => Just(Act::Spend),
    ]
}

fn at_stripe() -> impl Strategy<Value = AtStripe> {
    let after = prop_oneof![Just("mark_unpaid"), Just("leave_past_due"), Just("cancel")];
    prop_oneof![
        4 => cards().prop_map(AtStripe::ChangeCard),
        2 => (0..PLANS).prop_map(AtStripe::ChangePrice),
        2 => any::<bool>().prop_map(AtStripe::EndLater),
        1 => Just(AtStripe::End),
        1 => Just(AtStripe::PauseAfterTrial),
        1 => Just(AtStripe::EndTrial),
        1 => Just(AtStripe::GoOnAfterPause),
        1 => any::<bool>().prop_map(AtStripe::PauseCollection),
        1 => Just(AtStripe::PayInvoice),
        1 => Just(AtStripe::VoidInvoice),
        1 => Just(AtStripe::Refund),
        2 => after.prop_map(AtStripe::AfterLastRetry),
    ]
}

/// What a history begins with, so that each part of a subscription's life is lived through often.
fn openings() -> impl Strategy<Value = Vec<Step>> {
    let buy = |plan, card| Step::Act(Act::Buy { plan, card });
    let change_card = |card| Step::AtStripe(AtStripe::ChangeCard(card));
    let (month, long) = (Step::Wait(24 * 31), Step::Wait(24 * 45));
    let bought = (0..PLANS, prop::option::of(cards())).prop_map(move |(plan, card)| vec![buy(plan, card)]);
    let after = prop_oneof![2 => Just("mark_unpaid"), 1 => Just("leave_past_due"), 1 => Just("cancel")];
    let (first, later) = (month.clone(), long.clone());
    let fails = (after, any::<bool>()).prop_map(move |(after, is_given_up)| {
        let wait = if is_given_up { &later } else { &first };
        let chosen = Step::AtStripe(AtStripe::AfterLastRetry(after));
        vec![chosen, buy(0, Some(GOOD)), change_card(BAD), wait.clone()]
    });
    let paused = prop_oneof![Just(1), Just(5)]
        .prop_map(move |plan| vec![buy(plan, None), Step::AtStripe(AtStripe::PauseAfterTrial), long.clone()]);
    let asked = Just(vec![buy(0, Some(GOOD)), change_card(ASKING), Step::Act(Act::ChangePlan(3))]);
    let later = (0..PLANS, 0..PLANS).prop_map(move |(plan, wanted)| {
        vec![buy(plan, Some(GOOD)), month.clone(), Step::Act(Act::ChangePlan(wanted))]
    });
    prop_oneof![4 => bought, 2 => fails, 1 => paused, 1 => asked, 2 => later]
}

pub fn scripts() -> impl Strategy<Value = Script> {
    let hours = prop_oneof![
        2 => Just(1_i64),
        2 => Just(30),
        2 => Just(24 * 8),
        3 => Just(24 * 20),
        3 => Just(24 * 45),
        1 => Just(24 * 200),
    ];
    let fate = prop_oneof![
        5 => Just(Fate::Arrives),
        1 => Just(Fate::CrashesBeforeItsEffect),
        1 => Just(Fate::MeetsAnOutage),
        1 => Just(Fate::AnswersAreLost),
        1 => Just(Fate::IsLost),
    ];
    let picks = prop::collection::vec(any::<Index>(), 1..5);
    let step = prop_oneof![
        4 => acts().prop_map(Step::Act),
        2 => cards().prop_map(Step::Confirm),
        1 => any::<bool>().prop_map(Step::Authenticate),
        5 => at_stripe().prop_map(Step::AtStripe),
        4 => hours.prop_map(Step::Wait),
        6 => (picks, fate, prop::option::of(acts())).prop_map(|(picks, fate, act)| Step::Events(picks, fate, act)),
        1 => Just(Step::RetryInbox),
    ];
    let steps =
        (openings(), prop::collection::vec(step, 3..16)).prop_map(|(opening, rest)| [opening, rest].concat());
    (0..365_u32, 0..24_u32, steps, any::<u64>()).prop_map(|(day_of_year, hour, steps, order)| Script {
        day_of_year,
        hour,
        steps,
        order,
    })
}
