//! Services: what a swarm keeps running.

use serde::Serialize;

use super::service_endpoint::{EndpointSpec, ServiceEndpoint};
use super::service_mode::ServiceMode;
use super::service_update::{UpdateConfig, UpdateStatus};
use super::task_spec::{NetworkAttachmentConfig, TaskSpec};
use crate::decode::Decode;
use crate::{ObjectVersion, SortedMap, Timestamp, is_default};

/// Tells of a service.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceInspect {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Which state of the service this is; a change is sent with it.
    pub version: ObjectVersion,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed the last time, by a user or by the swarm.
    pub updated_at: Timestamp,
    /// What it is to be.
    pub spec: ServiceSpec,
    /// What it was to be before its last change, and goes back to by a rollback; `None` before the first one.
    pub previous_spec: Option<ServiceSpec>,
    /// Where it can be reached.
    pub endpoint: ServiceEndpoint,
    /// How far its last change has come; `None` if it had none that touches tasks.
    pub update_status: Option<UpdateStatus>,
    /// How many tasks it has; `None` unless a list was asked for it.
    pub service_status: Option<ServiceStatus>,
    /// Which run of a job this is; `None` if it is no job.
    pub job_status: Option<JobStatus>,
}

/// Says what a service is to be: how its tasks are made, how many there are, and where it can be reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceSpec {
    /// Name, by which it can't be called otherwise later; the engine makes one up if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Labels of the service; its containers have those of [`ContainerSpec`](crate::ContainerSpec).
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// How its tasks are made.
    #[serde(skip_serializing_if = "is_default")]
    pub task_template: TaskSpec,
    /// How many tasks it has; which of the modes it is can't be changed later.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: ServiceMode,
    /// How tasks are replaced when it is changed; `None` for one after another. A job may have none.
    #[serde(skip_serializing_if = "is_default")]
    pub update_config: Option<UpdateConfig>,
    /// How tasks are replaced when it goes back to what it was; `None` for one after another.
    #[serde(skip_serializing_if = "is_default")]
    pub rollback_config: Option<UpdateConfig>,
    /// Networks its tasks are connected to, until API 1.43; [`TaskSpec::networks`] says the same in every version.
    #[serde(skip_serializing_if = "is_default")]
    pub networks: Vec<NetworkAttachmentConfig>,
    /// Where it can be reached.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoint_spec: EndpointSpec,
}

/// Counts the tasks of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Tasks that run now.
    pub running_tasks: u64,
    /// Tasks that are to run: as many as the spec says, or for a global service as many as are not being shut down.
    pub desired_tasks: u64,
    /// Tasks of a job that have ended well; 0 for other services.
    pub completed_tasks: u64,
}

/// Tells which run of a job this is: a job runs when it is created, and again when it is changed.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct JobStatus {
    /// Number of the run, which grows, though not always by 1; the tasks of the run have the same one.
    pub job_iteration: ObjectVersion,
    /// When the run began.
    pub last_execution: Timestamp,
}

/// Tells of a service that was created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceCreated {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// What the engine could not do as asked.
    pub warnings: Vec<String>,
}

/// Tells of a service that was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceUpdated {
    /// What the engine could not do as asked.
    pub warnings: Vec<String>,
}
