//! Overage: what may be spent beyond the limits, and up to how much.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_life::{CHECK, EVENTS, HOLDS, USAGE};
use crate::billing_stage::{Stage, at};
use crate::password_resets::letters;
use crate::support::app::{Answer, Person, eventually};
use crate::support::databases::each_database;

const START: &str = "2026-04-01T00:00:00Z";

/// What is sold beyond the limits of [`plan`].
pub fn prices() -> Value {
    json!({"llm": {"per": 1000, "price": "0.02"}, "voice": {"per": 100, "price": "0.05"}})
}

/// 10,000 LLM and 1,000 voice tokens a month, with overage.
pub async fn plan(stage: &Stage) -> Value {
    stage.plan_of(json!({"llm_tokens_limit": 10_000, "voice_tokens_limit": 1_000, "overage": prices()})).await
}

/// The subscription's path in the API.
pub async fn path(admin: &Person<'_>) -> String {
    let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
    format!("/api/subscriptions/subscriptions/{id}/overage/")
}

pub async fn agree(admin: &Person<'_>, cap: &str) -> Answer {
    let answer = admin.put(&path(admin).await, json!({"enabled": true, "cap": cap})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// Records tokens, asked of nobody.
pub async fn spend(person: &Person<'_>, kind: &str, tokens: i64) {
    let id = crate::support::app::unique("spent");
    let answer = person.post(EVENTS, json!({"id": id, "usage_type": kind, "tokens_used": tokens})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

pub async fn hold(person: &Person<'_>, kind: &str, tokens: i64) -> Answer {
    person.post(HOLDS, json!({"usage_type": kind, "tokens": tokens})).await
}

async fn overage(person: &Person<'_>) -> Value {
    person.get(USAGE).await.body["overage"].clone()
}

#[tokio::test]
async fn a_plan_says_what_it_sells_beyond_its_limits() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let plan = plan(&stage).await;
        assert_eq!(plan["overage"], prices());
        let superadmin = stage.app.superadmin().await;
        let path = format!("/api/subscriptions/plans/{}/", plan["id"].as_str().expect("an id"));
        assert_eq!(stage.app.anonymous().get(&path).await.body["overage"], prices());
        let without = stage.plan_of(json!({})).await;
        assert_eq!(without["overage"], json!({"llm": null, "voice": null}));
        for (overage, field) in [
            (json!({"llm": {"per": 0, "price": "0.02"}}), "overage.llm.per"),
            (json!({"llm": {"per": 1000, "price": "0"}}), "overage.llm.price"),
            (json!({"voice": {"per": 1000, "price": "0.001"}}), "overage.voice.price"),
        ] {
            let body = json!({"name": "Wrong", "price": "1.00", "llm_tokens_limit": 5, "voice_tokens_limit": 5,
                "overage": overage});
            let refused = superadmin.post("/api/subscriptions/plans/", body).await;
            assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)), "{}", refused.body);
        }
        let body = json!({"name": "Wrong", "price": "1.00", "overage": prices()});
        let refused = superadmin.post("/api/subscriptions/plans/", body).await;
        assert_eq!(refused.body["errors"][0]["field"], "overage.llm.per", "nothing is beyond an unlimited allowance");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_group_has_none_of_it_until_its_admin_says_so_with_a_ceiling() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let plan = plan(&stage).await;
        let (admin, _) = stage.subscribed(&plan).await;
        let member = stage.app.member(&admin).await;
        assert_eq!(overage(&admin).await["enabled"], false);
        assert_eq!(hold(&admin, "llm", 10_001).await.status, 402);
        let path = path(&admin).await;
        assert_eq!(member.put(&path, json!({"enabled": true, "cap": "1.00"})).await.status, 403);
        for (body, status) in [
            (json!({"enabled": true}), 422),
            (json!({"enabled": true, "cap": "0"}), 422),
            (json!({"enabled": true, "cap": "much"}), 422),
        ] {
            let refused = admin.put(&path, body).await;
            assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (status, &json!("cap")));
        }
        let agreed = agree(&admin, "1.00").await.body;
        assert_eq!(agreed["cap"], "1.00");
        let expected = json!({"enabled": true, "cap": "1.00", "currency": "usd", "spent": "0.00", "projected": "0.00",
            "llm": {"tokens": 0, "packages": 0, "amount": "0.00"},
            "voice": {"tokens": 0, "packages": 0, "amount": "0.00"}});
        assert_eq!(overage(&member).await, expected);
        let page = admin.get("/billing/overage").await.body;
        let page = page.as_str().expect("HTML");
        assert!(page.contains("Up to $1.00 a period") && page.contains("Ada"), "the consent is kept and shown");
        assert_eq!(admin.put(&path, json!({"enabled": false})).await.status, 200);
        assert_eq!(hold(&admin, "llm", 10_001).await.status, 402);

        let (other, _) = stage.subscribed(&stage.plan_of(json!({})).await).await;
        let refused = other.put(&self::path(&other).await, json!({"enabled": true, "cap": "1.00"})).await;
        assert_eq!(refused.status, 409, "the plan sells none");
        assert_eq!(other.get(USAGE).await.body["overage"], json!(null));
        assert_eq!(other.put(&path, json!({"enabled": true, "cap": "1.00"})).await.status, 404, "another group's");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn holds_are_granted_beyond_the_limit_while_the_money_for_both_resources_stays_within_the_cap() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, _) = stage.subscribed(&plan(&stage).await).await;
        agree(&admin, "0.10").await;
        spend(&admin, "llm", 10_000).await;
        assert_eq!(admin.get(CHECK).await.body["allowed"]["llm"], true);
        // One package of voice tokens is held for 5 cents, which leaves two packages of LLM tokens.
        assert_eq!(hold(&admin, "voice", 1_001).await.status, 201);
        assert_eq!(hold(&admin, "llm", 2_001).await.status, 402);
        let held = hold(&admin, "llm", 2_000).await;
        assert_eq!(held.status, 201, "{}", held.body);
        assert_eq!(hold(&admin, "llm", 1).await.status, 402);
        assert_eq!(overage(&admin).await["spent"], "0.00", "nothing is spent of it yet");
        let settle = format!("{HOLDS}{}/settle/", held.text("id"));
        assert_eq!(admin.post(&settle, json!({"tokens_used": 1_001})).await.status, 200);
        let seen = overage(&admin).await;
        assert_eq!(seen["llm"], json!({"tokens": 1_001, "packages": 2, "amount": "0.04"}));
        assert_eq!(seen["spent"], "0.04");
        // What is recorded unasked beyond the cap isn't charged.
        spend(&admin, "llm", 100_000).await;
        let seen = overage(&admin).await;
        assert_eq!(seen["llm"], json!({"tokens": 5_000, "packages": 5, "amount": "0.10"}));
        assert_eq!(admin.get(CHECK).await.body["allowed"]["llm"], false);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_spent_before_it_was_enabled_and_after_it_was_disabled_is_not_charged() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, _) = stage.subscribed(&plan(&stage).await).await;
        spend(&admin, "llm", 13_500).await;
        agree(&admin, "0.02").await;
        assert_eq!(overage(&admin).await["spent"], "0.00");
        assert_eq!(hold(&admin, "llm", 1_001).await.status, 402);
        let held = hold(&admin, "llm", 1_000).await;
        assert_eq!(held.status, 201, "{}", held.body);
        let release = format!("{HOLDS}{}/release/", held.text("id"));
        assert_eq!(admin.post(&release, json!({})).await.status, 200);
        spend(&admin, "llm", 500).await;
        assert_eq!(overage(&admin).await["llm"]["tokens"], 500);
        assert_eq!(admin.put(&path(&admin).await, json!({"enabled": false})).await.status, 200);
        spend(&admin, "llm", 5_000).await;
        let seen = overage(&admin).await;
        assert_eq!((&seen["enabled"], &seen["llm"]["tokens"]), (&json!(false), &json!(500)));
        agree(&admin, "1.00").await;
        spend(&admin, "llm", 500).await;
        assert_eq!(overage(&admin).await["llm"], json!({"tokens": 1_000, "packages": 1, "amount": "0.02"}));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_takes_in_what_was_spent_beyond_the_old_limit() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, _) = stage.subscribed(&plan(&stage).await).await;
        agree(&admin, "1.00").await;
        spend(&admin, "llm", 12_500).await;
        spend(&admin, "voice", 1_150).await;
        assert_eq!(overage(&admin).await["spent"], "0.16");
        let larger = json!({"price": "60.00", "llm_tokens_limit": 50_000, "voice_tokens_limit": 1_100,
            "overage": {"llm": {"per": 1000, "price": "9.00"}, "voice": null}});
        let larger = stage.plan_of(larger).await;
        let change = path(&admin).await.replace("/overage/", "/change_plan/");
        let changed = admin.post(&change, json!({"plan_id": larger["id"]})).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let seen = overage(&admin).await;
        assert_eq!((&seen["llm"]["tokens"], &seen["voice"]["tokens"]), (&json!(0), &json!(50)));
        assert_eq!(seen["spent"], "0.05", "by the prices that the period began with");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn prices_that_were_not_agreed_to_charge_nobody() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let plan = plan(&stage).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        agree(&admin, "1.00").await;
        let mut dearer = json!({"name": plan["name"], "price": plan["price"], "llm_tokens_limit": 10_000,
            "voice_tokens_limit": 1_000});
        dearer["overage"] = json!({"llm": {"per": 1000, "price": "0.03"}});
        let path = format!("/api/subscriptions/plans/{}/", plan["id"].as_str().expect("an id"));
        assert_eq!(stage.app.superadmin().await.put(&path, dearer).await.status, 200);
        spend(&admin, "llm", 11_000).await;
        assert_eq!(overage(&admin).await["spent"], "0.02", "the period keeps the prices of its start");
        stage.advance_to(at("2026-05-01T00:10:00Z")).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(overage(&admin).await["enabled"], false);
        assert_eq!(hold(&admin, "llm", 10_001).await.status, 402);
        agree(&admin, "1.00").await;
        spend(&admin, "llm", 11_000).await;
        assert_eq!(overage(&admin).await["spent"], "0.03");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_is_behind_with_a_payment_gets_no_more_on_credit() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, id) = stage.subscribed(&plan(&stage).await).await;
        let admin = admin.by_key().await;
        agree(&admin, "1.00").await;
        assert_eq!(hold(&admin, "llm", 10_001).await.status, 201);
        stage.change_card(&id, "pm_card_chargeCustomerFail").await;
        stage.advance_to(at("2026-05-01T02:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(admin.subscription().await["status"], "past_due");
        assert_eq!(hold(&admin, "llm", 10_001).await.status, 402);
        assert_eq!(hold(&admin, "llm", 10_000).await.status, 201, "the days of grace");
        assert_eq!(admin.get(CHECK).await.body["allowed"], json!({"llm": false, "voice": true}));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_trial_is_never_charged() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let plan = stage
            .plan_of(json!({"trial_days": 14, "llm_tokens_limit": 10_000, "voice_tokens_limit": 1_000,
                "overage": prices()}))
            .await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        agree(&admin, "1.00").await;
        assert_eq!(overage(&admin).await["enabled"], false);
        assert_eq!(hold(&admin, "llm", 10_001).await.status, 402);
        spend(&admin, "llm", 20_000).await;
        assert_eq!(overage(&admin).await["spent"], "0.00");
        stage.advance_to(at("2026-04-15T02:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(overage(&admin).await["enabled"], true, "what was agreed to holds once it is paid");
        let items = stage.stripe(Method::GET, "/invoiceitems", &[]).await;
        assert_eq!(items["data"], json!([]));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_cap_holds_under_thousands_of_concurrent_holds() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, _) = stage.subscribed(&plan(&stage).await).await;
        agree(&admin, "1.00").await;
        let callers = (0..32_usize).map(async |caller| {
            for turn in 0..40_usize {
                let (kind, tokens) = if (caller + turn) % 3 == 0 { ("voice", 137) } else { ("llm", 1_630) };
                let held = hold(&admin, kind, tokens).await;
                if held.status == 201 {
                    let settle = format!("{HOLDS}{}/settle/", held.text("id"));
                    let used = tokens - i64::try_from(turn % 3).unwrap_or_default();
                    assert_eq!(admin.post(&settle, json!({"tokens_used": used})).await.status, 200);
                }
            }
        });
        join_all(callers).await;
        let usage = admin.get(USAGE).await.body;
        let beyond = |kind: &str, limit: i64| (usage[kind]["used"].as_i64().expect("tokens") - limit).max(0);
        let seen = &usage["overage"];
        assert_eq!(seen["llm"]["tokens"], beyond("llm", 10_000), "each was asked for, so each is charged");
        assert_eq!(seen["voice"]["tokens"], beyond("voice", 1_000));
        let spent: f64 = seen["spent"].as_str().and_then(|text| text.parse().ok()).expect("money");
        assert!((0.90..=1.00).contains(&spent), "{seen}");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_group_is_told_what_it_agreed_to_and_once_that_a_cap_is_reached() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let (admin, _) = stage.subscribed(&plan(&stage).await).await;
        let me = admin.get("/api/auth/me/").await;
        let group = me.body["group"]["name"].as_str().expect("a name");
        agree(&admin, "0.10").await;
        agree(&admin, "0.10").await;
        for tokens in [12_000, 3_000, 1_000] {
            spend(&admin, "llm", tokens).await;
        }
        agree(&admin, "0.20").await;
        for tokens in [10_000, 1_000] {
            spend(&admin, "llm", tokens).await;
        }
        // What is told last is there once all is.
        agree(&admin, "0.30").await;
        let letters = eventually("the last is told", || async {
            let letters = letters(&stage.app, me.text("email")).await;
            letters.iter().any(|letter| letter.body.contains("$0.30 in a period")).then_some(letters)
        })
        .await;
        let pays = "We now pays for overage";
        let reached = "We has reached its overage cap";
        let told: Vec<String> = letters.iter().map(|letter| letter.subject.replace(group, "We")).collect();
        let of_overage: Vec<&str> =
            told.iter().map(String::as_str).filter(|subject| [pays, reached].contains(subject)).collect();
        assert_eq!(of_overage, [pays, reached, pays, reached, pays], "{told:?}");
        let body = &letters[1].body;
        assert!(body.contains("Cap: $0.20 a period"), "{body}");
        assert!(body.contains("LLM tokens: $0.02 for each 1,000 begun"), "{body}");
        assert!(body.contains("Voice tokens: $0.05 for each 100 begun"), "{body}");
        stage.stop().await;
    })
    .await;
}
