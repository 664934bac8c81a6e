//! What a request may report, as far as can be decided without the database.

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::domain::{
    Caller, EventInput, FieldErrors, GroupId, KeyId, MAX_BATCH, Refusal, Role, Settlement, UsageType, UserId,
};
use crate::error::{Error, Result};

/// One request's events, each valid in itself.
#[derive(Clone, Debug)]
pub struct Report {
    pub group: GroupId,
    /// The caller, who spent what names no user.
    pub user: UserId,
    /// The key that the caller reports with; none for a session.
    pub key: Option<KeyId>,
    pub events: Vec<Event>,
}

/// An event and its fingerprint.
#[derive(Clone, Debug)]
pub struct Event {
    pub input: EventInput,
    pub fingerprint: [u8; 32],
}

impl Report {
    /// The users that events name beside the caller.
    pub fn named(&self) -> impl Iterator<Item = UserId> {
        self.events.iter().filter_map(|event| event.input.user_id).filter(|user| *user != self.user)
    }
}

/// Checks a request's events and whom they name.
///
/// # Errors
/// [`Refusal::Invalid`], naming every field; [`Refusal::Forbidden`].
pub fn admit(caller: &Caller, events: Vec<EventInput>, now: DateTime<Utc>) -> Result<Report> {
    let user = &caller.user;
    let group = user.must_have_group()?;
    if events.is_empty() || events.len() > MAX_BATCH {
        return Err(Refusal::field("events", format!("Send 1 to {MAX_BATCH} events.")).into());
    }
    let mut errors = FieldErrors::new();
    for (index, event) in events.iter().enumerate() {
        let prefix = format!("events[{index}].");
        event.check(&prefix, now, &mut errors);
        check_text(event, &prefix, &mut errors);
    }
    errors.into_result()?;
    let named = |event: &EventInput| event.user_id.is_some_and(|named| named != user.id);
    if user.role != Role::Admin && events.iter().any(named) {
        return Err(
            Refusal::Forbidden("Only an admin of the group may record for another user.".into()).into()
        );
    }
    let events = events.into_iter().map(event).collect::<Result<_>>()?;
    Ok(Report { group, user: user.id, key: caller.key, events })
}

/// Checks how a hold was spent; what it is spent on is the hold's.
///
/// # Errors
/// [`Refusal::Invalid`], naming every field.
pub fn admit_settlement(hold: &str, settlement: Settlement, now: DateTime<Utc>) -> Result<Event> {
    let input = settlement.event(hold, UsageType::Llm);
    let mut errors = FieldErrors::new();
    input.check_from(0, "", now, &mut errors);
    check_text(&input, "", &mut errors);
    errors.into_result()?;
    event(input)
}

/// PostgreSQL keeps no U+0000, in texts or in JSON.
fn check_text(event: &EventInput, prefix: &str, errors: &mut FieldErrors) {
    if event.metadata.as_ref().is_some_and(has_nul) {
        errors.add(format!("{prefix}metadata"), "Metadata must not contain the character U+0000.");
    }
}

/// The fingerprint is of the event in one spelling: fields in the order they are declared, what was left out
/// left out, keys of the metadata sorted, times in UTC to the microsecond. Kept fingerprints depend on it.
fn event(mut input: EventInput) -> Result<Event> {
    input.created_at = input.created_at.map(|at| at.trunc_subsecs(6));
    if let Some(metadata) = &mut input.metadata {
        metadata.sort_keys();
        metadata.values_mut().for_each(Value::sort_all_objects);
    }
    let fingerprint = fingerprint(&input)?;
    Ok(Event { input, fingerprint })
}

/// SHA-256 of a value as JSON.
///
/// # Errors
/// [`Error::Internal`] for a value that JSON can't say.
pub fn fingerprint(value: &impl Serialize) -> Result<[u8; 32]> {
    let spelled = serde_json::to_vec(value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Sha256::digest(spelled).into())
}

