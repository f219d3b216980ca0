//! The part of a container's configuration that depends on the host.

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{Mount, PortMap, Resources, SortedMap, is_default};

/// Configures how a container runs on this host. Empty and zero mean the engine's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HostConfig {
    /// Limits of CPU, memory, devices and processes.
    #[serde(flatten)]
    pub resources: Resources,
    /// Volumes and host folders as `source:/path[:options]`; [`mounts`](Self::mounts) says the same in types.
    #[serde(skip_serializing_if = "is_default")]
    pub binds: Vec<String>,
    /// File of the host the container's id was written to, told by some command lines.
    #[serde(rename = "ContainerIDFile", skip_serializing_if = "is_default")]
    pub container_id_file: String,
    /// Where the output goes.
    #[serde(skip_serializing_if = "is_default")]
    pub log_config: LogConfig,
    /// `bridge`, `host`, `none`, `container:<name or id>`, or the name of a network.
    #[serde(skip_serializing_if = "is_default")]
    pub network_mode: String,
    /// Container ports and where they are published.
    #[serde(skip_serializing_if = "is_default")]
    pub port_bindings: PortMap,
    /// What happens when the container ends.
    #[serde(skip_serializing_if = "is_default")]
    pub restart_policy: RestartPolicy,
    /// Removes the container when it ends.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_remove: bool,
    /// Driver of the volumes that `binds` creates.
    #[serde(skip_serializing_if = "is_default")]
    pub volume_driver: String,
    /// Containers whose volumes are mounted too, as `name[:ro]`.
    #[serde(skip_serializing_if = "is_default")]
    pub volumes_from: Vec<String>,
    /// Volumes, host folders and memory to mount.
    #[serde(skip_serializing_if = "is_default")]
    pub mounts: Vec<Mount>,
    /// Size of the terminal at the start; `[0, 0]` where the engine has none to tell.
    #[serde(skip_serializing_if = "is_default")]
    pub console_size: Option<ConsoleSize>,
    /// Notes for the runtime, API 1.43+.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: SortedMap<String, String>,
    /// Kernel capabilities to add, such as `NET_ADMIN`.
    #[serde(skip_serializing_if = "is_default")]
    pub cap_add: Vec<String>,
    /// Kernel capabilities to drop.
    #[serde(skip_serializing_if = "is_default")]
    pub cap_drop: Vec<String>,
    /// Which cgroup namespace it runs in.
    #[serde(skip_serializing_if = "is_default")]
    pub cgroupns_mode: CgroupnsMode,
    /// Addresses of DNS servers.
    #[serde(skip_serializing_if = "is_default")]
    pub dns: Vec<String>,
    /// Options of the resolver.
    #[serde(skip_serializing_if = "is_default")]
    pub dns_options: Vec<String>,
    /// Domains in which short names are looked up.
    #[serde(skip_serializing_if = "is_default")]
    pub dns_search: Vec<String>,
    /// Lines for `/etc/hosts`, as `name:address`.
    #[serde(skip_serializing_if = "is_default")]
    pub extra_hosts: Vec<String>,
    /// Further groups of the process, by name or number.
    #[serde(skip_serializing_if = "is_default")]
    pub group_add: Vec<String>,
    /// `none`, `private`, `shareable`, `host` or `container:<name or id>`.
    #[serde(skip_serializing_if = "is_default")]
    pub ipc_mode: String,
    /// Cgroup of the container; unused by Docker.
    #[serde(skip_serializing_if = "is_default")]
    pub cgroup: String,
    /// Legacy links to other containers, as `name:alias`.
    #[serde(skip_serializing_if = "is_default")]
    pub links: Vec<String>,
    /// How readily the kernel kills it when memory runs out, -1000 to 1000.
    #[serde(skip_serializing_if = "is_default")]
    pub oom_score_adj: i64,
    /// `host`, or `container:<name or id>`.
    #[serde(skip_serializing_if = "is_default")]
    pub pid_mode: String,
    /// Gives it all the rights over the host.
    #[serde(skip_serializing_if = "is_default")]
    pub privileged: bool,
    /// Publishes every exposed port on a free port of the host.
    #[serde(skip_serializing_if = "is_default")]
    pub publish_all_ports: bool,
    /// Makes the root filesystem read-only.
    #[serde(skip_serializing_if = "is_default")]
    pub readonly_rootfs: bool,
    /// Options of the security systems, such as `no-new-privileges`.
    #[serde(skip_serializing_if = "is_default")]
    pub security_opt: Vec<String>,
    /// Options of the storage driver, such as `size`.
    #[serde(skip_serializing_if = "is_default")]
    pub storage_opt: SortedMap<String, String>,
    /// Paths in memory, with their mount options.
    #[serde(skip_serializing_if = "is_default")]
    pub tmpfs: SortedMap<String, String>,
    /// `host`, or empty for a host name of its own.
    #[serde(rename = "UTSMode", skip_serializing_if = "is_default")]
    pub uts_mode: String,
    /// `host` to opt out of the engine's user namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub userns_mode: String,
    /// Size of `/dev/shm` in bytes; the engine's default is 64 MiB.
    #[serde(skip_serializing_if = "is_default")]
    pub shm_size: u64,
    /// Kernel parameters in the container's namespaces.
    #[serde(skip_serializing_if = "is_default")]
    pub sysctls: SortedMap<String, String>,
    /// Name of the runtime, such as `runc`.
    #[serde(skip_serializing_if = "is_default")]
    pub runtime: String,
    /// How it is kept apart (Windows).
    #[serde(skip_serializing_if = "is_default")]
    pub isolation: Isolation,
    /// Paths hidden from it; `None` for the engine's list, an empty list for none at all.
    #[serde(skip_serializing_if = "is_default")]
    pub masked_paths: Option<Vec<String>>,
    /// Paths it can't write to; `None` for the engine's list, an empty list for none at all.
    #[serde(skip_serializing_if = "is_default")]
    pub readonly_paths: Option<Vec<String>>,
}

