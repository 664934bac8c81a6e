//! The Stripe sandbox, from outside: over HTTP, on a port of its own, as the application meets it.

mod sandbox {
    mod support;

    mod cards;
    mod catalogue;
    mod conformance;
    mod conventions;
    mod official_client;
    mod schema;
    mod storage;
    mod subscriptions;
    mod time;
    mod webhooks;
}
