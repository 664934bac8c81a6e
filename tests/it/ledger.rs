//! The ledger: what counts, for whom, and what is said of it.

use chrono::{DateTime, Duration, Utc};
use futures::future::join_all;
use futures::{FutureExt, StreamExt};
use tollgate::domain::{EventInput, MAX_COUNT, Period, Recorded, Refusal, Status, UsageType};
use tollgate::error::{Error, Result};
use tollgate::metering::Metering;
use uuid::Uuid;

use crate::support::databases::{Database, each_store};
use crate::support::seed::{Seed, event, group, plan};

const LLM: UsageType = UsageType::Llm;
const VOICE: UsageType = UsageType::Voice;

pub fn counts(recorded: Result<Recorded>) -> (u64, u64, i64, i64) {
    let recorded = recorded.expect("the events are recorded");
    (
        recorded.accepted,
        recorded.duplicates,
        recorded.usage.resources.llm.used,
        recorded.usage.resources.voice.used,
    )
}

pub fn refusal<T: std::fmt::Debug>(answer: Result<T>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?} should have been refused"),
    }
}

pub fn wrong_field<T: std::fmt::Debug>(answer: Result<T>) -> String {
    match refusal(answer) {
        Refusal::Invalid(errors) => errors[0].field.clone(),
        other => panic!("{other:?} should have named a field"),
    }
}

pub fn dated(id: &str, tokens: i64, created_at: DateTime<Utc>) -> EventInput {
    EventInput { created_at: Some(created_at), ..event(id, LLM, tokens) }
}

