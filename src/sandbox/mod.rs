//! The Stripe sandbox.
