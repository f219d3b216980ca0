//! Images.

pub(crate) mod build;
pub(crate) mod inspect;
pub(crate) mod progress;
pub(crate) mod remove;
pub(crate) mod summary;
