-- Times are UTC to the microsecond; money is in minor units; every id is a UUIDv7.

CREATE TABLE groups (
    id                 UUID PRIMARY KEY,
    name               TEXT NOT NULL,
    stripe_customer_id TEXT UNIQUE,
    created_at         TIMESTAMPTZ NOT NULL,
    -- A fetch from Stripe takes a ticket first; an answer older than the one last written is dropped.
    sync_ticket        BIGINT NOT NULL DEFAULT 0,
    -- When all its invoices were read from Stripe for the first time. Webhooks keep them since.
    invoices_read_at   TIMESTAMPTZ,
    -- When its latest event occurred, to the minute.
    last_event_at      TIMESTAMPTZ
);

-- Who leaves a group keeps the row, since the ledger names it, and loses everything else.
CREATE TABLE users (
    id            UUID PRIMARY KEY,
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('superadmin', 'admin', 'member')),
    group_id      UUID REFERENCES groups (id),
    created_at    TIMESTAMPTZ NOT NULL,
    removed_at    TIMESTAMPTZ,
    CHECK ((role = 'superadmin') = (group_id IS NULL))
);
CREATE UNIQUE INDEX users_email ON users (email) WHERE removed_at IS NULL;
CREATE INDEX users_group ON users (group_id) WHERE removed_at IS NULL;