#[tokio::test]
async fn events_count_once() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let record = |events: Vec<EventInput>| metering.record(&seed.member, events);
        assert_eq!(counts(record(vec![event("a", LLM, 75_234)]).await), (1, 0, 75_234, 0));
        assert_eq!(counts(record(vec![event("a", LLM, 75_234)]).await), (0, 1, 75_234, 0));
        let batch = vec![event("a", LLM, 75_234), event("b", VOICE, 42_891), event("b", VOICE, 42_891)];
        assert_eq!(counts(record(batch).await), (1, 2, 75_234, 42_891));

        let usage = metering.usage(&seed.admin).await.unwrap();
        assert_eq!(
            (usage.subscription_id, usage.plan.id, usage.status),
            (seed.subscription, seed.plan, Status::Active)
        );
        assert_eq!(Period { start: usage.period_start, end: usage.period_end }, seed.period);
        assert_eq!(
            (usage.resources.llm.percentage, usage.resources.voice.percentage),
            (Some(75.2), Some(85.8))
        );
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused_with_its_whole_request() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        counts(metering.record(&seed.member, vec![event("a", LLM, 5)]).await);
        let mismatch = Refusal::EventMismatch { id: "a".into() };
        let others = [
            event("a", LLM, 6),
            event("a", VOICE, 5),
            EventInput { model: Some("m".into()), ..event("a", LLM, 5) },
            EventInput { metadata: Some(serde_json::Map::new()), ..event("a", LLM, 5) },
            dated("a", 5, seed.clock.now()),
        ];
        for other in others {
            let answer = metering.record(&seed.member, vec![event("new", LLM, 1), other]).await;
            assert_eq!(refusal(answer), mismatch);
        }
        let within = vec![event("b", LLM, 1), event("b", LLM, 2)];
        assert_eq!(
            refusal(metering.record(&seed.member, within).await),
            Refusal::EventMismatch { id: "b".into() }
        );
        assert_eq!(
            metering.usage(&seed.member).await.unwrap().resources.llm.used,
            5,
            "nothing of a refused request counts"
        );
        // The id belongs to the group: another group's event of this id is another event.
        let other = Seed::new(&store).await;
        assert_eq!(counts(metering.record(&other.member, vec![event("a", LLM, 9)]).await), (1, 0, 9, 0));
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn requests_of_one_commit_are_decided_each_for_itself() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        // While the first is written the others queue, and are written together.
        let unknown = tollgate::domain::User { id: Uuid::now_v7().into(), ..seed.member.clone() };
        let answers = join_all([
            metering.record(&seed.member, vec![event("first", LLM, 1)]).boxed(),
            metering.record(&seed.member, vec![event("a", LLM, 10)]).boxed(),
            metering.record(&seed.member, vec![event("a", LLM, 10), event("b", LLM, 100)]).boxed(),
            metering.record(&seed.member, vec![event("c", LLM, 7), event("a", LLM, 11)]).boxed(),
            // The database itself refuses this one: there is no such user.
            metering.record(&unknown, vec![event("d", LLM, 1)]).boxed(),
            metering.record(&seed.admin, vec![event("c", LLM, 1_000)]).boxed(),
        ])
        .await;
        let [first, a, b, mismatch, unknown, c] = answers.try_into().expect("six answers");
        assert_eq!(first.unwrap().accepted, 1);
        assert_eq!(a.unwrap().accepted, 1);
        assert_eq!(b.map(|b| (b.accepted, b.duplicates)).unwrap(), (1, 1));
        assert_eq!(refusal(mismatch), Refusal::EventMismatch { id: "a".into() });
        assert!(matches!(unknown, Err(Error::Unavailable(_))), "{unknown:?}");
        assert_eq!(c.unwrap().accepted, 1, "the refused request left its id free");
        assert_eq!(metering.usage(&seed.member).await.unwrap().resources.llm.used, 1_111);
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_admin_records_for_the_groups_users_only() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let (stranger, _) = group(&store, seed.clock.now()).await;
        let metering = seed.metering();
        let named = |id: &str, user| EventInput { user_id: Some(user), ..event(id, LLM, 1) };
        let record = |events| metering.record(&seed.admin, events);
        let own = vec![named("a", seed.member.id), named("b", seed.admin.id), event("c", LLM, 1)];
        assert_eq!(counts(record(own).await), (3, 0, 3, 0));
        for outsider in [stranger.id, Uuid::now_v7().into()] {
            let events = vec![event("d", LLM, 1), named("e", outsider)];
            assert_eq!(wrong_field(record(events).await), "events[1].user_id");
        }
        let mut tx = store.begin().await.unwrap();
        tx.remove_member(seed.group(), seed.member.id, seed.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(wrong_field(record(vec![named("f", seed.member.id)]).await), "events[0].user_id");
        assert_eq!(counts(record(vec![named("a", seed.member.id)]).await), (0, 1, 3, 0));
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn everything_a_caller_may_send_is_kept_or_refused() {
    for database in Database::each().await {
        let store = database.store().await;
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let metadata = serde_json::json!({
            "text": "\"quoted\" \\ \u{1F600} \u{7f} {}[]$1 ' \n", "big": u64::MAX, "small": -1.5e-300, "large": 1e308,
            "nested": [[[null, true, {"": ""}]]],
        });
        let odd = EventInput {
            model: Some("m'\"\\ {}$1 \u{1F600}".into()),
            metadata: metadata.as_object().cloned(),
            created_at: Some(seed.clock.now() - Duration::nanoseconds(1)),
            ..event("id'\"\\ {}$1 \u{1F600}", LLM, MAX_COUNT)
        };
        assert_eq!(counts(metering.record(&seed.member, vec![odd.clone()]).await), (1, 0, MAX_COUNT, 0));
        assert_eq!(counts(metering.record(&seed.member, vec![odd.clone()]).await), (0, 1, MAX_COUNT, 0));
        let kept: Vec<(String, String, String)> =
            database.rows("SELECT external_id, model, CAST(metadata AS TEXT) FROM usage_events").await;
        assert_eq!((&kept[0].0, Some(&kept[0].1)), (&odd.id, odd.model.as_ref()));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&kept[0].2).unwrap()["text"], metadata["text"]);
        let over = metering.record(&seed.member, vec![event("v", VOICE, 1), event("over", LLM, 1)]).await;
        assert_eq!(wrong_field(over), "events[1].tokens_used");
        assert_eq!(metering.usage(&seed.member).await.unwrap().resources.voice.used, 0);
        metering.stop().await;
        store.close().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn a_check_says_what_may_be_spent_and_what_to_warn_of() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let check = metering.check(&seed.member).await.unwrap();
        assert!(check.allowed.llm && check.allowed.voice && check.warnings.is_empty());
        assert_eq!(check.suggested_plan, None);
        counts(
            metering.record(&seed.member, vec![event("a", LLM, 100_000), event("b", VOICE, 40_000)]).await,
        );
        let check = metering.check(&seed.member).await.unwrap();
        assert_eq!((check.allowed.llm, check.allowed.voice), (false, true));
        let messages: Vec<_> = check.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(messages, ["Limit reached - upgrade required", "Warning - approaching limit"]);
        assert_eq!(check.suggested_plan, None, "there is no plan above");
        let pro = plan(&store, "Pro", 7_999, seed.clock.now()).await;
        plan(&store, "Scale", 24_900, seed.clock.now()).await;
        let check = metering.check(&seed.member).await.unwrap();
        assert_eq!(check.suggested_plan.map(|plan| plan.id), Some(pro));

        seed.stripe_says(Status::PastDue, seed.period).await;
        assert!(metering.check(&seed.member).await.unwrap().allowed.voice);
        seed.clock.advance(Duration::days(7));
        assert!(!metering.check(&seed.member).await.unwrap().allowed.voice, "the days of grace are over");
        // The tokens are gone already, whatever the subscription's state.
        assert_eq!(
            counts(metering.record(&seed.member, vec![event("c", LLM, 5)]).await),
            (1, 0, 100_005, 40_000)
        );
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_of_a_group_is_notified_of_every_change() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let (other, third) = (Seed::new(&store).await, Seed::new(&store).await);
        let (metering, elsewhere) = (seed.metering(), seed.metering());
        let two_processes = store.listen().await.unwrap().is_some();
        if two_processes {
            let group = other.admin.group.as_ref().unwrap().id;
            let mut changes = metering.changes(&other.admin).await.unwrap();
            // Until it listens, no notification arrives.
            while tokio::time::timeout(std::time::Duration::from_millis(50), changes.next()).await.is_err() {
                elsewhere.changed(group);
            }
        }
        let mut changes = metering.changes(&seed.member).await.unwrap();
        let mut quiet = metering.changes(&third.member).await.unwrap();

        counts(metering.record(&seed.admin, vec![event("a", LLM, 1)]).await);
        assert_eq!(changes.next().await, Some(()));
        metering.changed(seed.admin.group.as_ref().unwrap().id);
        assert_eq!(changes.next().await, Some(()));
        if two_processes {
            counts(elsewhere.record(&seed.admin, vec![event("b", LLM, 1)]).await);
            assert_eq!(changes.next().await, Some(()));
            elsewhere.changed(seed.admin.group.as_ref().unwrap().id);
            assert_eq!(changes.next().await, Some(()));
        }
        assert_eq!(quiet.next().now_or_never(), None, "nothing of another group's");
        metering.stop().await;
        elsewhere.stop().await;
    })
    .await;
}

#[tokio::test]
async fn stopping_writes_what_was_taken_and_takes_no_more() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let one = |id: usize| {
            let (metering, member): (Metering, _) = (metering.clone(), seed.member.clone());
            async move { metering.record(&member, vec![event(&id.to_string(), LLM, 1)]).await }
        };
        let under_way = join_all((0..50).map(one));
        let (answers, ()) = tokio::join!(under_way, metering.stop());
        let mut written = 0;
        for answer in answers {
            match answer {
                Ok(recorded) => written += recorded.accepted,
                Err(error) => assert!(matches!(error, Error::Stopping(_)), "{error:?}"),
            }
        }
        assert_eq!(metering.usage(&seed.member).await.unwrap().resources.llm.used, written as i64);
        assert!(matches!(one(99).await, Err(Error::Stopping(_))));
    })
    .await;
}
