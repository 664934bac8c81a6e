//! Prices as they are described: alone, inside a product, inside a subscription item.

use crate::http::{Field, METADATA, Shape, opt, req, unsupported};

const INTERVAL: Shape = Shape::Enum(&["day", "month", "week", "year"]);
pub(super) const RECURRING: Shape = Shape::Object(&[
    req("interval", INTERVAL),
    opt("interval_count", Shape::Int),
    opt("meter", Shape::Text),
    opt("usage_type", Shape::Enum(&["licensed", "metered"])),
]);
const INLINE_RECURRING: Shape =
    Shape::Object(&[req("interval", INTERVAL), opt("interval_count", Shape::Int)]);
pub(super) const TAX_BEHAVIOR: Shape = Shape::Enum(&["exclusive", "inclusive", "unspecified"]);

/// A price described inside a product.
pub(super) const INLINE_DEFAULT: &[Field] = &[
    req("currency", Shape::Text),
    unsupported(&["currency_options", "custom_unit_amount"]),
    METADATA,
    opt("recurring", INLINE_RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

/// A price described inside a subscription item.
pub(super) const INLINE_ITEM: &[Field] = &[
    req("currency", Shape::Text),
    req("product", Shape::Text),
    req("recurring", INLINE_RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

/// A price described inside an invoice item.
pub(super) const INLINE_ONCE: &[Field] = &[
    req("currency", Shape::Text),
    req("product", Shape::Text),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];
