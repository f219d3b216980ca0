//! The engine itself.

pub(crate) mod disk_usage;
pub(crate) mod event;
pub(crate) mod info;
pub(crate) mod parts;
pub(crate) mod registry_config;
pub(crate) mod swarm;
pub(crate) mod version;