-- A key that was revoked keeps its row, since the ledger names it.
CREATE TABLE api_keys (
    id           UUID PRIMARY KEY,
    user_id      UUID NOT NULL REFERENCES users (id),
    name         TEXT NOT NULL,
    prefix       TEXT NOT NULL,
    key_hash     BYTEA NOT NULL UNIQUE,
    created_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX api_keys_user ON api_keys (user_id) WHERE revoked_at IS NULL;

-- Browsers that are signed in. A session is found by a hash of its cookie, and called by its id.
CREATE TABLE sessions (
    id_hash      BYTEA PRIMARY KEY,
    id           UUID NOT NULL UNIQUE,
    user_id      UUID NOT NULL REFERENCES users (id),
    -- In words, such as "Firefox on Linux".
    user_agent   TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Links that set a new password, one for each address that asked. Kept for any address, with an account or without, so
-- that asking takes as long for both.
CREATE TABLE password_resets (
    email      TEXT PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX password_resets_expiry ON password_resets (expires_at);

-- Log-ins, sign-ups, invitations and password resets, counted to be throttled.
CREATE TABLE attempts (
    subject_hash BYTEA PRIMARY KEY,
    count        BIGINT NOT NULL,
    since        TIMESTAMPTZ NOT NULL
);

CREATE TABLE invitations (
    id         UUID PRIMARY KEY,
    group_id   UUID NOT NULL REFERENCES groups (id),
    email      TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    token_hash BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    UNIQUE (group_id, email)
);

CREATE TABLE plans (
    id                 UUID PRIMARY KEY,
    name               TEXT NOT NULL,
    description        TEXT NOT NULL,
    price_minor        BIGINT NOT NULL CHECK (price_minor >= 0),
    currency           TEXT NOT NULL,
    billing_interval   TEXT NOT NULL CHECK (billing_interval IN ('month', 'year')),
    trial_days         BIGINT NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 730),
    llm_tokens_limit   BIGINT CHECK (llm_tokens_limit >= 0),
    voice_tokens_limit BIGINT CHECK (voice_tokens_limit >= 0),
    max_users          BIGINT CHECK (max_users >= 1),
    features           JSONB NOT NULL,
    -- What lies beyond the limits, in packages: currency, and for each resource tokens and price. Null where none is sold.
    overage            JSONB,
    stripe_product_id  TEXT,
    stripe_price_id    TEXT,
    archived           BOOLEAN NOT NULL DEFAULT FALSE,
    created_at         TIMESTAMPTZ NOT NULL,
    updated_at         TIMESTAMPTZ NOT NULL
);
-- Plans on sale are distinguished by name, and a price at Stripe identifies the plan that is paid.
CREATE UNIQUE INDEX plans_name ON plans (name) WHERE NOT archived;
CREATE UNIQUE INDEX plans_stripe_price ON plans (stripe_price_id) WHERE NOT archived;

CREATE TABLE subscriptions (
    id                     UUID PRIMARY KEY,
    group_id               UUID NOT NULL REFERENCES groups (id),
    user_id                UUID NOT NULL REFERENCES users (id),
    plan_id                UUID NOT NULL REFERENCES plans (id),
    status                 TEXT NOT NULL CHECK (status IN ('incomplete', 'incomplete_expired', 'trialing', 'active',
                               'past_due', 'canceled', 'unpaid', 'paused')),
    stripe_subscription_id TEXT NOT NULL UNIQUE,
    -- What this subscriber pays, which a later change of the plan leaves alone.
    stripe_price_id        TEXT NOT NULL,
    price_minor            BIGINT NOT NULL,
    currency               TEXT NOT NULL,
    billing_interval       TEXT NOT NULL CHECK (billing_interval IN ('month', 'year')),
    -- Its monthly recurring revenue in minor units: the monthly part of the price while it is active or past due, else 0.
    mrr                    BIGINT NOT NULL CHECK (mrr >= 0),
    current_period_start   TIMESTAMPTZ NOT NULL,
    current_period_end     TIMESTAMPTZ NOT NULL,
    -- What its periods are counted from.
    billing_anchor         TIMESTAMPTZ NOT NULL,
    cancel_at_period_end   BOOLEAN NOT NULL DEFAULT FALSE,
    -- When its trial ends or ended; null where it has none. A group that has one such row has had its trial.
    trial_end              TIMESTAMPTZ,
    -- What begins with the next period, where another plan does.
    next_plan_id           UUID REFERENCES plans (id),
    past_due_since         TIMESTAMPTZ,
    -- What its admin agreed to be charged for overage in the periods to come, and the most for each, in minor units. Null
    -- where overage isn't enabled.
    overage_prices         JSONB,
    overage_cap            BIGINT CHECK (overage_cap > 0),
    -- The ticket of the fetch that was last written.
    synced_ticket          BIGINT NOT NULL DEFAULT 0,
    created_at             TIMESTAMPTZ NOT NULL,
    updated_at             TIMESTAMPTZ NOT NULL
);
-- A group has at most one live subscription, whatever asks for a second and however many at once.
CREATE UNIQUE INDEX subscriptions_one_live ON subscriptions (group_id)
    WHERE status NOT IN ('canceled', 'incomplete_expired');
-- A group's subscription, or the one it had last.
CREATE INDEX subscriptions_group ON subscriptions (group_id, created_at);
CREATE INDEX subscriptions_plan ON subscriptions (plan_id);
CREATE INDEX subscriptions_stripe_price ON subscriptions (stripe_price_id);

-- How subscriptions changed their status, plan or monthly recurring revenue, each written in the transaction of the change.
-- Rows are added, never changed: what revenue was at a time is the sum of the differences until then.
CREATE TABLE subscription_movements (
    id              UUID PRIMARY KEY,
    group_id        UUID NOT NULL REFERENCES groups (id),
    subscription_id UUID NOT NULL REFERENCES subscriptions (id),
    currency        TEXT NOT NULL,
    -- As Stripe dates it; as recorded_at where a month had ended, in some time zone, before it was learnt of.
    occurred_at     TIMESTAMPTZ NOT NULL,
    recorded_at     TIMESTAMPTZ NOT NULL,
    -- Null for the subscription's first, and where it is charged in another currency from then on.
    status_before   TEXT,
    status_after    TEXT,
    plan_before     UUID REFERENCES plans (id),
    plan_after      UUID REFERENCES plans (id),
    -- Monthly recurring revenue in minor units.
    mrr_before      BIGINT NOT NULL CHECK (mrr_before >= 0),
    mrr_after       BIGINT NOT NULL CHECK (mrr_after >= 0),
    -- What it is to the group's revenue; null where that stayed the same.
    kind            TEXT CHECK (kind IN ('new', 'reactivation', 'expansion', 'contraction', 'churn')),
    CHECK ((kind IS NULL) = (mrr_before = mrr_after))
);
CREATE INDEX subscription_movements_group ON subscription_movements (group_id, occurred_at);
CREATE INDEX subscription_movements_time ON subscription_movements (occurred_at, id);

-- A purchase on its way to Stripe. It keeps the group from buying twice and is nothing else: it gives no access and has
-- no period. It becomes a row of `subscriptions` under the same id once Stripe has made the subscription, or goes.
CREATE TABLE subscription_reservations (
    group_id         UUID PRIMARY KEY REFERENCES groups (id),
    id               UUID NOT NULL UNIQUE,
    user_id          UUID NOT NULL REFERENCES users (id),
    plan_id          UUID NOT NULL REFERENCES plans (id),
    stripe_price_id  TEXT NOT NULL,
    price_minor      BIGINT NOT NULL,
    currency         TEXT NOT NULL,
    billing_interval TEXT NOT NULL CHECK (billing_interval IN ('month', 'year')),
    -- Days of trial, decided when it was reserved.
    trial_days       BIGINT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    -- Whom and what Stripe was asked to charge it to; null until it was.
    stripe_customer_id TEXT,
    payment_method   TEXT,
    -- From when on it counts as cut off. Put off again and again while its purchase is under way.
    recoverable_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX subscription_reservations_plan ON subscription_reservations (plan_id);

-- What a group owns in bulk is keyed by the group first, so that its rows can be kept apart by it.

-- One row for each usage period of a subscription: the sums of its ledger rows, kept in the same transaction.
CREATE TABLE usage_summaries (
    group_id        UUID NOT NULL REFERENCES groups (id),
    id              UUID NOT NULL,
    subscription_id UUID NOT NULL REFERENCES subscriptions (id),
    -- The plan the period began under.
    plan_id         UUID NOT NULL REFERENCES plans (id),
    period_start    TIMESTAMPTZ NOT NULL,
    period_end      TIMESTAMPTZ NOT NULL,
    -- Opened by the calendar after Stripe's period was over, before Stripe was heard of: its terms are still to be confirmed.
    provisional     BOOLEAN NOT NULL DEFAULT FALSE,
    llm_used        BIGINT NOT NULL DEFAULT 0,
    llm_held        BIGINT NOT NULL DEFAULT 0,
    llm_limit       BIGINT,
    voice_used      BIGINT NOT NULL DEFAULT 0,
    voice_held      BIGINT NOT NULL DEFAULT 0,
    voice_limit     BIGINT,
    -- The highest threshold of the limit, in per cent, that the group was told of: 0, 80, 90 or 100.
    llm_notified    BIGINT NOT NULL DEFAULT 0,
    voice_notified  BIGINT NOT NULL DEFAULT 0,
    -- Tokens beyond the limits that are charged.
    llm_overage     BIGINT NOT NULL DEFAULT 0,
    voice_overage   BIGINT NOT NULL DEFAULT 0,
    -- The overage prices that the period began with, and the ceiling agreed to at them, in minor units.
    overage_prices  JSONB,
    overage_cap     BIGINT,
    -- Whether its overage charges are written, after which nothing more is charged.
    overage_closed  BOOLEAN NOT NULL DEFAULT FALSE,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, id),
    UNIQUE (group_id, subscription_id, period_start)
);
CREATE INDEX usage_summaries_period ON usage_summaries (group_id, period_start);
-- What was used of what was sold, of all groups by when their periods ended.
CREATE INDEX usage_summaries_ended ON usage_summaries (period_end);
-- Those with something to charge once they are over.
CREATE INDEX usage_summaries_overage ON usage_summaries (period_end)
    WHERE NOT overage_closed AND llm_overage + voice_overage > 0;

-- The ledger: rows are added, never changed.
CREATE TABLE usage_events (
    group_id    UUID NOT NULL REFERENCES groups (id),
    -- The caller's own id; of a settled hold, its id behind `hold:`.
    external_id TEXT NOT NULL,
    summary_id  UUID NOT NULL,
    user_id     UUID NOT NULL REFERENCES users (id),
    -- The key it was recorded with; null for a session.
    key_id      UUID REFERENCES api_keys (id),
    usage_type  TEXT NOT NULL CHECK (usage_type IN ('llm', 'voice')),
    tokens      BIGINT NOT NULL CHECK (tokens > 0),
    model       TEXT,
    -- Disjoint classes of tokens that add up to `tokens`.
    details     JSONB,
    -- Counted here, and confirmed by no provider.
    estimated   BOOLEAN NOT NULL,
    metadata    JSONB,
    -- SHA-256 of the event as it was sent, to tell a repeat from a different event under the same id.
    fingerprint BYTEA NOT NULL,
    -- Within the period it counts in, as that stood when it was recorded.
    occurred_at TIMESTAMPTZ NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, external_id),
    FOREIGN KEY (group_id, summary_id) REFERENCES usage_summaries (group_id, id)
);
CREATE INDEX usage_events_time ON usage_events (group_id, occurred_at, external_id);

-- Who agreed to which overage, and when. Rows are added, never changed.
CREATE TABLE overage_consents (
    group_id        UUID NOT NULL REFERENCES groups (id),
    id              UUID NOT NULL,
    subscription_id UUID NOT NULL REFERENCES subscriptions (id),
    user_id         UUID NOT NULL REFERENCES users (id),
    -- The ceiling for each period, in minor units; null where overage was disabled.
    cap_minor       BIGINT,
    -- The prices of the period that ran, and those of the periods to come.
    prices          JSONB,
    next_prices     JSONB,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, id)
);

