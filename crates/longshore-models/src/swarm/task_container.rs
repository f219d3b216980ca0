//! The containers that the tasks of a service are.

use std::time::Duration;

use serde::Serialize;

use super::task_privileges::Privileges;
use crate::decode::Decode;
use crate::{HealthConfig, Isolation, Mount, SortedMap, Ulimit, duration_nanos, is_default};

/// Says what the containers of a service run, and how. Empty means what the image or the engine says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerSpec {
    /// Reference of the image. Each node resolves it by itself, unless it has a digest.
    #[serde(skip_serializing_if = "is_default")]
    pub image: String,
    /// Labels of the containers.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// Program that replaces the image's entry point.
    #[serde(skip_serializing_if = "is_default")]
    pub command: Vec<String>,
    /// Arguments, which replace the image's command.
    #[serde(skip_serializing_if = "is_default")]
    pub args: Vec<String>,
    /// Host name; may have placeholders such as `{{.Node.Hostname}}` and `{{.Task.Slot}}`.
    #[serde(skip_serializing_if = "is_default")]
    pub hostname: String,
    /// Environment as `NAME=value`; values may have placeholders as the host name.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<String>,
    /// Working directory.
    #[serde(skip_serializing_if = "is_default")]
    pub dir: String,
    /// User and group the process runs as, as `user[:group]`, by name or number.
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Further groups of the process, by name or number.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<String>,
    /// What the security systems allow it.
    #[serde(skip_serializing_if = "is_default")]
    pub privileges: Privileges,
    /// Runs the process on a terminal; its output is then one raw stream.
    #[serde(rename = "TTY", skip_serializing_if = "is_default")]
    pub tty: bool,
    /// Keeps stdin open.
    #[serde(skip_serializing_if = "is_default")]
    pub open_stdin: bool,
    /// Makes the root filesystem read-only.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only: bool,
    /// Volumes, host folders and memory to mount; sources and targets may have placeholders as the host name.
    #[serde(skip_serializing_if = "is_default")]
    pub mounts: Vec<Mount>,
    /// Signal that stops the container, by name or number; `SIGTERM` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub stop_signal: String,
    /// Time between that signal and `SIGKILL`; `None` for the swarm's default, 10 s.
    #[serde(serialize_with = "duration_nanos::serialize_optional", skip_serializing_if = "is_default")]
    pub stop_grace_period: Option<Duration>,
    /// Health check; `None` for what the image says.
    #[serde(alias = "HealthCheck", skip_serializing_if = "is_default")]
    pub healthcheck: Option<HealthConfig>,
    /// Lines for `/etc/hosts`, as `address name [alias…]`.
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
    /// How names are resolved.
    #[serde(rename = "DNSConfig", skip_serializing_if = "is_default")]
    pub dns_config: DnsConfig,
    /// Secrets of the swarm that it sees.
    #[serde(skip_serializing_if = "is_default")]
    pub secrets: Vec<SecretReference>,
    /// How readily the kernel kills it when memory runs out, -1000 to 1000. API 1.46+.
    #[serde(skip_serializing_if = "is_default")]
    pub oom_score_adj: i64,
    /// Configs of the swarm that it sees.
    #[serde(skip_serializing_if = "is_default")]
    pub configs: Vec<SwarmConfigReference>,
    /// How it is kept apart (Windows).
    #[serde(skip_serializing_if = "is_default")]
    pub isolation: Isolation,
    /// Whether an init process forwards signals and reaps children; `None` for the engine's default.
    #[serde(skip_serializing_if = "is_default")]
    pub init: Option<bool>,
    /// Kernel parameters in the container's namespaces.
    #[serde(skip_serializing_if = "is_default")]
    pub sysctls: SortedMap<String, String>,
    /// Kernel capabilities to add, such as `CAP_NET_ADMIN`. API 1.41+.
    #[serde(skip_serializing_if = "is_default")]
    pub capability_add: Vec<String>,
    /// Kernel capabilities to drop, API 1.41+.
    #[serde(skip_serializing_if = "is_default")]
    pub capability_drop: Vec<String>,
    /// Limits of the processes' own resources, such as open files. API 1.41+.
    #[serde(skip_serializing_if = "is_default")]
    pub ulimits: Vec<Ulimit>,
}

/// Says how a container resolves names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DnsConfig {
    /// Addresses of DNS servers.
    #[serde(skip_serializing_if = "is_default")]
    pub nameservers: Vec<String>,
    /// Domains in which short names are looked up.
    #[serde(skip_serializing_if = "is_default")]
    pub search: Vec<String>,
    /// Options of the resolver, such as `ndots:3`.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Vec<String>,
}

