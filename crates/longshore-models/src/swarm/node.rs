//! The nodes of a swarm.

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{NodePlatform, ObjectVersion, ResourceObject, SortedMap, Timestamp, TlsInfo, is_default};

/// Tells everything of one node.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NodeInspect {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version, to be given back with a change.
    pub version: ObjectVersion,
    /// When it joined.
    pub created_at: Timestamp,
    /// When it was changed last, by anyone.
    pub updated_at: Timestamp,
    /// What it is to be.
    pub spec: NodeSpec,
    /// What it tells of itself.
    pub description: NodeDescription,
    /// How it is, as far as the managers know.
    pub status: NodeStatus,
    /// How it is as a manager; `None` for a worker.
    pub manager_status: Option<ManagerStatus>,
}

/// Says what a node is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NodeSpec {
    /// Name; usually none, and the host name is shown.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Labels, which tasks can ask for as `node.labels.NAME`.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// Whether it is a manager. Engines want it told.
    #[serde(skip_serializing_if = "is_default")]
    pub role: NodeRole,
    /// Whether it takes tasks. Engines want it told.
    #[serde(skip_serializing_if = "is_default")]
    pub availability: NodeAvailability,
}

impl NodeSpec {
    /// Says the two things that engines want told; there are no labels.
    pub fn new(role: NodeRole, availability: NodeAvailability) -> Self {
        Self { role, availability, ..Self::default() }
    }
}

/// Says whether a node is a manager.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NodeRole {
    /// It only runs tasks.
    Worker,
    /// It rules the swarm with the other managers, and may run tasks as well.
    Manager,
    /// A word this version does not know; empty if none was told.
    Other(String),
}

words!(NodeRole {
    Worker = "worker",
    Manager = "manager",
});

impl Default for NodeRole {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Says whether a node takes tasks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NodeAvailability {
    /// It does.
    Active,
    /// It keeps those that it has, and gets no further ones.
    Pause,
    /// It does not; those that it had go to other nodes.
    Drain,
    /// A word this version does not know; empty if none was told.
    Other(String),
}

words!(NodeAvailability {
    Active = "active",
    Pause = "pause",
    Drain = "drain",
});

impl Default for NodeAvailability {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Tells what a node says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NodeDescription {
    /// Host name.
    pub hostname: String,
    /// Its platform.
    pub platform: NodePlatform,
    /// All that it has for tasks, whether or not it is taken.
    pub resources: ResourceObject,
    /// Its engine.
    pub engine: EngineDescription,
    /// Who vouches for its certificate.
    #[serde(rename = "TLSInfo")]
    pub tls_info: TlsInfo,
}

/// Tells of the engine of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EngineDescription {
    /// Its version.
    pub engine_version: String,
    /// Its labels, which tasks can ask for as `engine.labels.NAME`.
    pub labels: SortedMap<String, String>,
    /// What it can do, each thing by its kind and name.
    pub plugins: Vec<EnginePlugin>,
}

/// Names something that an engine can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EnginePlugin {
    /// Kind, such as `Log`, `Network` or `Volume`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Name.
    pub name: String,
}

/// Tells how a node is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NodeStatus {
    /// State.
    pub state: NodeState,
    /// What there is to say about it, in words.
    pub message: String,
    /// IP address.
    #[serde(rename = "Addr")]
    pub address: String,
}

/// Says how a node is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NodeState {
    /// The managers have not heard of it since they began.
    #[default]
    Unknown,
    /// It has not been heard of for long; its tasks go to other nodes.
    Down,
    /// It does its work.
    Ready,
    /// It has taken its leave.
    Disconnected,
    /// A word this version does not know.
    Other(String),
}

words!(NodeState {
    Unknown = "unknown",
    Down = "down",
    Ready = "ready",
    Disconnected = "disconnected",
});

/// Tells how a node is as a manager.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ManagerStatus {
    /// Whether it is the one that decides.
    pub leader: bool,
    /// Whether the other managers reach it.
    pub reachability: Reachability,
    /// Address and port that managers speak to it on.
    #[serde(rename = "Addr")]
    pub address: String,
}

/// Says whether a manager is reached by the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reachability {
    /// That is not known.
    #[default]
    Unknown,
    /// It is not.
    Unreachable,
    /// It is.
    Reachable,
    /// A word this version does not know.
    Other(String),
}

words!(Reachability {
    Unknown = "unknown",
    Unreachable = "unreachable",
    Reachable = "reachable",
});