-- What a period's overage costs, written once when the period is over, and where at Stripe it is charged.
CREATE TABLE overage_charges (
    group_id        UUID NOT NULL,
    summary_id      UUID NOT NULL,
    usage_type      TEXT NOT NULL CHECK (usage_type IN ('llm', 'voice')),
    id              UUID NOT NULL UNIQUE,
    used            BIGINT NOT NULL,
    included        BIGINT NOT NULL,
    -- Tokens that are charged, and the packages begun by them.
    tokens          BIGINT NOT NULL CHECK (tokens > 0),
    packages        BIGINT NOT NULL,
    package_tokens  BIGINT NOT NULL,
    package_price   BIGINT NOT NULL,
    amount_minor    BIGINT NOT NULL,
    currency        TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    -- The invoice at Stripe that it is on, and its item there. Null until Stripe answered.
    stripe_invoice  TEXT,
    stripe_item     TEXT,
    -- When it was found to be on an invoice that Stripe collects.
    placed_at       TIMESTAMPTZ,
    -- When it was found there on the invoice as it was finalized.
    confirmed_at    TIMESTAMPTZ,
    -- How often it was taken off an invoice and put on another, since it was gone there.
    revision        BIGINT NOT NULL DEFAULT 0,
    -- How often it was tried to put it there, and when that is tried next.
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    -- What differs at Stripe, in words.
    problem         TEXT,
    PRIMARY KEY (group_id, summary_id, usage_type),
    FOREIGN KEY (group_id, summary_id) REFERENCES usage_summaries (group_id, id)
);
CREATE INDEX overage_charges_due ON overage_charges (next_attempt_at) WHERE placed_at IS NULL;
CREATE INDEX overage_charges_time ON overage_charges (created_at);
CREATE INDEX overage_charges_unconfirmed ON overage_charges (id) WHERE placed_at IS NOT NULL AND confirmed_at IS NULL;

