//! However fetches from Stripe overlap, what is known of a subscription never goes back.

use proptest::prelude::*;
use tollgate::domain::{Currency, Money, Status};
use tollgate::storage::{Store, StripeState};

use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::Seed;

/// A fetch of a subscription from Stripe: it draws a ticket, is answered, and is written, while others do too.
#[derive(Clone, Debug)]
struct Fetch {
    drawn: u8,
    /// After it was drawn.
    answered: u8,
    /// The position of its writing among the others'.
    written: u64,
}

fn fetches() -> impl Strategy<Value = Vec<Fetch>> {
    let fetch = (0..20_u8, 0..20_u8, any::<u64>()).prop_map(|(drawn, takes, written)| Fetch {
        drawn,
        answered: drawn + takes,
        written,
    });
    prop::collection::vec(fetch, 1..10).prop_map(|mut fetches| {
        fetches.sort_by_key(|fetch| fetch.drawn);
        fetches
    })
}

/// The subscription's price is the time itself: what Stripe says changes all the while.
async fn never_goes_back(store: &Store, _: &Database, fetches: Vec<Fetch>) {
    let seed = Seed::new(store).await;
    let group = seed.admin.group.as_ref().expect("an admin has a group").id;
    let mut drawn = Vec::new();
    for fetch in fetches {
        let ticket = store.draw_sync_ticket(seed.subscription).await.expect("a ticket");
        drawn.push((fetch, ticket));
    }
    drawn.sort_by_key(|(fetch, _)| fetch.written);
    let mut at_least = 0;
    for (fetch, ticket) in drawn {
        let answer = seed.at_stripe(Status::Active, seed.period);
        let state = StripeState { price: Some(Money::new(fetch.answered.into(), Currency::USD)), ..answer };
        let mut tx = store.begin().await.expect("a transaction");
        tx.lock_group(group).await.expect("a lock");
        tx.apply_stripe_state(group, seed.subscription, ticket, &state, seed.clock.now())
            .await
            .expect("is written or dropped");
        tx.commit().await.expect("a commit");
        at_least = at_least.max(i64::from(fetch.drawn));
        let row = store.live_subscription(group).await.expect("a row").expect("a subscription");
        assert!(row.sold_price_minor >= at_least, "{} is from before {at_least}", row.sold_price_minor);
    }
}

#[test]
fn what_was_known_when_a_fetch_began_is_never_forgotten_again() {
    each_store_holds(48, fetches(), never_goes_back);
}
