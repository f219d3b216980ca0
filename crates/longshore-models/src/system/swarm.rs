//! How an engine takes part in a swarm.

use crate::ClusterInfo;
use crate::decode::Decode;
use crate::open_enum::words;

/// Tells how an engine takes part in a swarm.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmInfo {
    /// Id of the engine as a node of the swarm; empty outside of one.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Address at which other nodes reach it.
    pub node_addr: String,
    /// Whether it takes part.
    pub local_node_state: LocalNodeState,
    /// Whether it is a manager, so that the swarm can be ruled through it.
    pub control_available: bool,
    /// Why taking part has failed.
    pub error: String,
    /// Managers of the swarm.
    pub remote_managers: Vec<PeerNode>,
    /// Number of nodes; 0 unless it is a manager.
    pub nodes: u64,
    /// Number of managers; 0 unless it is one.
    pub managers: u64,
    /// The swarm; `None` unless it is a manager.
    pub cluster: Option<ClusterInfo>,
    /// What is set unwisely, for people.
    pub warnings: Vec<String>,
}

/// Names a manager of a swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PeerNode {
    /// Id of the node.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Address and port at which other nodes reach it.
    pub addr: String,
}

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
