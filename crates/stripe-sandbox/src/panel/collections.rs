//! The collections that the panel shows, and which fields of their objects a list has.

mod cells;

use maud::{Markup, html};
use serde_json::Value;

use self::cells::{about, card, customer, link, off, price, text};
use super::format::{amount, badge, dash, time};

/// One column of a list.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) cell: fn(&Value) -> Markup,
    /// Set for amounts, which line up on the right.
    pub(super) numeric: bool,
}

pub(super) struct Collection {
    /// Its name in the API's addresses and in the panel's own.
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
    pub(super) singular: &'static str,
    /// What the ids of its objects start with, up to the underscore.
    pub(super) prefix: &'static str,
    /// Under which heading the menu has it; `None` is reachable by links only.
    pub(super) group: Option<&'static str>,
    /// Said where there are none yet.
    pub(super) empty: &'static str,
    pub(super) columns: &'static [Column],
}

const fn column(name: &'static str, cell: fn(&Value) -> Markup) -> Column {
    Column { name, cell, numeric: false }
}

const fn numbers(name: &'static str, cell: fn(&Value) -> Markup) -> Column {
    Column { name, cell, numeric: true }
}

const STATUS: Column = column("Status", |object| object["status"].as_str().map_or_else(dash, badge));
const CREATED: Column = column("Created", |object| time(&object["created"]));
const CUSTOMER: Column = column("Customer", |object| customer(&object["customer"]));
const AMOUNT: Column = numbers("Amount", |object| amount(object, "amount"));

pub(super) const COLLECTIONS: [Collection; 21] = [
    Collection {
        slug: "customers",
        title: "Customers",
        singular: "Customer",
        prefix: "cus",
        group: Some("Billing"),
        empty: "The application makes one when a group subscribes for the first time.",
        columns: &[
            column("Name", |object| text(&object["name"])),
            column("E-mail", |object| text(&object["email"])),
            CREATED,
        ],
    },
    Collection {
        slug: "subscriptions",
        title: "Subscriptions",
        singular: "Subscription",
        prefix: "sub",
        group: Some("Billing"),
        empty: "One appears as soon as a plan is bought.",
        columns: &[
            STATUS,
            CUSTOMER,
            column("Price", |object| price(&object["items"]["data"][0]["price"])),
            column("Period ends", |object| time(&object["items"]["data"][0]["current_period_end"])),
            CREATED,
        ],
    },
    Collection {
        slug: "invoices",
        title: "Invoices",
        singular: "Invoice",
        prefix: "in",
        group: Some("Billing"),
        empty: "Subscriptions make them: the first when a plan is bought, then one for each period.",
        columns: &[
            STATUS,
            column("Number", |object| text(&object["number"])),
            numbers("Total", |object| amount(object, "total")),
            CUSTOMER,
            CREATED,
        ],
    },
    Collection {
        slug: "payment_intents",
        title: "Payments",
        singular: "Payment",
        prefix: "pi",
        group: Some("Billing"),
        empty: "Each invoice that is to be paid by card makes one.",
        columns: &[STATUS, AMOUNT, CUSTOMER, CREATED],
    },
    Collection {
        slug: "setup_intents",
        title: "Card set-ups",
        singular: "Card set-up",
        prefix: "seti",
        group: Some("Billing"),
        empty: "One is made whenever a card is saved without being charged.",
        columns: &[STATUS, column("Usage", |object| text(&object["usage"])), CUSTOMER, CREATED],
    },
    Collection {
        slug: "products",
        title: "Products",
        singular: "Product",
        prefix: "prod",
        group: Some("Catalogue"),
        empty: "The application makes one for each plan.",
        columns: &[column("Name", |object| text(&object["name"])), ACTIVE, CREATED],
    },
    Collection {
        slug: "prices",
        title: "Prices",
        singular: "Price",
        prefix: "price",
        group: Some("Catalogue"),
        empty: "The application makes one for each plan, and another when a plan’s price changes.",
        columns: &[
            numbers("Amount", |object| amount(object, "unit_amount")),
            column("Every", |object| text(&object["recurring"]["interval"])),
            column("Product", |object| link(&object["product"])),
            ACTIVE,
            CREATED,
        ],
    },
    Collection {
        slug: "checkout_sessions",
        title: "Checkouts",
        singular: "Checkout",
        prefix: "cs",
        group: Some("Billing"),
        empty: "The API opens them. Each has a page of its own, on which a customer pays.",
        columns: &[
            STATUS,
            column("Mode", |object| text(&object["mode"])),
            numbers("Total", |object| amount(object, "amount_total")),
            CUSTOMER,
            CREATED,
        ],
    },
    Collection {
        slug: "billing_portal_sessions",
        title: "Portal sessions",
        singular: "Portal session",
        prefix: "bps",
        group: Some("Billing"),
        empty: "The API opens the portal to a customer, for an hour.",
        columns: &[CUSTOMER, CREATED],
    },
    Collection {
        slug: "refunds",
        title: "Refunds",
        singular: "Refund",
        prefix: "re",
        group: Some("Billing"),
        empty: "The API makes them, of charges.",
        columns: &[STATUS, AMOUNT, column("Charge", |object| link(&object["charge"])), CREATED],
    },
    Collection {
        slug: "disputes",
        title: "Disputes",
        singular: "Dispute",
        prefix: "du",
        group: Some("Billing"),
        empty: "Payments with the test cards for it are disputed, such as 4000 0000 0000 0259.",
        columns: &[
            STATUS,
            AMOUNT,
            column("Reason", |object| text(&object["reason"])),
            column("Charge", |object| link(&object["charge"])),
            CREATED,
        ],
    },
    Collection {
        slug: "credit_notes",
        title: "Credit notes",
        singular: "Credit note",
        prefix: "cn",
        group: Some("Billing"),
        empty: "The API issues them, to make finalized invoices less.",
        columns: &[
            STATUS,
            column("Number", |object| text(&object["number"])),
            numbers("Total", |object| amount(object, "total")),
            CUSTOMER,
            CREATED,
        ],
    },
    Collection {
        slug: "coupons",
        title: "Coupons",
        singular: "Coupon",
        prefix: "coupon",
        group: Some("Catalogue"),
        empty: "The API makes them. Subscriptions and invoices are reduced by them.",
        columns: &[
            column("Name", |object| text(&object["name"])),
            column("Off", off),
            column("For", |object| text(&object["duration"])),
            CREATED,
        ],
    },
    Collection {
        slug: "promotion_codes",
        title: "Promotion codes",
        singular: "Promotion code",
        prefix: "promo",
        group: Some("Catalogue"),
        empty: "The API makes them, for coupons.",
        columns: &[ACTIVE, column("Code", |object| text(&object["code"])), CREATED],
    },
    Collection {
        slug: "tax_rates",
        title: "Tax rates",
        singular: "Tax rate",
        prefix: "txr",
        group: Some("Catalogue"),
        empty: "The API makes them. Invoices are taxed by them.",
        columns: &[
            ACTIVE,
            column("Name", |object| text(&object["display_name"])),
            column("Rate", |object| html! { (object["percentage"].as_f64().unwrap_or_default()) " %" }),
            CREATED,
        ],
    },
    Collection {
        slug: "meters",
        title: "Meters",
        singular: "Meter",
        prefix: "mtr",
        group: Some("Catalogue"),
        empty: "The API makes them. Metered prices are charged by what is reported to them.",
        columns: &[
            STATUS,
            column("Name", |object| text(&object["display_name"])),
            column("Event", |object| text(&object["event_name"])),
            CREATED,
        ],
    },
    Collection {
        slug: "test_clocks",
        title: "Test clocks",
        singular: "Test clock",
        prefix: "clock",
        group: Some("Billing"),
        empty: "One made with the API has a time of its own. Its customers live by it: advance it, and their subscriptions \
                renew, their trials end and their cards are charged.",
        columns: &[
            STATUS,
            column("Name", |object| text(&object["name"])),
            column("Time", |object| time(&object["frozen_time"])),
            CREATED,
        ],
    },
    Collection {
        slug: "events",
        title: "Events",
        singular: "Event",
        prefix: "evt",
        group: Some("Webhooks"),
        empty: "Everything that happens in the sandbox is an event, sent to the webhook endpoints that want it.",
        columns: &[column("Type", |object| text(&object["type"])), column("About", about), CREATED],
    },
    Collection {
        slug: "webhook_endpoints",
        title: "Endpoints",
        singular: "Endpoint",
        prefix: "we",
        group: Some("Webhooks"),
        empty: "Events are kept, and not sent, until an endpoint is registered.",
        columns: &[STATUS, column("Address", |object| text(&object["url"])), CREATED],
    },
    Collection {
        slug: "payment_methods",
        title: "Payment methods",
        singular: "Payment method",
        prefix: "pm",
        group: None,
        empty: "",
        columns: &[column("Card", card), CUSTOMER, CREATED],
    },
    Collection {
        slug: "charges",
        title: "Charges",
        singular: "Charge",
        prefix: "ch",
        group: None,
        empty: "",
        columns: &[STATUS, AMOUNT, CUSTOMER, CREATED],
    },
];

