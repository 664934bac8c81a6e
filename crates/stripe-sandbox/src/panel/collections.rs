//! The kinds of object the panel knows, and which of their fields a list shows.

use serde_json::Value;

use super::format::{amount, badge, dash, money as written, time, words};
use super::html::{Html, html};

/// One column of a list.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) cell: fn(&Value) -> Html,
    /// Set for amounts, which line up on the right.
    pub(super) numeric: bool,
}

pub(super) struct Kind {
    /// As in the API's addresses, and in the store.
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
    pub(super) singular: &'static str,
    /// What ids of this kind start with, up to the underscore.
    pub(super) prefix: &'static str,
    /// Under which heading the menu has it; `None` is reachable by links only.
    pub(super) group: Option<&'static str>,
    /// Said where there are none yet.
    pub(super) empty: &'static str,
    pub(super) columns: &'static [Column],
}

const fn column(name: &'static str, cell: fn(&Value) -> Html) -> Column {
    Column { name, cell, numeric: false }
}

const fn money(name: &'static str, cell: fn(&Value) -> Html) -> Column {
    Column { name, cell, numeric: true }
}

const STATUS: Column = column("Status", |object| object["status"].as_str().map_or_else(dash, badge));
const CREATED: Column = column("Created", |object| time(&object["created"]));
const CUSTOMER: Column = column("Customer", |object| customer(&object["customer"]));
const AMOUNT: Column = money("Amount", |object| amount(object, "amount"));

