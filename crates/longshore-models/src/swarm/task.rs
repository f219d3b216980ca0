//! Tasks: the containers of services, each from its making to its end.

use super::service_endpoint::EndpointPortConfig;
use super::task_network::NetworkAttachment;
use super::task_spec::TaskSpec;
use crate::decode::Decode;
use crate::open_enum::words;
use crate::{GenericResource, ObjectVersion, SortedMap, Timestamp};

/// Tells of a task.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TaskInspect {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Which state of the task this is.
    pub version: ObjectVersion,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed the last time.
    pub updated_at: Timestamp,
    /// Name; engines leave it empty, and name the container after service, slot and id.
    pub name: String,
    /// Labels.
    pub labels: SortedMap<String, String>,
    /// What it is to be: what the service said when the task was made.
    pub spec: TaskSpec,
    /// Id of its service.
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    /// Which of the replicas it is, from 1 on, in a job from 0 on; a task that replaces another takes its slot. 0 in a
    /// global service.
    pub slot: u64,
    /// Id of the node that it is on; empty until there is one.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Resources of the user's own that it was given.
    #[serde(alias = "AssignedGenericResources")]
    pub generic_resources: Vec<GenericResource>,
    /// What it is doing.
    pub status: TaskStatus,
    /// What it is to do: tasks that have had their time are to shut down.
    pub desired_state: TaskState,
    /// Which run of its job it is of; `None` if it is of no job.
    pub job_iteration: Option<ObjectVersion>,
    /// Networks that it is connected to.
    pub networks_attachments: Vec<NetworkAttachment>,
    /// Cluster volumes that it was given, API 1.42+.
    pub volumes: Vec<VolumeAttachment>,
}

/// Tells what a task is doing.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TaskStatus {
    /// When it came into this state.
    pub timestamp: Timestamp,
    /// What it is doing, in a word.
    pub state: TaskState,
    /// What it is doing, in words for people.
    pub message: String,
    /// Why it failed or can't go on; empty if all is well.
    pub err: String,
    /// How its container is; `None` until there is one.
    pub container_status: Option<ContainerStatus>,
    /// Ports that are published on its node.
    pub port_status: PortStatus,
}

/// Says what a task is doing. A task goes through the states in this order, and never back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// It was made.
    New,
    /// It has what it needs beside a node, such as addresses.
    Allocated,
    /// It waits for a node that has what it needs.
    Pending,
    /// It has a node.
    Assigned,
    /// The node has taken it.
    Accepted,
    /// The node makes it ready, by pulling its image for one.
    Preparing,
    /// It waits until the task that it replaces has ended.
    Ready,
    /// Its container is being started.
    Starting,
    /// Its container runs.
    Running,
    /// Its container ended with code 0.
    Complete,
    /// It was asked to end, and has.
    Shutdown,
    /// Its container ended with another code, or could not be started.
    Failed,
    /// The node refused it.
    Rejected,
    /// It is to be forgotten, since its service was removed or has fewer replicas now.
    Remove,
    /// Its node has been gone for too long.
    Orphaned,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(TaskState {
    New = "new",
    Allocated = "allocated",
    Pending = "pending",
    Assigned = "assigned",
    Accepted = "accepted",
    Preparing = "preparing",
    Ready = "ready",
    Starting = "starting",
    Running = "running",
    Complete = "complete",
    Shutdown = "shutdown",
    Failed = "failed",
    Rejected = "rejected",
    Remove = "remove",
    Orphaned = "orphaned",
});

impl Default for TaskState {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl TaskState {
    /// Tells whether the task has ended, well or not.
    pub fn has_ended(&self) -> bool {
        *self >= Self::Complete && !matches!(self, Self::Other(_))
    }
}

/// Tells how the container of a task is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerStatus {
    /// Id of the container, on the node of the task.
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// Id of its first process on the node; 0 if it does not run.
    #[serde(rename = "PID")]
    pub pid: u64,
    /// Code that it ended with; 0 as long as it runs.
    pub exit_code: i64,
}

/// Tells the ports of a task that are published on its node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PortStatus {
    /// The ports, with those that the node picked.
    pub ports: Vec<EndpointPortConfig>,
}

/// Tells which cluster volume a task was given for a mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeAttachment {
    /// Id of the volume in the swarm.
    #[serde(rename = "ID")]
    pub id: String,
    /// Source of the mount.
    pub source: String,
    /// Path of the mount in the container.
    pub target: String,
}