-- What the ledger adds up to by quarter of an hour (time zones differ by no less), member, model and key, kept in the
-- transaction that writes the rows. Breakdowns are read from here, so that they cost the same with any number of rows.
CREATE TABLE usage_quarters (
    group_id     UUID NOT NULL,
    summary_id   UUID NOT NULL,
    -- Quarters of an hour since 1970-01-01T00:00:00Z.
    quarter      BIGINT NOT NULL,
    user_id      UUID NOT NULL,
    -- Empty for none.
    model        TEXT NOT NULL,
    -- The nil UUID for none.
    key_id       UUID NOT NULL,
    llm          BIGINT NOT NULL,
    voice        BIGINT NOT NULL,
    -- How many rows of each kind, so that a breakdown of one kind counts its own.
    llm_events   BIGINT NOT NULL,
    voice_events BIGINT NOT NULL,
    PRIMARY KEY (group_id, summary_id, quarter, user_id, model, key_id),
    FOREIGN KEY (group_id, summary_id) REFERENCES usage_summaries (group_id, id)
);

-- What one member or one key of a group has used and holds in a period, for the caps.
CREATE TABLE usage_shares (
    group_id   UUID NOT NULL,
    summary_id UUID NOT NULL,
    -- A user's id or a key's.
    subject_id UUID NOT NULL,
    llm_used   BIGINT NOT NULL,
    llm_held   BIGINT NOT NULL,
    voice_used BIGINT NOT NULL,
    voice_held BIGINT NOT NULL,
    PRIMARY KEY (group_id, summary_id, subject_id),
    FOREIGN KEY (group_id, summary_id) REFERENCES usage_summaries (group_id, id)
);