const ACTIVE: Column =
    column("Status", |object| badge(if object["active"] == false { "archived" } else { "active" }));

impl Collection {
    /// The panel's address of its list.
    pub(super) fn address(&self) -> String {
        format!("/panel/{}", self.slug)
    }
}

pub(super) fn by_slug(slug: &str) -> Option<&'static Collection> {
    COLLECTIONS.iter().find(|collection| collection.slug == slug)
}

/// The panel's address of the object with this id, if the panel shows its collection.
pub(super) fn address_of(id: &str) -> Option<String> {
    let (prefix, rest) = id.split_once('_')?;
    let collection = COLLECTIONS.iter().find(|collection| collection.prefix == prefix)?;
    let plain = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // A client secret begins with the id of its intent.
    (plain && !rest.contains("_secret_")).then(|| format!("{}/{id}", collection.address()))
}

/// The id of an object of a collection, as a link to its page. Coupons have ids that anybody may choose.
pub(super) fn own_link(collection: &Collection, object: &Value) -> Markup {
    let id = object["id"].as_str().unwrap_or_default();
    let escaped: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    html! { a.id href={ (collection.address()) "/" (escaped.replace('+', "%20")) } { (id) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_become_addresses() {
        assert_eq!(address_of("cus_1Ab"), Some("/panel/customers/cus_1Ab".to_owned()));
        for other in ["cus_", "cus_1\"x", "cus_a/../b", "pi_1_secret_2", "unknown_1", "price", ""] {
            assert_eq!(address_of(other), None, "{other}");
        }
    }

    #[test]
    fn every_collection_has_its_own_address_and_prefix() {
        for (index, collection) in COLLECTIONS.iter().enumerate() {
            let later = &COLLECTIONS[index + 1..];
            assert!(
                later.iter().all(|other| other.slug != collection.slug && other.prefix != collection.prefix),
                "{}",
                collection.slug
            );
        }
    }
}
