//! Containers.

pub(crate) mod changes;
pub(crate) mod config;
pub(crate) mod create;
pub(crate) mod inspect;
pub(crate) mod prune;
pub(crate) mod stats;
pub(crate) mod summary;
pub(crate) mod top;
pub(crate) mod update;
pub(crate) mod wait;