-- The most that one member or one key of a group may spend in a period; null for no cap.
CREATE TABLE usage_caps (
    group_id   UUID NOT NULL REFERENCES groups (id),
    -- A user's id or a key's.
    subject_id UUID NOT NULL,
    llm_cap    BIGINT CHECK (llm_cap >= 0),
    voice_cap  BIGINT CHECK (voice_cap >= 0),
    PRIMARY KEY (group_id, subject_id)
);

-- Tokens reserved before they are spent. An open hold counts in its period's and its subjects' `held`.
CREATE TABLE usage_holds (
    group_id    UUID NOT NULL REFERENCES groups (id),
    -- The caller's own id, or one given to it.
    id          TEXT NOT NULL,
    -- The period it was granted in, where it settles too.
    summary_id  UUID NOT NULL,
    user_id     UUID NOT NULL REFERENCES users (id),
    key_id      UUID,
    usage_type  TEXT NOT NULL CHECK (usage_type IN ('llm', 'voice')),
    tokens      BIGINT NOT NULL CHECK (tokens > 0),
    state       TEXT NOT NULL CHECK (state IN ('open', 'settled', 'released', 'expired')),
    -- SHA-256 of what was asked for, to tell a repeat from a different hold under the same id.
    fingerprint BYTEA NOT NULL,
    -- SHA-256 of how it was settled; null until then.
    settlement  BYTEA,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ,
    PRIMARY KEY (group_id, id),
    FOREIGN KEY (group_id, summary_id) REFERENCES usage_summaries (group_id, id)
);
CREATE INDEX usage_holds_open ON usage_holds (group_id, expires_at) WHERE state = 'open';
-- Those due in any group, for the job that frees them.
CREATE INDEX usage_holds_due ON usage_holds (expires_at) WHERE state = 'open';
CREATE INDEX usage_holds_ended ON usage_holds (ended_at) WHERE state <> 'open';

-- A member's conversations with a model. Nobody else reads them.
CREATE TABLE chat_conversations (
    group_id   UUID NOT NULL REFERENCES groups (id),
    id         UUID NOT NULL,
    user_id    UUID NOT NULL REFERENCES users (id),
    title      TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- When the last message came.
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, id)
);
CREATE INDEX chat_conversations_user ON chat_conversations (group_id, user_id, updated_at);
CREATE INDEX chat_conversations_age ON chat_conversations (updated_at);

