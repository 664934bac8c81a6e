//! What Stripe tells, and what becomes of it on its way.

use chrono::Duration;
use futures::future::join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use reqwest::Method;
use serde_json::Value;
use tollgate::storage::EventSubject;

use super::{History, id_of};
use crate::billing_chaos::steps::{Act, Fate};
use crate::billing_stage::{Trouble, error};

impl History<'_> {
    /// What Stripe has to tell of this history, oldest first, but for what is lost.
    pub(super) async fn events(&mut self) -> Vec<Value> {
        self.listen().await;
        self.told.iter().filter(|event| !self.lost.contains(id_of(event))).cloned().collect()
    }

    /// Takes in what Stripe has told since it was last asked.
    pub async fn listen(&mut self) {
        loop {
            let known = self.newest.as_ref().map(|newest| format!("&ending_before={newest}"));
            let since = match known {
                Some(known) => self.stage().look_up(&format!("/events?limit=100{known}")).await,
                None => None,
            };
            // Where the event is forgotten, all that there are came after it: the oldest of them come first.
            let page = match since {
                Some(page) => page["data"].as_array().expect("events").clone(),
                None => self.oldest_page().await,
            };
            let Some(newest) = page.first() else { return };
            self.newest = Some(id_of(newest).to_owned());
            self.told.extend(page.into_iter().rev());
        }
    }

    /// The oldest events that Stripe has, the newest of them first.
    async fn oldest_page(&self) -> Vec<Value> {
        let mut last = Vec::new();
        loop {
            let after: String =
                last.last().map(|oldest| format!("&starting_after={}", id_of(oldest))).unwrap_or_default();
            let page = self.stage().stripe(Method::GET, &format!("/events?limit=100{after}"), &[]).await;
            let page = page["data"].as_array().expect("events").clone();
            if page.is_empty() {
                return last;
            }
            last = page;
        }
    }

    pub(super) async fn meet(&mut self, picked: &[Value], fate: Fate, act: Option<(Act, u32)>) {
        let meanwhile = async |history: &Self| {
            if let Some((act, number)) = act {
                history.act(act, number).await;
            }
        };
        match fate {
            Fate::IsLost => {
                let never = picked.iter().map(id_of).filter(|id| !self.delivered.contains(*id));
                self.lost.extend(never.map(str::to_owned).collect::<Vec<_>>());
                meanwhile(self).await;
            }
            Fate::CrashesBeforeItsEffect => {
                for event in picked {
                    self.keep(event).await;
                }
                meanwhile(self).await;
            }
            Fate::MeetsAnOutage => {
                let outage = Trouble::Answer(500, error("api_error"));
                self.stage().when(Method::GET, "/v1/subscriptions/*", outage);
                tokio::join!(self.deliver(picked), meanwhile(self));
                self.stage().heal();
            }
            Fate::AnswersAreLost => {
                for method in [Method::POST, Method::DELETE] {
                    let lost = Trouble::AnswerAfter(500, error("api_error"));
                    self.stage().when(method, "/v1/subscription*", lost);
                }
                tokio::join!(self.deliver(picked), meanwhile(self));
                self.stage().heal();
            }
            Fate::Arrives => {
                tokio::join!(self.deliver(picked), meanwhile(self));
            }
        }
        if !matches!(fate, Fate::IsLost) {
            self.delivered.extend(picked.iter().map(|event| id_of(event).to_owned()));
        }
    }

    /// Keeps an event as its arrival does, and nothing else.
    async fn keep(&self, event: &Value) {
        let store = &self.stage().app.running.services.store;
        let now = self.stage().clock.now();
        let object = &event["data"]["object"];
        let event_type = event["type"].as_str().expect("a type");
        let subscription = if event_type.starts_with("customer.subscription.") {
            object["id"].as_str()
        } else {
            object["parent"]["subscription_details"]["subscription"].as_str()
        };
        let retry_at = now + Duration::seconds(10);
        store
            .receive_event(
                id_of(event),
                event_type,
                EventSubject { subscription, ..EventSubject::default() },
                now,
                retry_at,
            )
            .await
            .expect("it is kept");
    }

    async fn deliver(&self, events: &[Value]) {
        let answers = join_all(events.iter().map(|event| self.stage().app.deliver_event(event))).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    }

    pub(super) async fn drain(&self) {
        self.stage().app.running.services.billing.drain_inbox().await.expect("the inbox is read");
    }

    /// Delivers what is left, in an order of its own, and waits until every event has had its effect.
    pub async fn settle(&mut self, order: u64) {
        let mut order = StdRng::seed_from_u64(order);
        loop {
            let events = self.events().await;
            let left = events.into_iter().filter(|event| !self.delivered.contains(id_of(event)));
            let mut left: Vec<Value> = left.collect();
            left.shuffle(&mut order);
            for together in left.chunks(3) {
                self.meet(together, Fate::Arrives, None).await;
            }
            self.drain().await;
            let unfinished = "SELECT COUNT(*) FROM webhook_events WHERE processed_at IS NULL";
            let waiting: Vec<(i64,)> = self.world.database.rows(unfinished).await;
            match (left.is_empty(), waiting[0].0) {
                (true, 0) => return,
                // They are due again only after a while, in which more may happen at Stripe.
                (_, 1..) => self.stage().advance(Duration::minutes(3)).await,
                _ => {}
            }
        }
    }
}
