//! Volumes: what they are made from, and what engines tell of them.

pub(crate) mod cluster;
pub(crate) mod create;
pub(crate) mod inspect;
