//! Every table and its columns, as a copy reads and writes them.

use super::BATCH;

/// How a column is read from one database and written to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Id,
    Text,
    Count,
    Flag,
    Time,
    Bytes,
    Document,
}

use ColumnType::{Bytes, Count, Document, Flag, Id, Text, Time};

/// A table, and how its rows are found in order.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many of the columns, the first ones, are the primary key.
    pub(super) key: usize,
    pub(super) columns: &'static [(&'static str, ColumnType)],
}

impl Table {
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Reads the first rows, or those after `$1, …`, in the order of the key.
    pub(super) fn select(&self, after: bool) -> String {
        let key = self.columns[..self.key].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let condition = if after {
            let parameters = (1..=self.key).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
            format!("WHERE ({key}) > ({parameters}) ")
        } else {
            String::new()
        };
        format!("SELECT {} FROM {} {condition}ORDER BY {key} LIMIT {BATCH}", self.names(), self.name)
    }
}

/// Every table, those that others refer to first. A test holds this against the schema.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "groups",
        key: 1,
        columns: &[("id", Id), ("name", Text), ("stripe_customer_id", Text), ("created_at", Time)],
    },
    Table {
        name: "users",
        key: 1,
        columns: &[
            ("id", Id),
            ("email", Text),
            ("name", Text),
            ("password_hash", Text),
            ("role", Text),
            ("group_id", Id),
            ("created_at", Time),
            ("removed_at", Time),
        ],
    },
    Table {
        name: "api_keys",
        key: 1,
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("name", Text),
            ("prefix", Text),
            ("key_hash", Bytes),
            ("created_at", Time),
            ("last_used_at", Time),
            ("revoked_at", Time),
        ],
    },
    Table { name: "sessions", key: 1, columns: &[("id_hash", Bytes), ("data", Text), ("expires_at", Time)] },
    Table {
        name: "attempts",
        key: 1,
        columns: &[("subject_hash", Bytes), ("count", Count), ("since", Time)],
    },
    Table {
        name: "invitations",
        key: 1,
        columns: &[
            ("id", Id),
            ("group_id", Id),
            ("email", Text),
            ("role", Text),
            ("token_hash", Bytes),
            ("created_at", Time),
            ("expires_at", Time),
        ],
    },
    Table {
        name: "plans",
        key: 1,
        columns: &[
            ("id", Id),
            ("name", Text),
            ("description", Text),
            ("price_minor", Count),
            ("currency", Text),
            ("billing_interval", Text),
            ("trial_days", Count),
            ("llm_tokens_limit", Count),
            ("voice_tokens_limit", Count),
            ("max_users", Count),
            ("features", Document),
            ("stripe_product_id", Text),
            ("stripe_price_id", Text),
            ("archived", Flag),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Table {
        name: "subscriptions",
        key: 1,
        columns: &[
            ("id", Id),
            ("group_id", Id),
            ("user_id", Id),
            ("plan_id", Id),
            ("status", Text),
            ("stripe_subscription_id", Text),
            ("stripe_price_id", Text),
            ("price_minor", Count),
            ("currency", Text),
            ("billing_interval", Text),
            ("current_period_start", Time),
            ("current_period_end", Time),
            ("billing_anchor", Time),
            ("cancel_at_period_end", Flag),
            ("trial_end", Time),
            ("next_plan_id", Id),
            ("past_due_since", Time),
            ("sync_ticket", Count),
            ("synced_ticket", Count),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Table {
        name: "subscription_reservations",
        key: 1,
        columns: &[
            ("group_id", Id),
            ("id", Id),
            ("user_id", Id),
            ("plan_id", Id),
            ("stripe_price_id", Text),
            ("price_minor", Count),
            ("currency", Text),
            ("billing_interval", Text),
            ("trial_days", Count),
            ("created_at", Time),
            ("stripe_customer_id", Text),
            ("payment_method", Text),
            ("recoverable_at", Time),
        ],
    },
    Table {
        name: "usage_summaries",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("id", Id),
            ("subscription_id", Id),
            ("plan_id", Id),
            ("period_start", Time),
            ("period_end", Time),
            ("provisional", Flag),
            ("llm_used", Count),
            ("llm_held", Count),
            ("llm_limit", Count),
            ("voice_used", Count),
            ("voice_held", Count),
            ("voice_limit", Count),
            ("llm_notified", Count),
            ("voice_notified", Count),
            ("created_at", Time),
        ],
    },
    Table {
        name: "usage_events",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("external_id", Text),
            ("summary_id", Id),
            ("user_id", Id),
            ("key_id", Id),
            ("usage_type", Text),
            ("tokens", Count),
            ("model", Text),
            ("details", Document),
            ("estimated", Flag),
            ("metadata", Document),
            ("fingerprint", Bytes),
            ("occurred_at", Time),
            ("recorded_at", Time),
        ],
    },
    Table {
        name: "usage_quarters",
        key: 6,
        columns: &[
            ("group_id", Id),
            ("summary_id", Id),
            ("quarter", Count),
            ("user_id", Id),
            ("model", Text),
            ("key_id", Id),
            ("llm", Count),
            ("voice", Count),
            ("llm_events", Count),
            ("voice_events", Count),
        ],
    },
    Table {
        name: "usage_shares",
        key: 3,
        columns: &[
            ("group_id", Id),
            ("summary_id", Id),
            ("subject_id", Id),
            ("llm_used", Count),
            ("llm_held", Count),
            ("voice_used", Count),
            ("voice_held", Count),
        ],
    },
    Table {
        name: "usage_caps",
        key: 2,
        columns: &[("group_id", Id), ("subject_id", Id), ("llm_cap", Count), ("voice_cap", Count)],
    },
    Table {
        name: "usage_holds",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("id", Text),
            ("summary_id", Id),
            ("user_id", Id),
            ("key_id", Id),
            ("usage_type", Text),
            ("tokens", Count),
            ("state", Text),
            ("fingerprint", Bytes),
            ("settlement", Bytes),
            ("created_at", Time),
            ("expires_at", Time),
            ("ended_at", Time),
        ],
    },
    Table {
        name: "chat_conversations",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("id", Id),
            ("user_id", Id),
            ("title", Text),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Table {
        name: "chat_messages",
        key: 3,
        columns: &[
            ("group_id", Id),
            ("conversation_id", Id),
            ("position", Count),
            ("role", Text),
            ("content", Text),
            ("model", Text),
            ("tokens", Count),
            ("created_at", Time),
        ],
    },
    Table {
        name: "webhook_events",
        key: 1,
        columns: &[
            ("id", Text),
            ("event_type", Text),
            ("subscription", Text),
            ("setup_intent", Text),
            ("received_at", Time),
            ("processed_at", Time),
            ("attempts", Count),
            ("next_attempt_at", Time),
            ("last_error", Text),
            ("given_up_at", Time),
        ],
    },
    Table {
        name: "idempotency_keys",
        key: 2,
        columns: &[
            ("scope", Text),
            ("key_hash", Bytes),
            ("fingerprint", Bytes),
            ("status", Count),
            ("body", Bytes),
            ("created_at", Time),
        ],
    },
    Table { name: "demo_load", key: 1, columns: &[("id", Count), ("claimed_until", Time), ("loaded", Flag)] },
    Table {
        name: "notices",
        key: 1,
        columns: &[
            ("id", Id),
            ("group_id", Id),
            ("topic", Text),
            ("subject", Text),
            ("data", Document),
            ("created_at", Time),
            ("expanded_at", Time),
        ],
    },
    Table {
        name: "notification_settings",
        key: 2,
        columns: &[("user_id", Id), ("kind", Text), ("wanted", Flag), ("unsubscribe_token", Id)],
    },
    Table {
        name: "outbox",
        key: 1,
        columns: &[
            ("id", Id),
            ("recipient", Text),
            ("subject", Text),
            ("body", Text),
            ("html", Text),
            ("secret", Text),
            ("secret_expires_at", Time),
            ("state", Text),
            ("attempts", Count),
            ("created_at", Time),
            ("sent_at", Time),
            ("next_attempt_at", Time),
            ("claimed_until", Time),
            ("notice_id", Id),
            ("user_id", Id),
            ("unsubscribe_url", Text),
        ],
    },
];
