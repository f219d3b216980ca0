//! How an engine takes part in a swarm.

use crate::open_enum::words;

/// Says how an engine takes part in a swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LocalNodeState {
    /// It does not.
    #[default]
    Inactive,
    /// It has asked to join and waits to be accepted.
    Pending,
    /// It does.
    Active,
    /// Taking part has failed.
    Error,
    /// It waits for the key that unlocks the swarm's secrets.
    Locked,
    /// A word this version does not know.
    Other(String),
}

words!(LocalNodeState {
    Inactive = "inactive",
    Pending = "pending",
    Active = "active",
    Error = "error",
    Locked = "locked",
});
