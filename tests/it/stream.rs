//! What the stream of a group's usage says of its subscription.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::app::{App, unique};
use crate::support::databases::each_database;

const STREAM: &str = "/api/subscriptions/subscriptions/usage/stream/";
const CREATE: &str = "/api/subscriptions/subscriptions/create_subscription/";

/// The events of an open stream, in order.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    /// The next event of this name: its data.
    async fn next(&mut self, name: &str) -> Value {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |field: &str| event.lines().find_map(|line| line.strip_prefix(field)).map(str::trim);
                let found = (field("event:") == Some(name)).then(|| field("data:").map(str::to_owned));
                self.text = rest.to_owned();
                if let Some(data) = found {
                    return serde_json::from_str(&data.unwrap()).unwrap();
                }
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}

#[tokio::test]
async fn every_change_of_the_subscription_is_sent_the_first_purchase_included() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let plan = app.plan(&unique("Plan "), "29.99", None).await;
        let admin = app.admin().await;
        let member = app.member(&admin).await;
        let response = member.request(Method::GET, STREAM).send().await.unwrap();
        assert_eq!(response.status(), 200, "open to a group without a subscription");
        let mut events = Events { response, text: String::new() };
        assert_eq!(events.next("subscription").await, Value::Null);

        let bought =
            admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"})).await;
        assert_eq!(bought.status, 201, "{:?}", bought.body);
        let id = bought.body["subscription"]["id"].clone();
        let mut sent = events.next("subscription").await;
        while sent["status"] != "active" {
            sent = events.next("subscription").await;
        }
        assert_eq!((&sent["id"], &sent["cancel_at_period_end"]), (&id, &json!(false)));
        assert_eq!(sent, member.subscription().await);

        let cancel = format!("/api/subscriptions/subscriptions/{}/cancel/", id.as_str().unwrap());
        admin.post(&cancel, json!({"at_period_end": true})).await;
        assert_eq!(events.next("subscription").await["cancel_at_period_end"], true);
        admin.post(&cancel, json!({"at_period_end": false})).await;
        assert_eq!(events.next("subscription").await, Value::Null);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_joins_a_stream_late_is_sent_what_is_the_case() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let response = admin.request(Method::GET, STREAM).send().await.unwrap();
        let mut events = Events { response, text: String::new() };
        assert_eq!(events.next("usage").await["status"], "active");
        assert_eq!(events.next("subscription").await, admin.subscription().await);
        app.stop().await;
    })
    .await;
}
