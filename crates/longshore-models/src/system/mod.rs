//! The engine itself.

pub(crate) mod event;
pub(crate) mod swarm;
pub(crate) mod version;