pub(super) const KINDS: [Kind; 11] = [
    Kind {
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
    Kind {
        slug: "subscriptions",
        title: "Subscriptions",
        singular: "Subscription",
        prefix: "sub",
        group: Some("Billing"),
        empty: "One appears as soon as somebody buys a plan.",
        columns: &[
            STATUS,
            CUSTOMER,
            column("Price", |object| price(&object["items"]["data"][0]["price"])),
            column("Period ends", |object| time(&object["items"]["data"][0]["current_period_end"])),
            CREATED,
        ],
    },
    Kind {
        slug: "invoices",
        title: "Invoices",
        singular: "Invoice",
        prefix: "in",
        group: Some("Billing"),
        empty: "Subscriptions make them: the first when a plan is bought, then one for each period.",
        columns: &[
            STATUS,
            column("Number", |object| text(&object["number"])),
            money("Total", |object| amount(object, "total")),
            CUSTOMER,
            CREATED,
        ],
    },
    Kind {
        slug: "payment_intents",
        title: "Payments",
        singular: "Payment",
        prefix: "pi",
        group: Some("Billing"),
        empty: "Each invoice that is to be paid by card makes one.",
        columns: &[STATUS, AMOUNT, CUSTOMER, CREATED],
    },
    Kind {
        slug: "setup_intents",
        title: "Card set-ups",
        singular: "Card set-up",
        prefix: "seti",
        group: Some("Billing"),
        empty: "One is made whenever a card is saved without being charged.",
        columns: &[STATUS, column("Usage", |object| text(&object["usage"])), CUSTOMER, CREATED],
    },
    Kind {
        slug: "products",
        title: "Products",
        singular: "Product",
        prefix: "prod",
        group: Some("Catalogue"),
        empty: "The application makes one for each plan.",
        columns: &[column("Name", |object| text(&object["name"])), ACTIVE, CREATED],
    },
    Kind {
        slug: "prices",
        title: "Prices",
        singular: "Price",
        prefix: "price",
        group: Some("Catalogue"),
        empty: "The application makes one for each plan, and another when a plan’s price changes.",
        columns: &[
            money("Amount", |object| amount(object, "unit_amount")),
            column("Every", |object| text(&object["recurring"]["interval"])),
            column("Product", |object| link(&object["product"])),
            ACTIVE,
            CREATED,
        ],
    },
    Kind {
        slug: "events",
        title: "Events",
        singular: "Event",
        prefix: "evt",
        group: Some("Webhooks"),
        empty: "Everything that happens in the sandbox is an event, sent to the webhook endpoints below.",
        columns: &[column("Type", |object| text(&object["type"])), column("About", about), CREATED],
    },
    Kind {
        slug: "webhook_endpoints",
        title: "Endpoints",
        singular: "Endpoint",
        prefix: "we",
        group: Some("Webhooks"),
        empty: "Events are kept, but sent to nobody, until an endpoint is registered.",
        columns: &[STATUS, column("Address", |object| text(&object["url"])), CREATED],
    },
    Kind {
        slug: "payment_methods",
        title: "Payment methods",
        singular: "Payment method",
        prefix: "pm",
        group: None,
        empty: "",
        columns: &[column("Card", card), CUSTOMER, CREATED],
    },
    Kind {
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

pub(super) fn by_slug(slug: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.slug == slug)
}

/// The panel's address of the object with this id, if the panel knows its kind.
pub(super) fn address_of(id: &str) -> Option<String> {
    let (prefix, rest) = id.split_once('_')?;
    let kind = KINDS.iter().find(|kind| kind.prefix == prefix)?;
    let plain = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // A client secret begins with the id of its intent.
    (plain && !rest.contains("_secret_")).then(|| format!("/panel/{}/{id}", kind.slug))
}

/// An id, or an expanded object, as a link to its page.
pub(super) fn link(value: &Value) -> Html {
    let Some(id) = value.as_str().or_else(|| value["id"].as_str()) else {
        return dash();
    };
    match address_of(id) {
        Some(address) => html! { "<a class=\"id\" href=\"", address, "\">", id, "</a>" },
        None => html! { "<span class=\"id\">", id, "</span>" },
    }
}

/// A customer by name, where the list has looked it up, else by id.
fn customer(value: &Value) -> Html {
    let name =
        ["name", "email"].into_iter().find_map(|field| value[field].as_str().filter(|name| !name.is_empty()));
    match (name, value["id"].as_str().and_then(address_of)) {
        (Some(name), Some(address)) => html! { "<a href=\"", address, "\">", name, "</a>" },
        _ => link(value),
    }
}

/// What a price costs and how often, as a link to it.
fn price(value: &Value) -> Html {
    let address = value["id"].as_str().and_then(address_of);
    match (value["unit_amount"].as_i64(), value["currency"].as_str(), address) {
        (Some(minor), Some(currency), Some(address)) => {
            let interval = value["recurring"]["interval"].as_str().map(|interval| html! { " a ", interval });
            html! { "<a class=\"whole\" href=\"", address, "\">", written(minor, currency), interval, "</a>" }
        }
        _ => link(&value["id"]),
    }
}

pub(super) fn text(value: &Value) -> Html {
    match value.as_str() {
        Some(text) if !text.is_empty() => html! { text },
        _ => dash(),
    }
}

fn about(event: &Value) -> Html {
    link(&event["data"]["object"])
}

fn card(method: &Value) -> Html {
    match (method["card"]["brand"].as_str(), method["card"]["last4"].as_str()) {
        (Some(brand), Some(last4)) => html! { words(brand), " •••• ", last4 },
        _ => dash(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_become_addresses() {
        assert_eq!(address_of("cus_1Ab"), Some("/panel/customers/cus_1Ab".to_owned()));
        for other in ["cus_", "cus_1\"x", "cus_a/../b", "pi_1_secret_2", "whoever_1", "price", ""] {
            assert_eq!(address_of(other), None, "{other}");
        }
    }

    #[test]
    fn every_kind_has_its_own_address_and_prefix() {
        for (index, kind) in KINDS.iter().enumerate() {
            let later = &KINDS[index + 1..];
            assert!(
                later.iter().all(|other| other.slug != kind.slug && other.prefix != kind.prefix),
                "{}",
                kind.slug
            );
        }
    }
}
