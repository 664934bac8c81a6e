//! Prices as they are described: alone, inside a product, inside a subscription item.

use crate::http::{Field, METADATA, Shape, opt, req};

pub(super) const RECURRING: Shape = Shape::Object(&[
    req("interval", Shape::Word(&["day", "month", "week", "year"])),
    opt("interval_count", Shape::Int),
    opt("trial_period_days", Shape::Unsupported),
    opt("meter", Shape::Unsupported),
    opt("usage_type", Shape::Word(&["licensed"])),
]);
pub(super) const TAX_BEHAVIOR: Shape = Shape::Word(&["exclusive", "inclusive", "unspecified"]);

/// A price described inside a product.
pub(super) const INLINE_DEFAULT: &[Field] = &[
    req("currency", Shape::Text),
    opt("currency_options", Shape::Unsupported),
    opt("custom_unit_amount", Shape::Unsupported),
    METADATA,
    opt("recurring", RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

/// A price described inside a subscription item.
pub(super) const INLINE_ITEM: &[Field] = &[
    req("currency", Shape::Text),
    req("product", Shape::Text),
    req("recurring", RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];
