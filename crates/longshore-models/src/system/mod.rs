//! The engine itself.

pub(crate) mod swarm;
pub(crate) mod version;
