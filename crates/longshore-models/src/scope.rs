//! How far things reach.

use crate::open_enum::words;

/// Says how far a network, a volume or an event reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// One engine.
    Local,
    /// The whole swarm.
    Swarm,
    /// All engines that share it by their driver or, for volumes, by their swarm.
    Global,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(Scope { Local = "local", Swarm = "swarm", Global = "global" });

impl Default for Scope {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
