//! How the tasks of a service are made.

use std::time::Duration;

use serde::Serialize;

use super::task_container::ContainerSpec;
use crate::decode::Decode;
use crate::open_enum::words;
use crate::{Driver, NodePlatform, ResourceObject, SortedMap, duration_nanos, is_default};

/// Says how the tasks of a service are made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TaskSpec {
    /// The container that a task is; empty if it is none.
    #[serde(skip_serializing_if = "is_default")]
    pub container_spec: ContainerSpec,
    /// The plugin that a task is instead, on engines with experimental features; `None` if it is none.
    #[serde(skip_serializing_if = "is_default")]
    pub plugin_spec: Option<PluginSpec>,
    /// The container that a task connects to a network instead; engines tell it, and take none.
    #[serde(skip_serializing_if = "is_default")]
    pub network_attachment_spec: Option<NetworkAttachmentSpec>,
    /// What a task may take of its node, and what it needs.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: TaskResources,
    /// What happens when a task ends.
    #[serde(skip_serializing_if = "is_default")]
    pub restart_policy: TaskRestartPolicy,
    /// Which nodes tasks may be on.
    #[serde(skip_serializing_if = "is_default")]
    pub placement: Placement,
    /// Counter that replaces all tasks when it is changed, though nothing else is.
    #[serde(skip_serializing_if = "is_default")]
    pub force_update: u64,
    /// What a task is.
    #[serde(skip_serializing_if = "is_default")]
    pub runtime: TaskRuntime,
    /// Networks that tasks are connected to.
    #[serde(skip_serializing_if = "is_default")]
    pub networks: Vec<NetworkAttachmentConfig>,
    /// Where their output goes; `None` for the swarm's default, or else the engine's. Logs can be read with the drivers
    /// `json-file`, `local` and `journald`.
    #[serde(skip_serializing_if = "is_default")]
    pub log_driver: Option<Driver>,
}

/// Says what a task is. The empty word is [`Container`](Self::Container).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TaskRuntime {
    /// A container.
    #[default]
    Container,
    /// A plugin.
    Plugin,
    /// The connection of a container to a network.
    Attachment,
    /// A word this version does not know.
    Other(String),
}

words!(TaskRuntime { Container = "container", Plugin = "plugin", Attachment = "attachment" });

/// Connects tasks to a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkAttachmentConfig {
    /// Name or id of the network; engines tell the id.
    #[serde(skip_serializing_if = "is_default")]
    pub target: String,
    /// Further names of the service in the network.
    #[serde(skip_serializing_if = "is_default")]
    pub aliases: Vec<String>,
    /// What the driver of the network understands.
    #[serde(skip_serializing_if = "is_default")]
    pub driver_opts: SortedMap<String, String>,
}

impl NetworkAttachmentConfig {
    /// Names the network, or tells its id.
    pub fn new(target: impl Into<String>) -> Self {
        Self { target: target.into(), ..Self::default() }
    }

    /// Gives the service a further name in the network.
    #[must_use]
    pub fn alias(mut self, name: impl Into<String>) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// Adds an option of the network's driver.
    #[must_use]
    pub fn driver_opt(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.driver_opts.insert(key.into(), value.into());
        self
    }
}

/// Tells which container a task connects to a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkAttachmentSpec {
    /// Id of the container.
    #[serde(rename = "ContainerID")]
    pub container_id: String,
}

/// Says which plugin is installed on nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PluginSpec {
    /// Name that it is called by; that of its image if empty.
    #[serde(alias = "Name", skip_serializing_if = "is_default")]
    pub name: String,
    /// Reference of its image.
    #[serde(alias = "Remote", skip_serializing_if = "is_default")]
    pub remote: String,
    /// What it is allowed.
    #[serde(alias = "PluginPrivilege", skip_serializing_if = "is_default")]
    pub privileges: Vec<RuntimePrivilege>,
    /// Installs it without switching it on.
    #[serde(alias = "Disabled", skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// Environment as `NAME=value`.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<String>,
}

impl PluginSpec {
    /// Installs the plugin of this image.
    pub fn new(remote: impl Into<String>) -> Self {
        Self { remote: remote.into(), ..Self::default() }
    }
}

/// Allows something to a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RuntimePrivilege {
    /// What it is about, such as `network`.
    #[serde(alias = "Name", skip_serializing_if = "is_default")]
    pub name: String,
    /// What it is about, in words for people.
    #[serde(alias = "Description", skip_serializing_if = "is_default")]
    pub description: String,
    /// What is allowed, such as `host`.
    #[serde(alias = "Value", skip_serializing_if = "is_default")]
    pub value: Vec<String>,
}

impl RuntimePrivilege {
    /// Allows these things.
    pub fn new<I: IntoIterator<Item: Into<String>>>(name: impl Into<String>, value: I) -> Self {
        let value = value.into_iter().map(Into::into).collect();
        Self { name: name.into(), value, ..Self::default() }
    }
}

