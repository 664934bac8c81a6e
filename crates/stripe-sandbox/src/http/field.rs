//! What an endpoint takes: the tables of parameters.

/// What a parameter looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Text,
    Int,
    /// A number in decimal notation, kept as text.
    Decimal,
    Bool,
    /// One of these values.
    Enum(&'static [&'static str]),
    /// An integer or one of these values.
    IntOr(&'static [&'static str]),
    /// A boolean or one of these values.
    BoolOr(&'static [&'static str]),
    /// Free keys with texts, such as `metadata`.
    Map,
    Object(&'static [Field]),
    List(&'static Shape),
    /// A text, or an object with these fields.
    TextOr(&'static [Field]),
    /// An integer, or an object of `gt`, `gte`, `lt`, `lte`.
    Range,
    /// Like the other, but an empty text unsets it and is read as null.
    Clearable(&'static Shape),
}

/// An entry of an endpoint's table of parameters. What isn't in the table isn't Stripe's: a test holds the tables
/// against Stripe's published document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    /// A parameter that has its effect.
    Supported { name: &'static str, shape: Shape, required: bool },
    /// Parameters of Stripe's that have none here. They are refused by name: to accept one and leave it out of
    /// account would be a wrong answer.
    Unsupported(&'static [&'static str]),
}

impl Field {
    /// Whether the parameter is one of this entry.
    pub(super) fn names(&self, param: &str) -> bool {
        match self {
            Self::Supported { name, .. } => *name == param,
            Self::Unsupported(names) => names.contains(&param),
        }
    }
}

pub(crate) const fn opt(name: &'static str, shape: Shape) -> Field {
    Field::Supported { name, shape, required: false }
}

pub(crate) const fn req(name: &'static str, shape: Shape) -> Field {
    Field::Supported { name, shape, required: true }
}

pub(crate) const fn unsupported(names: &'static [&'static str]) -> Field {
    Field::Unsupported(names)
}

pub(crate) const METADATA: Field = opt("metadata", Shape::Clearable(&Shape::Map));

/// What every list takes.
pub(crate) const PAGE: &[Field] =
    &[opt("limit", Shape::Int), opt("starting_after", Shape::Text), opt("ending_before", Shape::Text)];

pub(crate) const RANGE: &[Field] =
    &[opt("gt", Shape::Int), opt("gte", Shape::Int), opt("lt", Shape::Int), opt("lte", Shape::Int)];