CREATE TABLE chat_messages (
    group_id        UUID NOT NULL,
    conversation_id UUID NOT NULL,
    -- From 1 in the order they were said.
    position        BIGINT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content         TEXT NOT NULL,
    -- Of an answer: which model gave it, and what question and answer cost; null where that isn't known.
    model           TEXT,
    tokens          BIGINT CHECK (tokens >= 0),
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, conversation_id, position),
    FOREIGN KEY (group_id, conversation_id) REFERENCES chat_conversations (group_id, id) ON DELETE CASCADE
);

-- Invoices as Stripe has them, written from what was fetched, so that what was paid can be seen while Stripe doesn't
-- answer. Ids are Stripe's; money is in minor units of the invoice's currency.
CREATE TABLE invoices (
    group_id           UUID NOT NULL REFERENCES groups (id),
    id                 TEXT NOT NULL,
    number             TEXT,
    status             TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'uncollectible', 'void')),
    currency           TEXT NOT NULL,
    subtotal           BIGINT NOT NULL,
    tax                BIGINT NOT NULL,
    total              BIGINT NOT NULL,
    amount_due         BIGINT NOT NULL,
    amount_paid        BIGINT NOT NULL,
    -- By its credit notes.
    credited           BIGINT NOT NULL,
    billing_reason     TEXT,
    subscription       TEXT,
    created_at         TIMESTAMPTZ NOT NULL,
    period_start       TIMESTAMPTZ NOT NULL,
    period_end         TIMESTAMPTZ NOT NULL,
    paid_at            TIMESTAMPTZ,
    hosted_invoice_url TEXT,
    invoice_pdf        TEXT,
    -- The ticket of the fetch that was last written.
    synced_ticket      BIGINT NOT NULL,
    PRIMARY KEY (group_id, id)
);
CREATE INDEX invoices_time ON invoices (group_id, created_at, id);

CREATE TABLE invoice_lines (
    group_id     UUID NOT NULL,
    invoice_id   TEXT NOT NULL,
    -- From 0 in Stripe's order.
    position     BIGINT NOT NULL,
    id           TEXT NOT NULL,
    description  TEXT,
    -- Below zero for a credit.
    amount       BIGINT NOT NULL,
    quantity     BIGINT,
    period_start TIMESTAMPTZ NOT NULL,
    period_end   TIMESTAMPTZ NOT NULL,
    price        TEXT,
    proration    BOOLEAN NOT NULL,
    metadata     JSONB NOT NULL,
    PRIMARY KEY (group_id, invoice_id, position),
    FOREIGN KEY (group_id, invoice_id) REFERENCES invoices (group_id, id) ON DELETE CASCADE
);

CREATE TABLE credit_notes (
    group_id   UUID NOT NULL,
    invoice_id TEXT NOT NULL,
    id         TEXT NOT NULL,
    number     TEXT NOT NULL,
    status     TEXT NOT NULL,
    amount     BIGINT NOT NULL,
    reason     TEXT,
    pdf        TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, invoice_id, id),
    FOREIGN KEY (group_id, invoice_id) REFERENCES invoices (group_id, id) ON DELETE CASCADE
);

CREATE TABLE refunds (
    group_id   UUID NOT NULL,
    -- The invoice whose payment it gives back.
    invoice_id TEXT NOT NULL,
    id         TEXT NOT NULL,
    charge     TEXT,
    status     TEXT NOT NULL,
    amount     BIGINT NOT NULL,
    reason     TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, invoice_id, id),
    FOREIGN KEY (group_id, invoice_id) REFERENCES invoices (group_id, id) ON DELETE CASCADE
);

-- Which SuperAdmin looked at which group, why and when. Rows are added, never changed.
CREATE TABLE group_visits (
    group_id   UUID NOT NULL REFERENCES groups (id),
    id         UUID NOT NULL,
    user_id    UUID NOT NULL REFERENCES users (id),
    via        TEXT NOT NULL CHECK (via IN ('page', 'api')),
    -- Null where the API was asked without one.
    reason     TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, id)
);