/// Says where a container's output goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct LogConfig {
    /// Name of the driver, such as `json-file`, `local` or `none`; empty for the engine's default.
    #[serde(rename = "Type", skip_serializing_if = "is_default")]
    pub driver: String,
    /// What the driver understands, such as `max-size`.
    #[serde(rename = "Config", skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
}

impl LogConfig {
    /// Names a driver.
    pub fn new(driver: impl Into<String>) -> Self {
        Self { driver: driver.into(), ..Self::default() }
    }

    /// Adds an option.
    #[must_use]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }
}

/// Says what happens when a container ends.
///
/// ```
/// use longshore_models::{RestartPolicy, RestartPolicyName};
///
/// assert_eq!(RestartPolicy::from(RestartPolicyName::Always), RestartPolicy::always());
/// assert_eq!(serde_json::to_value(RestartPolicy::on_failure(3)).unwrap()["MaximumRetryCount"], 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RestartPolicy {
    /// When it is started again.
    pub name: RestartPolicyName,
    /// How often it is tried, for `on-failure`; 0 for no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub maximum_retry_count: i64,
}

impl RestartPolicy {
    /// Leaves it stopped.
    pub fn no() -> Self {
        RestartPolicyName::No.into()
    }

    /// Starts it again, also when the engine starts.
    pub fn always() -> Self {
        RestartPolicyName::Always.into()
    }

    /// Starts it again, unless a user stopped it.
    pub fn unless_stopped() -> Self {
        RestartPolicyName::UnlessStopped.into()
    }

    /// Starts it again after an exit code other than 0, so many times; 0 for no limit.
    pub fn on_failure(maximum_retry_count: u32) -> Self {
        Self { name: RestartPolicyName::OnFailure, maximum_retry_count: maximum_retry_count.into() }
    }
}

impl From<RestartPolicyName> for RestartPolicy {
    fn from(name: RestartPolicyName) -> Self {
        Self { name, maximum_retry_count: 0 }
    }
}

/// Says when a container is started again. The empty word is [`No`](Self::No).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RestartPolicyName {
    /// Never.
    #[default]
    No,
    /// Whenever it ends, and when the engine starts.
    Always,
    /// Like always, except after a user stopped it.
    UnlessStopped,
    /// When it ends with an exit code other than 0.
    OnFailure,
    /// A word this version does not know.
    Other(String),
}

words!(RestartPolicyName {
    No = "no",
    Always = "always",
    UnlessStopped = "unless-stopped",
    OnFailure = "on-failure",
});

/// Says which cgroup namespace a container runs in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CgroupnsMode {
    /// Its own.
    Private,
    /// The host's.
    Host,
    /// A word this version does not know; empty for the engine's default.
    Other(String),
}

words!(CgroupnsMode { Private = "private", Host = "host" });

impl Default for CgroupnsMode {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Says how a Windows container is kept apart. The empty word is [`Default`](Self::Default).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// As the engine does by default.
    #[default]
    Default,
    /// By namespaces.
    Process,
    /// In a virtual machine.
    HyperV,
    /// A word this version does not know.
    Other(String),
}

words!(Isolation { Default = "default", Process = "process", HyperV = "hyperv" });

/// Size of a terminal in characters, `[rows, columns]` on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Decode)]
#[decode(from = Vec<u32>)]
#[serde(into = "[u32; 2]")]
pub struct ConsoleSize {
    /// Height.
    pub rows: u32,
    /// Width.
    pub columns: u32,
}

impl From<Vec<u32>> for ConsoleSize {
    fn from(size: Vec<u32>) -> Self {
        let at = |index| size.get(index).copied().unwrap_or(0);
        Self { rows: at(0), columns: at(1) }
    }
}

impl From<ConsoleSize> for [u32; 2] {
    fn from(size: ConsoleSize) -> Self {
        [size.rows, size.columns]
    }
}