/// Says what a task may take of its node, and what it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TaskResources {
    /// What it may take.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: TaskLimits,
    /// What a node must have left for it.
    #[serde(skip_serializing_if = "is_default")]
    pub reservations: ResourceObject,
    /// Swap beside the memory limit, which there must be, in bytes; -1 for no limit, `None` for as much as memory again.
    /// API 1.52+.
    #[serde(skip_serializing_if = "is_default")]
    pub swap_bytes: Option<i64>,
    /// How eagerly memory is swapped out, 0 to 100; `None` or -1 for the node's way. API 1.52+.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_swappiness: Option<i64>,
}

/// Says what a task may take of its node; 0 for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[non_exhaustive]
pub struct TaskLimits {
    /// Processor time, in billionths of a processor.
    #[serde(rename = "NanoCPUs", skip_serializing_if = "is_default")]
    pub nano_cpus: u64,
    /// Memory, in bytes; at least 4 MiB.
    #[serde(rename = "MemoryBytes", skip_serializing_if = "is_default")]
    pub memory: u64,
    /// Processes, API 1.41+.
    #[serde(rename = "Pids", skip_serializing_if = "is_default")]
    pub pids: u64,
}

/// Says what happens when a task ends: another one may take its place.
///
/// ```
/// use std::time::Duration;
/// use longshore_models::TaskRestartPolicy;
///
/// let policy = TaskRestartPolicy::on_failure().max_attempts(3).delay(Duration::from_secs(1));
/// assert_eq!(serde_json::to_value(&policy).unwrap()["Condition"], "on-failure");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TaskRestartPolicy {
    /// After which ends another one takes its place.
    #[serde(skip_serializing_if = "is_default")]
    pub condition: RestartCondition,
    /// Pause before that; `None` for the swarm's default, 5 s.
    #[serde(serialize_with = "duration_nanos::serialize_optional", skip_serializing_if = "is_default")]
    pub delay: Option<Duration>,
    /// How often that happens in the window; `None` and 0 for no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub max_attempts: Option<u64>,
    /// How far back restarts are counted; `None` and zero for ever.
    #[serde(serialize_with = "duration_nanos::serialize_optional", skip_serializing_if = "is_default")]
    pub window: Option<Duration>,
}

impl TaskRestartPolicy {
    /// No task takes its place.
    pub fn none() -> Self {
        RestartCondition::None.into()
    }

    /// Another one takes its place if it did not end with code 0.
    pub fn on_failure() -> Self {
        RestartCondition::OnFailure.into()
    }

    /// Another one takes its place, whatever its end.
    pub fn any() -> Self {
        RestartCondition::Any.into()
    }

    /// Pauses so long before.
    #[must_use]
    pub fn delay(mut self, pause: Duration) -> Self {
        self.delay = Some(pause);
        self
    }

    /// Gives up after so many; 0 for never.
    #[must_use]
    pub fn max_attempts(mut self, count: u64) -> Self {
        self.max_attempts = Some(count);
        self
    }

    /// Counts only what happened in so long a time.
    #[must_use]
    pub fn window(mut self, time: Duration) -> Self {
        self.window = Some(time);
        self
    }
}

impl From<RestartCondition> for TaskRestartPolicy {
    fn from(condition: RestartCondition) -> Self {
        Self { condition, ..Self::default() }
    }
}

/// Says after which ends another task takes the place of one. The empty word is [`Any`](Self::Any).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RestartCondition {
    /// After none.
    None,
    /// After an exit code other than 0.
    OnFailure,
    /// After all; in a job, whose tasks are to end, as [`OnFailure`](Self::OnFailure).
    #[default]
    Any,
    /// A word this version does not know.
    Other(String),
}

words!(RestartCondition { None = "none", OnFailure = "on-failure", Any = "any" });

/// Says which nodes tasks may be on, and how they are spread over them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Placement {
    /// What a node must be, all of it, such as `node.role==worker` or `node.labels.disk!=slow`.
    #[serde(skip_serializing_if = "is_default")]
    pub constraints: Vec<String>,
    /// How tasks are spread, the most important first.
    #[serde(skip_serializing_if = "is_default")]
    pub preferences: Vec<PlacementPreference>,
    /// How many tasks of the service may be on one node; 0 for any number.
    #[serde(skip_serializing_if = "is_default")]
    pub max_replicas: u64,
    /// Platforms that the image is for; empty for any.
    #[serde(skip_serializing_if = "is_default")]
    pub platforms: Vec<NodePlatform>,
}

/// Says how tasks are spread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PlacementPreference {
    /// Evenly over the values of a label; `None` if it is another kind of preference.
    #[serde(skip_serializing_if = "is_default")]
    pub spread: Option<SpreadOver>,
}

impl PlacementPreference {
    /// Spreads tasks evenly over the values of a label, such as `node.labels.rack`.
    pub fn spread(label: impl Into<String>) -> Self {
        Self { spread: Some(SpreadOver { spread_descriptor: label.into() }) }
    }
}

/// Spreads tasks evenly over the values of a label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SpreadOver {
    /// The label, such as `node.labels.rack` or `engine.labels.az`.
    pub spread_descriptor: String,
}