fn has_nul(object: &Map<String, Value>) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(values) => values.iter().any(within),
            Value::Object(object) => has_nul(object),
            _ => false,
        }
    }
    object.iter().any(|(key, value)| key.contains('\0') || within(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use uuid::Uuid;

    use super::*;
    use crate::domain::{Group, User};

    fn user(role: Role) -> User {
        let group =
            (role != Role::SuperAdmin).then(|| Group { id: Uuid::now_v7().into(), name: "Acme".into() });
        User { id: Uuid::now_v7().into(), email: "a@acme.test".into(), name: "A".into(), role, group }
    }

    fn input(value: Value) -> EventInput {
        let mut event = json!({"id": "e1", "usage_type": "llm", "tokens_used": 5});
        event.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    fn refusal(user: &User, events: Vec<EventInput>) -> Refusal {
        match admit(&Caller::from(user), events, DateTime::UNIX_EPOCH) {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?} should have been refused"),
        }
    }

    #[test]
    fn a_member_records_for_itself_and_an_admin_for_others() {
        let (member, admin) = (user(Role::Member), user(Role::Admin));
        let own = input(json!({"user_id": member.id}));
        let others = input(json!({"user_id": Uuid::now_v7()}));
        assert!(admit(&Caller::from(&member), vec![input(json!({})), own], DateTime::UNIX_EPOCH).is_ok());
        assert_eq!(refusal(&member, vec![others.clone()]).code(), "forbidden");
        assert!(
            admit(&Caller::from(&admin), vec![others], DateTime::UNIX_EPOCH)
                .is_ok_and(|r| r.named().count() == 1)
        );
        assert_eq!(refusal(&user(Role::SuperAdmin), vec![input(json!({}))]).code(), "forbidden");
    }

    #[test]
    fn a_request_has_1_to_1000_events() {
        let member = user(Role::Member);
        assert_eq!(refusal(&member, vec![]).code(), "invalid");
        assert_eq!(refusal(&member, vec![input(json!({})); MAX_BATCH + 1]).code(), "invalid");
        assert!(
            admit(&Caller::from(&member), vec![input(json!({})); MAX_BATCH], DateTime::UNIX_EPOCH).is_ok()
        );
    }

    #[test]
    fn what_postgres_cannot_keep_is_refused_everywhere() {
        for metadata in [json!({"a": "\0"}), json!({"\0": 1}), json!({"a": [{"b": "x\0"}]})] {
            let Refusal::Invalid(errors) =
                refusal(&user(Role::Member), vec![input(json!({"metadata": metadata}))])
            else {
                panic!("expected named fields")
            };
            assert_eq!(errors[0].field, "events[0].metadata");
        }
    }

    #[test]
    fn a_fingerprint_is_of_the_meaning_not_the_spelling() {
        let print = |value| event(input(value)).unwrap().fingerprint;
        assert_eq!(
            print(json!({"metadata": {"a": 1, "b": {"c": 2, "d": 3}}})),
            print(json!({"metadata": {"b": {"d": 3, "c": 2}, "a": 1}})),
        );
        assert_eq!(
            print(json!({"created_at": "2026-01-01T01:00:00+01:00"})),
            print(json!({"created_at": "2026-01-01T00:00:00.0000001Z"})),
        );
        let plain = print(json!({}));
        for other in [
            json!({"tokens_used": 6}),
            json!({"usage_type": "voice"}),
            json!({"model": "m"}),
            json!({"metadata": {}}),
            json!({"user_id": Uuid::nil()}),
            json!({"created_at": "2026-01-01T00:00:00Z"}),
        ] {
            assert_ne!(print(other.clone()), plain, "{other}");
        }
    }

    #[test]
    fn a_fingerprint_stays_what_it_was_in_earlier_versions() {
        let event = event(input(json!({"model": "m", "metadata": {"b": 1, "a": [true, null]}}))).unwrap();
        let spelled = r#"{"id":"e1","usage_type":"llm","tokens_used":5,"model":"m","metadata":{"a":[true,null],"b":1}}"#;
        assert_eq!(event.fingerprint, <[u8; 32]>::from(Sha256::digest(spelled)));
    }
}
