//! Images.

pub(crate) mod attestation;
pub(crate) mod build;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod inspect;
pub(crate) mod progress;
pub(crate) mod push;
pub(crate) mod remove;
pub(crate) mod search;
pub(crate) mod summary;
