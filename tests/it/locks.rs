//! Transactions on one group queue for its row first, so that none waits for another that waits for it.

use chrono::DateTime;
use futures::future::join_all;
use tollgate::domain::{InvitationId, Role};
use tollgate::error::Result;
use tollgate::storage::{NewInvitationRow, Store};
use uuid::Uuid;

use crate::support::databases::Database;
use crate::support::seed::Seed;

/// What inviting an address does to the database, as often at once as an impatient admin clicks.
async fn invite(store: &Store, seed: &Seed, token: usize) -> Result<()> {
    let now = seed.clock.now();
    let invitation = NewInvitationRow {
        id: InvitationId(Uuid::now_v7()),
        group_id: seed.group(),
        email: "new@acme.test".into(),
        role: Role::Member,
        token_hash: token.to_be_bytes().to_vec(),
        expires_at: DateTime::<chrono::Utc>::MAX_UTC.min(now + chrono::Duration::days(7)),
    };
    let mut tx = store.begin().await?;
    tx.lock_group(seed.group()).await?;
    tx.withdraw_invitation_of(seed.group(), &invitation.email).await?;
    tx.require_free_seat(seed.group(), now).await?;
    tx.add_invitation(&invitation, now).await?;
    tx.commit().await
}

#[tokio::test]
async fn inviting_one_address_many_times_at_once_deadlocks_nothing() {
    for database in Database::each().await {
        let store = database.store().await;
        let seed = Seed::new(&store).await;
        let outcomes = join_all((0..40).map(|token| invite(&store, &seed, token))).await;
        for outcome in outcomes {
            outcome.expect("the invitation replaces the one before");
        }
        assert_eq!(store.invitations(seed.group(), seed.clock.now()).await.unwrap().len(), 1);
        store.close().await;
    }
}
