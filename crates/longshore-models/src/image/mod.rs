//! Images.

pub(crate) mod inspect;
pub(crate) mod progress;
pub(crate) mod push;
pub(crate) mod remove;
pub(crate) mod summary;
