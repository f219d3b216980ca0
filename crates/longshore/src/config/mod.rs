//! Finds out which engine is meant.

mod environment;

pub use environment::Environment;
pub(crate) use environment::parse;
