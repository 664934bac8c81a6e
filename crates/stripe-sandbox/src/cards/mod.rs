//! Test cards: what Stripe's do, by number and by name.
//!
//! Source: <https://docs.stripe.com/testing>. A card is known by its name here; its number is looked at
//! once, when it is entered, and not kept.

mod entry;
mod table;

use serde_json::json;
use sha2::{Digest, Sha256};

pub(super) use entry::{Entered, read};
pub(super) use table::{Challenge, Decline, Disputing, TestCard};

use super::engine::ApiError;
use table::CARDS;

/// The card behind `pm_card_…` or `tok_…`.
pub(super) fn named(id: &str) -> Option<&'static TestCard> {
    let name = id.strip_prefix("pm_card_").or_else(|| id.strip_prefix("tok_"))?;
    CARDS.iter().find(|card| card.names.contains(&name))
}

/// The card by the name it is kept under: the first of its names.
pub(super) fn kept_as(name: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.name() == name)
}

fn numbered(number: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.number == number)
}

impl TestCard {
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    pub(super) fn last4(&self) -> &'static str {
        &self.number[self.number.len() - 4..]
    }

    /// The same for the same number, in any sandbox.
    pub(super) fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.number))[..16].to_owned()
    }

    /// A security code that a test would type.
    pub(super) fn cvc_length(&self) -> usize {
        if self.brand == "amex" { 4 } else { 3 }
    }
}

/// The error for a declined card.
pub(super) fn declined(decline: &Decline) -> ApiError {
    let of_the_bank = [
        ("decline_code", decline.decline_code),
        ("advice_code", decline.advice_code),
        ("network_decline_code", decline.network_decline_code),
    ];
    let error = ApiError::card(decline.code, decline.message);
    of_the_bank.into_iter().fold(error, |error, (field, code)| match code {
        Some(code) => error.with(field, json!(code)),
        None => error,
    })
}

/// What is asked of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be kept with a customer, unseen by the customer's bank's 3D Secure.
    Attach,
    /// To be set up for later payments.
    SetUp,
    /// To pay, by the customer or without (`off_session`).
    Charge { off_session: bool },
}

/// What the bank says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Approved,
    /// The customer must authenticate first.
    Challenged,
    Declined(&'static Decline),
}

/// The bank's answer. `set_up` if the card was set up for later payments before, `authenticated` if the
/// customer has just passed 3D Secure, `demanded` if the merchant asks for 3D Secure.
pub(super) fn judge(
    card: &TestCard,
    purpose: Purpose,
    set_up: bool,
    authenticated: bool,
    demanded: bool,
) -> Verdict {
    let challenged = match (card.challenge, purpose) {
        (_, Purpose::Attach) => false,
        (Challenge::Never, _) => demanded,
        (Challenge::Always, _) => true,
        (Challenge::UntilSetUp | Challenge::Requested, Purpose::Charge { off_session: true }) => !set_up,
        (Challenge::UntilSetUp | Challenge::Requested, _) => true,
        (Challenge::OnSession, Purpose::Charge { off_session }) => !off_session,
        (Challenge::OnSession, _) => demanded,
    };
    if challenged && !authenticated {
        return match purpose {
            Purpose::Charge { off_session: true } => Verdict::Declined(&table::AUTHENTICATION_REQUIRED),
            _ => Verdict::Challenged,
        };
    }
    match card.decline {
        Some(decline) if !(card.attaches && matches!(purpose, Purpose::Attach | Purpose::SetUp)) => {
            Verdict::Declined(decline)
        }
        _ => Verdict::Approved,
    }
}

/// A brand as people write it.
pub(super) fn brand_name(brand: &str) -> &str {
    match brand {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" => "American Express",
        "discover" => "Discover",
        "diners" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Purpose = Purpose::Charge { off_session: false };
    const OFF: Purpose = Purpose::Charge { off_session: true };

    fn verdict(number: &str, purpose: Purpose, set_up: bool, authenticated: bool) -> Verdict {
        judge(numbered(number).unwrap(), purpose, set_up, authenticated, false)
    }

    fn code(verdict: Verdict) -> Option<&'static str> {
        match verdict {
            Verdict::Declined(decline) => Some(decline.decline_code.unwrap_or(decline.code)),
            _ => None,
        }
    }

    #[test]
    fn declines_are_stripes() {
        for (number, expected) in [
            ("4000000000000002", "generic_decline"),
            ("4000000000009995", "insufficient_funds"),
            ("4000000000009987", "lost_card"),
            ("4000000000009979", "stolen_card"),
            ("4000000000000069", "expired_card"),
            ("4000000000000127", "incorrect_cvc"),
            ("4000000000000119", "processing_error"),
        ] {
            assert_eq!(code(verdict(number, ON, false, false)), Some(expected), "{number}");
            assert_eq!(
                code(verdict(number, Purpose::Attach, false, false)),
                Some(expected),
                "{number} attached"
            );
        }
        assert_eq!(verdict("4000000000000341", Purpose::Attach, false, false), Verdict::Approved);
        assert_eq!(code(verdict("4000000000000341", ON, false, false)), Some("generic_decline"));
        assert_eq!(verdict("4242424242424242", ON, false, false), Verdict::Approved);
    }

    #[test]
    fn challenges_are_stripes() {
        for number in ["4000002500003155", "4000002760003184", "4000000000003220", "4000008400001629"] {
            assert_eq!(verdict(number, ON, true, false), Verdict::Challenged, "{number}");
            assert_eq!(verdict(number, Purpose::SetUp, false, false), Verdict::Challenged, "{number}");
        }
        assert_eq!(verdict("4000002500003155", OFF, true, false), Verdict::Approved);
        assert_eq!(code(verdict("4000002500003155", OFF, false, false)), Some("authentication_required"));
        assert_eq!(code(verdict("4000002760003184", OFF, true, false)), Some("authentication_required"));
        assert_eq!(verdict("4000002760003184", ON, false, true), Verdict::Approved);
        assert_eq!(code(verdict("4000008400001629", ON, false, true)), Some("generic_decline"));
    }

    #[test]
    fn names_and_numbers_are_each_one_card() {
        for card in CARDS {
            assert_eq!(kept_as(card.name()).map(|found| found.number), Some(card.number));
            assert_eq!(
                CARDS.iter().filter(|other| other.number == card.number).count(),
                1,
                "{}",
                card.number
            );
            assert!(entry::passes_luhn(card.number), "{}", card.number);
        }
    }
}