CREATE TABLE webhook_events (
    id              TEXT PRIMARY KEY,
    event_type      TEXT NOT NULL,
    -- The subscription it is about; null for an event that changes nothing here.
    subscription    TEXT,
    -- The setup intent it is about, whose card the subscription is to be paid by.
    setup_intent    TEXT,
    -- The invoice it is about, or whose credit note.
    invoice         TEXT,
    -- The payment it is about, which is refunded.
    payment_intent  TEXT,
    received_at     TIMESTAMPTZ NOT NULL,
    processed_at    TIMESTAMPTZ,
    attempts        BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    -- What the last attempt failed with.
    last_error      TEXT,
    -- Set where it failed so often that it isn't tried again.
    given_up_at     TIMESTAMPTZ
);
CREATE INDEX webhook_events_due ON webhook_events (attempts, next_attempt_at)
    WHERE processed_at IS NULL AND given_up_at IS NULL;
CREATE INDEX webhook_events_processed ON webhook_events (processed_at);

CREATE TABLE idempotency_keys (
    scope       TEXT NOT NULL,
    key_hash    BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    -- Null while the first request still runs.
    status      BIGINT,
    body        BYTEA,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, key_hash)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- What a group is to be told, written with its cause. Who is told is found out afterwards, when it becomes messages.
CREATE TABLE notices (
    id          UUID PRIMARY KEY,
    group_id    UUID NOT NULL REFERENCES groups (id),
    topic       TEXT NOT NULL,
    -- What it is told of once, where its cause can be met again; null where it can't.
    subject     TEXT,
    data        JSONB NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    -- When it became messages; null until then.
    expanded_at TIMESTAMPTZ,
    UNIQUE (group_id, topic, subject)
);
CREATE INDEX notices_open ON notices (id) WHERE expanded_at IS NULL;
CREATE INDEX notices_age ON notices (expanded_at);

-- Which e-mails a user gets, and the token by which one of them unsubscribes. It admits to nothing else.
CREATE TABLE notification_settings (
    user_id           UUID NOT NULL REFERENCES users (id),
    kind              TEXT NOT NULL CHECK (kind IN ('usage_80', 'usage_90', 'usage_100', 'billing')),
    -- Null until the user chooses: then it goes by the role.
    wanted            BOOLEAN,
    unsubscribe_token UUID NOT NULL UNIQUE,
    PRIMARY KEY (user_id, kind)
);

CREATE TABLE outbox (
    id                UUID PRIMARY KEY,
    recipient         TEXT NOT NULL,
    subject           TEXT NOT NULL,
    -- With {link} where the secret goes.
    body              TEXT NOT NULL,
    html              TEXT NOT NULL,
    -- A link that admits its reader. Erased once the message is sent or the link has expired.
    secret            TEXT,
    secret_expires_at TIMESTAMPTZ,
    -- 'kept' is a message that was written while no mail server was set.
    state             TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'kept')),
    attempts          BIGINT NOT NULL DEFAULT 0,
    created_at        TIMESTAMPTZ NOT NULL,
    sent_at           TIMESTAMPTZ,
    next_attempt_at   TIMESTAMPTZ NOT NULL,
    -- Until when a worker that is sending it has it for itself.
    claimed_until     TIMESTAMPTZ,
    -- Of a message that a notice became: the notice, and whom it tells.
    notice_id         UUID REFERENCES notices (id),
    user_id           UUID REFERENCES users (id),
    -- Where the reader unsubscribes with one click; null for what has to be told.
    unsubscribe_url   TEXT,
    UNIQUE (notice_id, user_id)
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX outbox_age ON outbox (created_at);

-- The demo data's one row: who loads it holds it until then, for a while at a time.
CREATE TABLE demo_load (
    id            BIGINT PRIMARY KEY CHECK (id = 1),
    began_at      TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ NOT NULL,
    steps_done    BIGINT NOT NULL DEFAULT 0,
    loaded        BOOLEAN NOT NULL DEFAULT FALSE
);
