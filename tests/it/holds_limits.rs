//! What a hold has to fit under, over HTTP: the allowance, the caps, and access itself.

use chrono::Duration;
use serde_json::json;
use tollgate::domain::{Caller, Extension, HoldInput, Refusal, Settlement, Status, UsageType};
use tollgate::error::Error;

use crate::holds::{HOLDS, act, llm, llm_of, with};
use crate::support::app::{App, Auth, Person, eventually};
use crate::support::databases::{each_database, each_store};
use crate::support::seed::{GRACE_DAYS, Seed};

const EVENTS: &str = "/api/subscriptions/usage/events/";
const USAGE: &str = "/api/subscriptions/subscriptions/usage/";

#[tokio::test]
async fn a_hold_that_does_not_fit_is_refused_and_says_which_limit_it_was() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let dearer =
            json!({"name": "Dearer", "price": "79.99", "llm_tokens_limit": 500_000, "voice_tokens_limit": 1});
        let dearer = app.superadmin().await.post("/api/subscriptions/plans/", dearer).await.body;
        let period_end = admin.get(USAGE).await.text("period_end").to_owned();
        assert_eq!(admin.post(HOLDS, llm(100_000)).await.status, 201, "the last token fits");
        let over = admin.post(HOLDS, llm(1)).await;
        over.is_problem(402, "limit_reached");
        assert_eq!(over.text("limit"), "group");
        assert_eq!(over.text("resets_at"), period_end);
        assert_eq!(over.body["suggested_plan"]["id"], dearer["id"]);
        assert_eq!(llm_of(&over.body["usage"]), (0, 100_000));
        let voice = json!({"usage_type": "voice", "tokens": 50_001});
        admin.post(HOLDS, voice).await.is_problem(402, "limit_reached");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_has_to_fit_the_key_s_cap_the_member_s_cap_and_the_group_s_allowance() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        let key = member.post("/api/auth/keys/", json!({"name": "k"})).await;
        let caps = format!("/api/auth/keys/{}/caps/", key.text("id"));
        let by_key = Person { auth: Auth::Key(key.text("key").to_owned()), ..member.clone() };
        assert_eq!(member.put(&caps, json!({"llm": 300})).await.status, 200);
        let member_caps = format!("/api/team/members/{}/caps/", member.id);
        assert_eq!(
            admin.put(&member_caps, json!({"llm": 500, "voice": null})).await.body,
            json!({"llm": 500, "voice": null})
        );

        let refused = async |person: &Person<'_>, tokens: i64| {
            let answer = person.post(HOLDS, llm(tokens)).await;
            answer.is_problem(402, "limit_reached");
            answer.text("limit").to_owned()
        };
        assert_eq!(refused(&by_key, 301).await, "key");
        assert_eq!(by_key.post(HOLDS, llm(300)).await.status, 201);
        assert_eq!(refused(&by_key, 1).await, "key", "what is held counts");
        assert_eq!(refused(&member, 201).await, "member", "by a session, the key's cap is another's");
        assert_eq!(
            member.post(EVENTS, json!({"id": "e", "usage_type": "llm", "tokens_used": 150})).await.status,
            200
        );
        assert_eq!(refused(&member, 51).await, "member");
        assert_eq!(refused(&admin, 100_000).await, "group");

        let you = member.get(USAGE).await.body["you"]["llm"].clone();
        assert_eq!(you, json!({"used": 150, "held": 300, "limit": 500, "remaining": 50}));
        assert_eq!(
            admin.get(USAGE).await.body["you"]["llm"],
            json!({"used": 0, "held": 0, "limit": null, "remaining": null})
        );

        // Raising or lowering a cap keeps what was counted.
        admin.put(&member_caps, json!({"llm": 100})).await;
        assert_eq!(member.get(USAGE).await.body["you"]["llm"]["remaining"], 0);
        admin.put(&member_caps, json!({"llm": 1_000})).await;
        assert_eq!(member.get(USAGE).await.body["you"]["llm"]["remaining"], 550);

        let other = app.admin().await;
        other.put(&member_caps, json!({"llm": 1})).await.is_problem(404, "not_found");
        other.put(&caps, json!({"llm": 1})).await.is_problem(404, "not_found");
        let wrong = admin.put(&member_caps, json!({"llm": -1})).await;
        assert_eq!((wrong.status, wrong.fields()), (422, vec!["llm"]));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_live_call_is_held_in_slices_and_ends_when_the_next_one_is_refused() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let voice =
            |tokens: i64| json!({"id": "call", "usage_type": "voice", "tokens": tokens, "expires_in": 30});
        let slice = 20_000;
        assert_eq!(admin.post(HOLDS, voice(slice)).await.status, 201);
        let mut slices = 1;
        let refused = loop {
            let next =
                act(&admin, "call", "extend", json!({"tokens": slice * (slices + 1), "expires_in": 30}))
                    .await;
            if next.status != 200 {
                break next;
            }
            slices += 1;
        };
        refused.is_problem(402, "limit_reached");
        assert_eq!(slices, 2, "50,000 has room for two slices of 20,000");
        // The slice that was refused changed nothing: what was spoken until now is settled as it was held.
        assert_eq!(refused.body["usage"]["voice"]["held"], slice * slices);
        let settled = act(&admin, "call", "settle", json!({"tokens_used": slice * slices})).await;
        assert_eq!(
            (&settled.body["usage"]["voice"]["used"], &settled.body["usage"]["voice"]["held"]),
            (&json!(40_000), &json!(0))
        );
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_waits_is_granted_as_soon_as_another_hold_settles() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        admin.post(HOLDS, with(llm(99_000), json!({"id": "big"}))).await;
        admin.post(HOLDS, with(llm(2_000), json!({"wait": 0}))).await.is_problem(402, "limit_reached");
        let waiting = admin.post(HOLDS, with(llm(2_000), json!({"wait": 30})));
        let settling = async {
            eventually("the waiting hold was refused once", async || {
                let metrics = app.anonymous().get("/metrics").await.body;
                metrics
                    .as_str()
                    .unwrap_or_default()
                    .lines()
                    .any(|line| {
                        line.strip_prefix("tollgate_holds_waiting ").is_some_and(|count| count != "0")
                    })
                    .then_some(())
            })
            .await;
            act(&admin, "big", "settle", json!({"tokens_used": 10})).await
        };
        let (granted, settled) = tokio::join!(waiting, settling);
        assert_eq!((granted.status, settled.status), (201, 200), "{}", granted.body);
        // What is used already leaves no room, and waiting wouldn't help.
        let hopeless = admin.post(HOLDS, with(llm(100_000), json!({"wait": 30}))).await;
        hopeless.is_problem(402, "limit_reached");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_subscription_that_gives_no_access_grants_no_hold_and_settles_those_it_granted() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let caller = Caller::from(&seed.member);
        let hold = |id: &str| HoldInput {
            id: Some(id.into()),
            usage_type: UsageType::Llm,
            tokens: 10,
            expires_in: None,
            wait: None,
        };
        metering.hold(&caller, hold("before")).await.expect("an active subscription gives access");
        seed.stripe_says(Status::PastDue, seed.period).await;
        metering.hold(&caller, hold("in grace")).await.expect("a past-due one does for the days of grace");
        seed.clock.advance(Duration::days(i64::from(GRACE_DAYS)));
        let refused = metering.hold(&caller, hold("after")).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::NoAccess))), "{refused:?}");
        let refused = metering.extend(&caller, "before", Extension::default()).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::NoAccess))), "{refused:?}");
        let usage = metering.settle(&caller, "before", Settlement::of(7)).await.expect("it settles");
        assert_eq!(usage.resources.llm.used, 7);
        for status in [Status::Unpaid, Status::Paused, Status::Incomplete] {
            seed.stripe_says(status, seed.period).await;
            let refused = metering.hold(&caller, hold(status.as_str())).await;
            assert!(matches!(refused, Err(Error::Refused(Refusal::NoAccess))), "{status}: {refused:?}");
        }
        metering.stop().await;
    })
    .await;
}
