//! The part of a container's configuration that any host understands.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::decode::Decode;
use crate::{HealthConfig, Port, SortedMap, empty_objects, is_default};

/// Configures what a container runs. Empty means what the image says.
///
/// Images carry the same configuration; the fields that make sense for containers only are empty there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerConfig {
    /// Host name; the first 12 digits of the id if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub hostname: String,
    /// Domain name.
    #[serde(skip_serializing_if = "is_default")]
    pub domainname: String,
    /// User and group the process runs as, as `user[:group]`, by name or number.
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Whether stdin is meant to be attached.
    #[serde(skip_serializing_if = "is_default")]
    pub attach_stdin: bool,
    /// Whether stdout is meant to be attached.
    #[serde(skip_serializing_if = "is_default")]
    pub attach_stdout: bool,
    /// Whether stderr is meant to be attached.
    #[serde(skip_serializing_if = "is_default")]
    pub attach_stderr: bool,
    /// Ports the container listens on, published or not.
    #[serde(serialize_with = "empty_objects::serialize", skip_serializing_if = "is_default")]
    pub exposed_ports: BTreeSet<Port>,
    /// Runs the process on a terminal; its output is then one raw stream.
    #[serde(skip_serializing_if = "is_default")]
    pub tty: bool,
    /// Keeps stdin open while nobody is attached.
    #[serde(skip_serializing_if = "is_default")]
    pub open_stdin: bool,
    /// Closes stdin once the first client that attached to it goes.
    #[serde(skip_serializing_if = "is_default")]
    pub stdin_once: bool,
    /// Environment as `NAME=value`; a name without `=` is taken out of the image's environment.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<String>,
    /// Command, or the arguments of the entry point if there is one.
    #[serde(skip_serializing_if = "is_default")]
    pub cmd: Vec<String>,
    /// Health check; `None` for what the image says.
    #[serde(skip_serializing_if = "is_default")]
    pub healthcheck: Option<HealthConfig>,
    /// Whether the command is a single escaped line (Windows).
    #[serde(skip_serializing_if = "is_default")]
    pub args_escaped: bool,
    /// Reference of the image.
    #[serde(skip_serializing_if = "is_default")]
    pub image: String,
    /// Paths at which anonymous volumes are mounted.
    #[serde(serialize_with = "empty_objects::serialize", skip_serializing_if = "is_default")]
    pub volumes: BTreeSet<String>,
    /// Working directory.
    #[serde(skip_serializing_if = "is_default")]
    pub working_dir: String,
    /// Entry point; `None` for the image's, an empty list for none.
    #[serde(skip_serializing_if = "is_default")]
    pub entrypoint: Option<Vec<String>>,
    /// Leaves the container without a network.
    #[serde(skip_serializing_if = "is_default")]
    pub network_disabled: bool,
    /// MAC address, until API 1.51; from 1.44 on [`EndpointSettings`](crate::EndpointSettings) has it too.
    #[serde(skip_serializing_if = "is_default")]
    pub mac_address: String,
    /// Build instructions the image runs in builds based on it.
    #[serde(skip_serializing_if = "is_default")]
    pub on_build: Vec<String>,
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// Signal that stops the container, by name or number; `SIGTERM` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub stop_signal: String,
    /// Seconds between the stop signal and `SIGKILL`; -1 for ever; `None` for the engine's default.
    #[serde(skip_serializing_if = "is_default")]
    pub stop_timeout: Option<i64>,
    /// Shell for commands written as one line.
    #[serde(skip_serializing_if = "is_default")]
    pub shell: Vec<String>,
}
