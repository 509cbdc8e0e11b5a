//! The calls that are measured.

pub(crate) mod pair;
pub(crate) mod trapezoid;
