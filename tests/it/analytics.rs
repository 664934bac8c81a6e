//! The operator's figures, of lives that were lived through the sandbox.

use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_stage::{Stage, at};
use crate::support::app::{MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::each_database;

const ANALYTICS: &str = "/api/admin/analytics/";
const ROWS: &str = "/api/admin/analytics/rows/";

/// A currency's figures.
fn of<'r>(report: &'r Value, currency: &str) -> &'r Value {
    let currencies = report["currencies"].as_array().expect("currencies");
    let found = currencies.iter().find(|of| of["currency"] == currency);
    found.unwrap_or_else(|| panic!("no {currency} in {report}"))
}

/// An interval's roll-forward.
fn roll(interval: &Value) -> [&str; 7] {
    let fields = ["start", "new", "reactivation", "expansion", "contraction", "churn", "end"];
    fields.map(|field| interval["mrr"][field].as_str().expect("an amount"))
}

async fn report(superadmin: &Person<'_>, query: &str) -> Value {
    let answer = superadmin.get(&format!("{ANALYTICS}?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn rows(superadmin: &Person<'_>, query: &str) -> Vec<Value> {
    let answer = superadmin.get(&format!("{ROWS}?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["results"].as_array().expect("rows").clone()
}

async fn change(admin: &Person<'_>, plan: &Value) {
    let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/subscriptions/subscriptions/{id}/change_plan/");
    let changed = admin.post(&path, json!({"plan_id": plan["id"]})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
}

#[tokio::test]
async fn a_life_from_trial_to_return_is_in_the_roll_forward_with_stripe_s_dates() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let superadmin = stage.app.superadmin().await.by_key().await;
        let plan = async |price: &str, llm: i64, more: Value| {
            let mut plan = json!({"price": price, "llm_tokens_limit": llm});
            plan.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            stage.plan_of(plan).await
        };
        let basic = plan("30.00", 100_000, json!({"trial_days": 14})).await;
        let pro = plan("90.00", 500_000, json!({})).await;
        let small = plan("9.00", 10_000, json!({})).await;
        let yearly = plan("100.00", 100_000, json!({"currency": "eur", "interval": "year"})).await;
        let empty = report(&superadmin, "").await;
        assert_eq!((&empty["currencies"], &empty["signed_up"]), (&json!([]), &json!(0)));

        let admin = stage.lasting_admin().await;
        let bought = stage.buy(&admin, &basic).await;
        let id = bought.body["subscription"]["stripe_subscription_id"].as_str().expect("an id").to_owned();
        let trial = report(&superadmin, "").await;
        let total = &of(&trial, "usd")["total"];
        assert_eq!(roll(total), ["0.00"; 7], "a trial earns nothing");
        assert_eq!(total["subscriptions"], json!({"active": 0, "trialing": 1, "past_due": 0}));
        assert_eq!(
            (&total["average_revenue"], &total["churn"]["mrr_rate"], &total["tokens"]["llm"]["sold"]),
            (&Value::Null, &Value::Null, &Value::Null),
            "what can't be had is no zero"
        );

        stage.advance_to(at("2026-03-25T14:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        let march = of(&report(&superadmin, "from=2026-03-01").await, "usd")["intervals"][0].clone();
        assert_eq!(roll(&march), ["0.00", "30.00", "0.00", "0.00", "0.00", "0.00", "30.00"]);

        // A discount is none of the price's.
        stage.advance_to(at("2026-04-02T12:00:00Z")).await;
        let coupon =
            stage.stripe(Method::POST, "/coupons", &[("percent_off", "50"), ("duration", "forever")]).await;
        let form = [("discounts[0][coupon]", coupon["id"].as_str().expect("an id"))];
        stage.stripe(Method::POST, &format!("/subscriptions/{id}"), &form).await;
        change(&admin, &pro).await;
        change(&admin, &small).await;
        let european = stage.lasting_admin().await;
        assert_eq!(stage.buy(&european, &yearly).await.status, 201);
        stage.advance_to(at("2026-04-25T14:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        eventually("the cheaper plan", || async {
            (admin.subscription().await["plan"]["price"] == "9.00").then_some(())
        })
        .await;

        stage.advance_to(at("2026-05-05T12:00:00Z")).await;
        stage.cancel(&admin, true).await;
        let may = of(&report(&superadmin, "from=2026-05-01").await, "usd")["intervals"][0].clone();
        assert_eq!(
            roll(&may),
            ["9.00", "0.00", "0.00", "0.00", "0.00", "0.00", "9.00"],
            "it goes on until it ends"
        );
        stage.advance_to(at("2026-05-25T14:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        stage.advance_to(at("2026-06-10T12:00:00Z")).await;
        assert_eq!(stage.buy(&admin, &pro).await.status, 201);

        let report_of = async |query: &str| report(&superadmin, query).await;
        let all = report_of("from=2026-03-01").await;
        let usd = of(&all, "usd");
        let rolls: Vec<_> = usd["intervals"].as_array().expect("months").iter().map(roll).collect();
        assert_eq!(
            rolls,
            [
                ["0.00", "30.00", "0.00", "0.00", "0.00", "0.00", "30.00"],
                ["30.00", "0.00", "0.00", "60.00", "81.00", "0.00", "9.00"],
                ["9.00", "0.00", "0.00", "0.00", "0.00", "9.00", "0.00"],
                ["0.00", "0.00", "90.00", "0.00", "0.00", "0.00", "90.00"],
            ]
        );
        assert_eq!(roll(&usd["total"]), ["0.00", "30.00", "90.00", "60.00", "81.00", "9.00", "90.00"]);
        assert_eq!(
            usd["intervals"][2]["churn"],
            json!({"groups": 1, "group_rate": 100.0, "mrr_rate": 100.0})
        );
        assert_eq!(usd["intervals"][3]["average_revenue"], "90.00");
        assert_eq!(
            usd["funnel"],
            json!({"signed_up": 2, "checked_out": 1, "paid": 1, "trial_started": 1, "trial_converted": 1})
        );
        let plans = usd["plans"].as_array().expect("plans");
        assert_eq!(plans.len(), 1, "{plans:?}");
        assert_eq!((&plans[0]["plan"]["id"], &plans[0]["mrr"]), (&pro["id"], &json!("90.00")));
        // Of the trial and two months that are over.
        assert_eq!(
            usd["total"]["tokens"]["llm"],
            json!({"used": 0, "sold": 610_000, "used_unlimited": null})
        );
        let eur = of(&all, "eur");
        assert_eq!(
            roll(&eur["total"]),
            ["0.00", "8.33", "0.00", "0.00", "0.00", "0.00", "8.33"],
            "the twelfth of a year"
        );
        assert_eq!(eur["funnel"]["checked_out"], 1);

        let when = async |figure: &str| {
            let found = rows(&superadmin, &format!("figure={figure}&from=2026-03-01")).await;
            found.iter().map(|row| row["at"].as_str().expect("a time").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(when("new").await, ["2026-03-25T12:00:00Z"], "the trial's end");
        assert_eq!(when("expansion").await, ["2026-04-02T12:00:00Z"]);
        assert_eq!(when("contraction").await, ["2026-04-25T12:00:00Z"], "the next period's beginning");
        assert_eq!(when("churn").await, ["2026-05-25T12:00:00Z"], "when it ended, not when it was canceled");
        let mrr = rows(&superadmin, "figure=mrr").await;
        assert_eq!(mrr.len(), 1);
        assert_eq!((&mrr[0]["mrr"], &mrr[0]["plan"]), (&json!("90.00"), &pro["name"]));
        assert_eq!(
            rows(&superadmin, &format!("figure=mrr&plan_id={}", small["id"].as_str().expect("an id")))
                .await
                .len(),
            0
        );
        assert_eq!(rows(&superadmin, "figure=active&currency=eur").await.len(), 1);
        assert_eq!(rows(&superadmin, "figure=llm_tokens&from=2026-03-01").await.len(), 3);
        let signed_up = superadmin.get(&format!("{ROWS}?figure=signed_up&limit=1")).await.body;
        let cursor = signed_up["next_cursor"].as_str().expect("another page");
        let rest = superadmin.get(&format!("{ROWS}?figure=signed_up&limit=1&cursor={cursor}")).await.body;
        assert_ne!(signed_up["results"][0]["group_id"], rest["results"][0]["group_id"]);
        assert_eq!(rest["next_cursor"], Value::Null);

        // What is learnt when its month is over counts when it is learnt.
        let june = usd["intervals"][3].clone();
        let again = admin.subscription().await["stripe_subscription_id"].as_str().expect("an id").to_owned();
        stage.advance_to(at("2026-06-20T12:00:00Z")).await;
        stage.stripe(Method::DELETE, &format!("/subscriptions/{again}"), &[]).await;
        stage.advance_to(at("2026-07-03T12:00:00Z")).await;
        stage.deliver(&admin, &again).await;
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        let later = report_of("from=2026-03-01").await;
        let months = &of(&later, "usd")["intervals"];
        assert_eq!(roll(&months[3]), roll(&june));
        assert_eq!(months[2], usd["intervals"][2], "a month that was over is as it was");
        assert_eq!(roll(&months[4]), ["90.00", "0.00", "0.00", "0.00", "0.00", "90.00", "0.00"]);
        assert_eq!(when("churn").await[0], "2026-07-03T12:00:00Z");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_about_a_request_is_named() {
    each_database(|url| async move {
        let app = crate::support::app::App::start(&url).await;
        let superadmin = app.superadmin().await;
        for (query, field) in [
            ("from=soon", "from"),
            ("from=2999-01-01", "from"),
            ("from=2026-01-01&to=2025-01-01", "to"),
            ("interval=year", "interval"),
            ("interval=day&from=2020-01-01", "interval"),
            ("tz=Mars", "tz"),
            ("group_id=1", "group_id"),
        ] {
            let answer = superadmin.get(&format!("{ANALYTICS}?{query}")).await;
            answer.is_problem(422, "invalid");
            assert_eq!(answer.fields(), [field], "{query}");
        }
        for (query, field) in [
            ("", "figure"),
            ("figure=profit", "figure"),
            ("figure=mrr&currency=xyz", "currency"),
            ("figure=mrr&plan_id=1", "plan_id"),
            ("figure=mrr&cursor=abc", "cursor"),
            ("figure=mrr&interval=month", "interval"),
        ] {
            let answer = superadmin.get(&format!("{ROWS}?{query}")).await;
            answer.is_problem(422, "invalid");
            assert_eq!(answer.fields(), [field], "{query}");
        }
        app.stop().await;
    })
    .await;
}
