//! What a subscription's next invoice has besides the subscription's own items, such as a fee for setting something up.
//!
//! Source: <https://docs.stripe.com/billing/invoices/subscription#adding-upcoming-invoice-items>

use serde_json::{Value, json};

use super::by_hand;
use crate::engine::objects::Subscription;
use crate::engine::{ApiError, Tx};
use crate::http::set;

const PARAM: &str = "add_invoice_items";

/// Makes invoice items by the parameter `add_invoice_items`, which wait for the subscription's next invoice.
///
/// # Errors
/// If a price isn't there, recurs or is in another currency, or a discount can't be redeemed.
pub(super) fn add(tx: &mut Tx, subscription: &Value, params: &Value) -> Result<(), ApiError> {
    for (index, given) in params[PARAM].as_array().into_iter().flatten().enumerate() {
        let mut item = json!({
            "customer": Subscription(subscription).customer(), "subscription": subscription["id"],
            "currency": subscription["currency"],
        });
        match (given.get("price"), given.get("price_data")) {
            (Some(price), None) => item["pricing"] = json!({"price": price}),
            (None, Some(data)) => item["price_data"] = data.clone(),
            (None, None) => return Err(ApiError::required(&format!("{PARAM}[{index}][price]"))),
            (Some(_), Some(_)) => {
                let message = "You may only specify one of these parameters: price, price_data.";
                return Err(ApiError::invalid(message).param(&format!("{PARAM}[{index}][price_data]")));
            }
        }
        for field in ["discountable", "discounts", "metadata", "quantity", "tax_rates"] {
            set(&mut item, given, field);
        }
        by_hand::create_item(tx, &item).map_err(|error| {
            let named = error.renaming(|param| if param == "pricing[price]" { "price" } else { param });
            named.inside(&format!("{PARAM}[{index}]"))
        })?;
    }
    Ok(())
}