/// Gives the containers of a service a secret of the swarm, as a file.
///
/// ```
/// use longshore_models::SecretReference;
///
/// let key = SecretReference::new("fpjqlhnwb19zds35k8wn80lq9", "tls-key").file_name("site.key").mode(0o400);
/// assert_eq!(key.file.unwrap_or_default().name, "site.key");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SecretReference {
    /// The file that shows it. A name that is no absolute path is one in `/run/secrets`.
    #[serde(skip_serializing_if = "is_default")]
    pub file: Option<FileTarget>,
    /// Id of the secret.
    #[serde(rename = "SecretID")]
    pub secret_id: String,
    /// Name of the secret; the id decides which one it is.
    pub secret_name: String,
}

impl SecretReference {
    /// Shows the secret with this id and name as the file `/run/secrets/<name>`, which all may read.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let (secret_id, secret_name) = (id.into(), name.into());
        Self { file: Some(FileTarget::new(&secret_name)), secret_id, secret_name }
    }

    /// Shows it as this file: a path, or a name in `/run/secrets`.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file.get_or_insert_default().name = name.into();
        self
    }

    /// Sets the permissions of the file, such as `0o400`.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.file.get_or_insert_default().mode = mode;
        self
    }

    /// Sets the numbers of the user and the group that the file belongs to.
    #[must_use]
    pub fn owner(mut self, user: u32, group: u32) -> Self {
        self.file.get_or_insert_default().own(user, group);
        self
    }
}

/// Gives the containers of a service a config of the swarm, as a file.
///
/// ```
/// use longshore_models::SwarmConfigReference;
///
/// let site = SwarmConfigReference::new("0bt9dmxjvjiqermk6xrop3ekq", "site.conf").file_name("/etc/nginx/conf.d/site.conf");
/// assert!(site.runtime.is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmConfigReference {
    /// The file that shows it; a name that is no absolute path is one in the root folder. `None` if there is none.
    #[serde(skip_serializing_if = "is_default")]
    pub file: Option<FileTarget>,
    /// There instead of a file if the engine itself uses the config, as for a
    /// [`CredentialSpec`](crate::CredentialSpec).
    #[serde(skip_serializing_if = "is_default")]
    pub runtime: Option<RuntimeTarget>,
    /// Id of the config.
    #[serde(rename = "ConfigID")]
    pub config_id: String,
    /// Name of the config; the id decides which one it is.
    pub config_name: String,
}

impl SwarmConfigReference {
    /// Shows the config with this id and name as the file `/<name>`, which all may read.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let (config_id, config_name) = (id.into(), name.into());
        Self { file: Some(FileTarget::new(&config_name)), runtime: None, config_id, config_name }
    }

    /// Hands the config with this id and name to the engine itself, without a file.
    pub fn for_runtime(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { file: None, runtime: Some(RuntimeTarget {}), config_id: id.into(), config_name: name.into() }
    }

    /// Shows it as this file: a path, or a name in the root folder.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file.get_or_insert_default().name = name.into();
        self
    }

    /// Sets the permissions of the file, such as `0o440`.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.file.get_or_insert_default().mode = mode;
        self
    }

    /// Sets the numbers of the user and the group that the file belongs to.
    #[must_use]
    pub fn owner(mut self, user: u32, group: u32) -> Self {
        self.file.get_or_insert_default().own(user, group);
        self
    }
}

/// Says as which file a secret or a config is shown. All of it is sent, so that there is no default but this type's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FileTarget {
    /// Name or absolute path.
    pub name: String,
    /// Number of the user that it belongs to.
    #[serde(rename = "UID")]
    pub uid: String,
    /// Number of the group that it belongs to.
    #[serde(rename = "GID")]
    pub gid: String,
    /// Permissions, such as `0o444`.
    pub mode: u32,
}

impl FileTarget {
    /// A file that belongs to root, and that all may read.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    fn own(&mut self, user: u32, group: u32) {
        (self.uid, self.gid) = (user.to_string(), group.to_string());
    }
}

impl Default for FileTarget {
    fn default() -> Self {
        Self { name: String::new(), uid: "0".into(), gid: "0".into(), mode: 0o444 }
    }
}

/// Says that a config is used by the engine itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[non_exhaustive]
pub struct RuntimeTarget {}
