//! Groups, and what they are at Stripe.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::{GroupId, Refusal};

use super::{Store, Tx};
use crate::error::Result;

impl Store {
    /// The group with this name, for the command line. The oldest, where several share it.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<GroupId>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar("SELECT id FROM groups WHERE name = $1 ORDER BY created_at LIMIT 1")
                .bind(name)
                .fetch_optional(pool)
                .await?
        }))
    }

    /// What the group is called.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn group_name(&self, group: GroupId) -> Result<String> {
        let found: Option<String> = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT name FROM groups WHERE id = $1")
                .bind(group)
                .fetch_optional(pool)
                .await?
        });
        found.ok_or_else(|| Refusal::NotFound("group".into()).into())
    }

    /// Whether there is a group with this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_group(&self, group: GroupId) -> Result<bool> {
        let found: i64 = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT COUNT(*) FROM groups WHERE id = $1")
                .bind(group)
                .fetch_one(pool)
                .await?
        });
        Ok(found > 0)
    }

    /// At most `limit` groups' ids, after `after`, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups_after(&self, after: Option<GroupId>, limit: i64) -> Result<Vec<GroupId>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar("SELECT id FROM groups WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(after.unwrap_or(GroupId(Uuid::nil())))
                .bind(limit)
                .fetch_all(pool)
                .await?
        }))
    }

    /// The group's customer at Stripe, if it has one yet.
    pub async fn stripe_customer(&self, group: GroupId) -> Result<Option<String>> {
        let found: Option<Option<String>> = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT stripe_customer_id FROM groups WHERE id = $1")
                .bind(group)
                .fetch_optional(pool)
                .await?
        });
        Ok(found.flatten())
    }

    /// Keeps the group's customer at Stripe in place of `gone`; of two at the same time, the first stays. Gives the one
    /// that is kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn replace_stripe_customer(
        &self,
        group: GroupId,
        gone: Option<&str>,
        customer: &str,
    ) -> Result<String> {
        Ok(write_db!(self, |pool| {
            sqlx::query_scalar(
                "UPDATE groups SET stripe_customer_id = CASE
                     WHEN stripe_customer_id IS NULL OR stripe_customer_id = $2 THEN $3 ELSE stripe_customer_id END
                 WHERE id = $1 RETURNING stripe_customer_id",
            )
            .bind(group)
            .bind(gone)
            .bind(customer)
            .fetch_one(pool)
            .await?
        }))
    }
}

impl Tx {
    /// Adds a group without members.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_group(&mut self, id: GroupId, name: &str, now: DateTime<Utc>) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query("INSERT INTO groups (id, name, created_at) VALUES ($1, $2, $3)")
                .bind(id)
                .bind(name)
                .bind(now)
                .execute(connection)
                .await?;
        });
        Ok(())
    }

    /// How many users are in the group.
    ///
    /// # Errors
    /// The database's.
    pub async fn member_count(&mut self, group: GroupId) -> Result<i64> {
        Ok(on_tx!(self, |connection| {
            sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE group_id = $1 AND removed_at IS NULL")
                .bind(group)
                .fetch_one(connection)
                .await?
        }))
    }
}
