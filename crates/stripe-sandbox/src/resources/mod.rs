//! The endpoints, one file per resource: what each takes, and what it does.

mod account;
mod balance;
mod charges;
pub(super) mod checkout;
mod coupons;
mod credit_notes;
mod customer_balance;
pub(super) mod customers;
mod discounts;
mod disputes;
mod events;
mod invoice_items;
mod invoice_payments;
mod invoices;
mod payment_intents;
mod payment_methods;
mod plans;
mod portal_configurations;
mod portal_sessions;
mod price_data;
mod prices;
mod products;
mod promotion_codes;
mod refunds;
mod search;
mod setup_intents;
mod sources;
mod subscription_items;
mod subscription_schedules;
mod subscriptions;
pub(super) mod tax_ids;
mod tax_rates;
mod test_clocks;
mod tokens;
mod webhook_endpoints;

use super::http::Route;

/// Every endpoint.
pub(super) const ROUTES: &[&[Route]] = &[
    // `search` isn't an id.
    search::ROUTES,
    account::ROUTES,
    balance::ROUTES,
    charges::ROUTES,
    checkout::ROUTES,
    checkout::PAGE_ROUTES,
    coupons::ROUTES,
    credit_notes::ROUTES,
    customer_balance::ROUTES,
    customers::ROUTES,
    discounts::ROUTES,
    disputes::ROUTES,
    events::ROUTES,
    invoice_items::ROUTES,
    invoice_payments::ROUTES,
    invoices::ROUTES,
    payment_intents::ROUTES,
    payment_methods::ROUTES,
    plans::ROUTES,
    portal_configurations::ROUTES,
    portal_sessions::ROUTES,
    prices::ROUTES,
    products::ROUTES,
    promotion_codes::ROUTES,
    refunds::ROUTES,
    setup_intents::ROUTES,
    sources::ROUTES,
    subscription_items::ROUTES,
    subscription_schedules::ROUTES,
    subscriptions::ROUTES,
    tax_ids::ROUTES,
    tax_rates::ROUTES,
    test_clocks::ROUTES,
    tokens::ROUTES,
    webhook_endpoints::ROUTES,
];
